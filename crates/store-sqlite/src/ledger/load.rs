//! What a batch of commands reads: a constant number of statements, and none for what nobody names.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::PersonId;
use rollbook_ledger::{
    Account, AccountId, Balance, GroupId, Hold, HoldId, Known, Loaded, Lot, LotId, Needs, Pin, Role, TakenBack,
    Transaction, TransactionId, Wanted,
};
use rollbook_sqlite::to_micros;
use rollbook_store::{StoreError, read};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::write;
use crate::json;
use crate::row::Row;
use crate::statements::{fetch, sql};

pub async fn known(connection: &mut SqliteConnection, wanted: &Wanted) -> Result<Known, StoreError> {
    let holds = wanted.holds.iter().map(|hold| hold.0).collect();
    let lots = wanted.lots.iter().map(|lot| lot.0).collect();
    let named: Vec<Uuid> = wanted.transactions.iter().map(|transaction| transaction.0).collect();
    let holds = all(connection, sql!("ledger_hold_accounts"), holds, |row| read::lies("hold", row)).await?;
    let lots = all(connection, sql!("ledger_lot_accounts"), lots, |row| read::lies("lot", row)).await?;
    let transactions = transactions(connection, &wanted.transactions).await?;
    let mut known = Known {
        holds: holds.into_iter().map(|(id, account)| (HoldId(id), account)).collect(),
        lots: lots.into_iter().map(|(id, account)| (LotId(id), account)).collect(),
        transactions: transactions.into_iter().map(|one| (one.id, one)).collect(),
        ..Known::default()
    };
    let legs = all(connection, sql!("ledger_legs"), named.clone(), read::leg).await?;
    known.add(legs, all(connection, sql!("ledger_lot_movements"), named, read::movement).await?);
    Ok(known)
}

pub async fn transactions(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<Vec<Transaction>, StoreError> {
    all(connection, sql!("ledger_transactions"), ids.iter().map(|id| id.0).collect(), read::transaction).await
}

/// The rows of these ids; no statement for none.
async fn all<T>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    ids: Vec<Uuid>,
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    fetch(connection, sqlx::query(sql).bind(json::uuids(ids))).await?.iter().map(read).collect()
}

/// Under the lock, all that the decision needs. Makes the accounts that are missing.
pub async fn needed(
    connection: &mut SqliteConnection,
    known: Known,
    accounts: &BTreeSet<Account>,
    needs: &Needs,
) -> Result<Loaded, StoreError> {
    let balances = balances(connection, accounts).await?;
    let holds = holds(connection, needs).await?;
    let pins = all(connection, sql!("ledger_pins"), holds.iter().map(|hold| hold.id.0).collect(), read::pin).await?;
    Ok(Loaded {
        known,
        decided: transactions(connection, &needs.decided).await?,
        reversed: reversed(connection, &needs.reversals).await?,
        taken_back: taken_back(connection, &needs.taken_back).await?,
        balances,
        holds,
        lots: lots(connection, needs, &pins).await?,
        pins,
        members: members(connection, &needs.members).await?,
    })
}

/// The balances of these accounts. Those that are missing are made, with the system's of their
/// assets, to which legs refer.
async fn balances(connection: &mut SqliteConnection, accounts: &BTreeSet<Account>) -> Result<Vec<Balance>, StoreError> {
    let all_of_them = accounts.iter().copied().chain(Account::of_system(accounts));
    let by_id: BTreeMap<AccountId, Account> = all_of_them.map(|account| (account.id(), account)).collect();
    let mut missing = by_id.clone();
    let mut balances = Vec::with_capacity(accounts.len());
    let ids = by_id.keys().map(|id| id.0).collect();
    for (id, sums, version) in all(connection, sql!("ledger_balances"), ids, read::balance).await? {
        missing.remove(&id);
        if let Some(account) = by_id.get(&id).filter(|account| account.has_balance()) {
            balances.push(Balance { account: *account, sums, version });
        }
    }
    write::accounts(connection, &missing).await?;
    Ok(balances)
}

async fn reversed(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<BTreeSet<TransactionId>, StoreError> {
    let found = all(connection, sql!("ledger_reversed"), ids.iter().map(|id| id.0).collect(), read::reversed).await?;
    Ok(found.into_iter().collect())
}

async fn taken_back(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<Vec<TakenBack>, StoreError> {
    all(connection, sql!("ledger_taken_back"), ids.iter().map(|id| id.0).collect(), read::taken_back).await
}

pub async fn holds(connection: &mut SqliteConnection, needs: &Needs) -> Result<Vec<Hold>, StoreError> {
    let named = json::uuids(needs.holds.iter().map(|hold| hold.0));
    let due = needs.spendable().map(|(account, need)| (json::hex(account.0), to_micros(need.due_by)));
    let query = sqlx::query(sql!("ledger_holds")).bind(named).bind(json::list(due));
    fetch(connection, query).await?.iter().map(read::hold).collect()
}

async fn lots(connection: &mut SqliteConnection, needs: &Needs, pins: &[Pin]) -> Result<Vec<Lot>, StoreError> {
    let named: BTreeSet<LotId> = needs.lots.iter().copied().chain(pins.iter().map(|pin| pin.lot)).collect();
    let mut lots = all(connection, sql!("ledger_lots"), named.iter().map(|lot| lot.0).collect(), read::lot).await?;
    let wanted = needs.spendable().map(|(account, need)| (json::hex(account.0), to_micros(need.due_by), need.up_to));
    let query = sqlx::query(sql!("ledger_free_lots")).bind(json::list(wanted));
    for row in fetch(connection, query).await? {
        lots.push(read::lot(&row)?);
    }
    Ok(lots)
}

async fn members(
    connection: &mut SqliteConnection,
    wanted: &BTreeSet<(GroupId, PersonId)>,
) -> Result<BTreeMap<(GroupId, PersonId), Role>, StoreError> {
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (groups, persons): (BTreeSet<_>, BTreeSet<_>) =
        wanted.iter().map(|(group, person)| (group.0, person.0)).unzip();
    let query = sqlx::query(sql!("ledger_members")).bind(json::uuids(groups)).bind(json::uuids(persons));
    fetch(connection, query).await?.iter().map(read::role).collect()
}
