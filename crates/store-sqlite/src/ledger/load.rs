//! What a batch of commands reads: a constant number of statements, and none for what nobody names.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_domain::PersonId;
use rollbook_ledger::{
    Account, AccountId, Asset, Balance, GroupId, Hold, HoldId, Known, Loaded, Lot, LotId, Need, Needs, Pin, Place,
    Role, Sums, TakenBack, Transaction, TransactionId, Wanted,
};
use rollbook_sqlite::to_micros;
use rollbook_store::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{rows, write};
use crate::cells::Cells;
use crate::fault::store_error;
use crate::json;
use crate::statements::sql;

pub async fn known(connection: &mut SqliteConnection, wanted: &Wanted) -> Result<Known, StoreError> {
    let holds = wanted.holds.iter().map(|hold| hold.0).collect();
    let lots = wanted.lots.iter().map(|lot| lot.0).collect();
    let named: Vec<Uuid> = wanted.transactions.iter().map(|transaction| transaction.0).collect();
    let mut known = Known::default();
    for (id, account) in lying(connection, sql!("ledger_hold_accounts"), "hold", holds).await? {
        known.holds.insert(HoldId(id), account);
    }
    for (id, account) in lying(connection, sql!("ledger_lot_accounts"), "lot", lots).await? {
        known.lots.insert(LotId(id), account);
    }
    for transaction in transactions(connection, &wanted.transactions).await? {
        known.transactions.insert(transaction.id, transaction);
    }
    for leg in all(connection, sql!("ledger_legs"), named.clone(), rows::leg).await? {
        known.legs.entry(leg.transaction).or_default().push(leg);
    }
    for movement in all(connection, sql!("ledger_lot_movements"), named, rows::movement).await? {
        known.movements.entry(movement.transaction).or_default().push(movement);
    }
    Ok(known)
}

/// Where these holds or lots lie.
async fn lying(
    connection: &mut SqliteConnection,
    sql: &'static str,
    table: &'static str,
    ids: Vec<Uuid>,
) -> Result<Vec<(Uuid, Account)>, StoreError> {
    let read = |row: &SqliteRow| {
        let cells = Cells::of(table, row);
        Ok((cells.uuid("id")?, rows::account(&cells)?))
    };
    all(connection, sql, ids, read).await
}

pub async fn transactions(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<Vec<Transaction>, StoreError> {
    all(connection, sql!("ledger_transactions"), ids.iter().map(|id| id.0).collect(), rows::transaction).await
}

/// The rows of these ids; no statement for none.
async fn all<T>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    ids: Vec<Uuid>,
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = sqlx::query(sql).bind(json::uuids(ids));
    query.fetch_all(connection).await.map_err(store_error)?.iter().map(read).collect()
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
    let pins = all(connection, sql!("ledger_pins"), holds.iter().map(|hold| hold.id.0).collect(), rows::pin).await?;
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
    let assets: BTreeSet<Asset> = accounts.iter().map(|account| account.asset).collect();
    let places = [Place::Issued, Place::Redeemed, Place::Expired];
    let system = assets.iter().flat_map(|asset| places.map(|place| Account::system(*asset, place)));
    let by_id: BTreeMap<AccountId, Account> =
        accounts.iter().copied().chain(system).map(|account| (account.id(), account)).collect();
    let mut missing = by_id.clone();
    let mut balances = Vec::with_capacity(accounts.len());
    for (id, sums, version) in
        all(connection, sql!("ledger_balances"), by_id.keys().map(|id| id.0).collect(), balance).await?
    {
        missing.remove(&id);
        if let Some(account) = by_id.get(&id).filter(|account| account.has_balance()) {
            balances.push(Balance { account: *account, sums, version });
        }
    }
    write::accounts(connection, &missing).await?;
    Ok(balances)
}

fn balance(row: &SqliteRow) -> Result<(AccountId, Sums, i64), StoreError> {
    let cells = Cells::of("ledger_account", row);
    let sums = Sums { posted: cells.get("posted")?, held: cells.get("held")? };
    Ok((AccountId(cells.uuid("id")?), sums, cells.get("version")?))
}

async fn reversed(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<BTreeSet<TransactionId>, StoreError> {
    let read = |row: &SqliteRow| Cells::of("ledger_transaction", row).uuid("reverses").map(TransactionId);
    let found = all(connection, sql!("ledger_reversed"), ids.iter().map(|id| id.0).collect(), read).await?;
    Ok(found.into_iter().collect())
}

async fn taken_back(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<Vec<TakenBack>, StoreError> {
    all(connection, sql!("ledger_taken_back"), ids.iter().map(|id| id.0).collect(), rows::taken_back).await
}

pub async fn holds(connection: &mut SqliteConnection, needs: &Needs) -> Result<Vec<Hold>, StoreError> {
    let named = json::uuids(needs.holds.iter().map(|hold| hold.0));
    let due = holding(needs).map(|(account, need)| (json::hex(account.id().0), to_micros(need.due_by)));
    let query = sqlx::query(sql!("ledger_holds")).bind(named).bind(json::list(due));
    query.fetch_all(connection).await.map_err(store_error)?.iter().map(rows::hold).collect()
}

/// Nothing is held of a debt, and none of it lies in lots.
fn holding(needs: &Needs) -> impl Iterator<Item = (&Account, &Need)> {
    needs.accounts.iter().filter(|(account, _)| matches!(account.place, Place::Available(_)))
}

async fn lots(connection: &mut SqliteConnection, needs: &Needs, pins: &[Pin]) -> Result<Vec<Lot>, StoreError> {
    let named: BTreeSet<LotId> = needs.lots.iter().copied().chain(pins.iter().map(|pin| pin.lot)).collect();
    let mut lots = all(connection, sql!("ledger_lots"), named.iter().map(|lot| lot.0).collect(), rows::lot).await?;
    let wanted = holding(needs).map(|(account, need)| (json::hex(account.id().0), to_micros(need.due_by), need.up_to));
    let query = sqlx::query(sql!("ledger_free_lots")).bind(json::list(wanted));
    for row in query.fetch_all(connection).await.map_err(store_error)? {
        lots.push(rows::lot(&row)?);
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
    let read = |row: &SqliteRow| {
        let cells = Cells::of("group_member", row);
        let member = (GroupId(cells.uuid("group_id")?), PersonId(cells.uuid("person")?));
        Ok((member, cells.read("role", Role::parse)?))
    };
    query.fetch_all(connection).await.map_err(store_error)?.iter().map(read).collect()
}
