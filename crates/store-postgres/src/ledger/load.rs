//! What a batch must know: before the locks what never changes, under them the rest.

use std::collections::{BTreeMap, BTreeSet};

use jiff_sqlx::ToSqlx as _;
use rollbook_domain::PersonId;
use rollbook_ledger::{
    Balance, Command, GroupId, Hold, HoldId, Known, Loaded, Lot, LotId, Needs, Pin, Role, Transaction, TransactionId,
    Wanted,
};
use rollbook_store::{StoreError, read};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::row::Row;
use crate::statements::{column, fetch, sql};

/// Rows by id. No ids, no statement.
async fn by_ids<T>(
    connection: &mut PgConnection,
    sql: &'static str,
    ids: impl IntoIterator<Item = Uuid>,
    read: impl Fn(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let ids: Vec<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    fetch(connection, sqlx::query(sql).bind(ids)).await?.iter().map(read).collect()
}

pub async fn known(connection: &mut PgConnection, wanted: &Wanted) -> Result<Known, StoreError> {
    let holds = by_ids(connection, sql!("ledger_hold_accounts"), wanted.holds.iter().map(|id| id.0), |row| {
        read::lies("hold", row)
    })
    .await?;
    let lots = by_ids(connection, sql!("ledger_lot_accounts"), wanted.lots.iter().map(|id| id.0), |row| {
        read::lies("lot", row)
    })
    .await?;
    let mut known = Known {
        holds: holds.into_iter().map(|(id, account)| (HoldId(id), account)).collect(),
        lots: lots.into_iter().map(|(id, account)| (LotId(id), account)).collect(),
        ..Known::default()
    };
    let transactions = transactions(connection, &wanted.transactions).await?;
    known.transactions = transactions.into_iter().map(|one| (one.id, one)).collect();
    // Only of those: the legs of one that is committed from here on are not known either.
    let ids = || known.transactions.keys().map(|id| id.0);
    let legs = by_ids(connection, sql!("ledger_legs"), ids(), read::leg).await?;
    let movements = by_ids(connection, sql!("ledger_lot_movements"), ids(), read::movement).await?;
    known.add(legs, movements);
    Ok(known)
}

pub async fn transactions(
    connection: &mut PgConnection,
    ids: &BTreeSet<TransactionId>,
) -> Result<Vec<Transaction>, StoreError> {
    by_ids(connection, sql!("ledger_transactions"), ids.iter().map(|id| id.0), read::transaction).await
}

/// Statements of their own, after that of the locks: only they see what was committed while it waited.
pub async fn under_locks(
    connection: &mut PgConnection,
    commands: &[Command],
    known: Known,
    balances: Vec<Balance>,
) -> Result<Loaded, StoreError> {
    let needs = Needs::of(commands, &known);
    let decided = transactions(connection, &needs.decided).await?;
    let reversals = needs.reversals.iter().map(|id| id.0);
    let reversed = by_ids(connection, sql!("ledger_reversed"), reversals, read::reversed).await?.into_iter().collect();
    let undone = needs.taken_back.iter().map(|id| id.0);
    let taken_back = by_ids(connection, sql!("ledger_taken_back"), undone, read::taken_back).await?;
    let holds = holds(connection, &needs).await?;
    let pins = by_ids(connection, sql!("ledger_pins"), holds.iter().map(|hold| hold.id.0), read::pin).await?;
    let lots = lots(connection, &needs, &pins).await?;
    let members = members(connection, &needs).await?;
    Ok(Loaded { known, decided, reversed, taken_back, balances, holds, pins, lots, members })
}

async fn holds(connection: &mut PgConnection, needs: &Needs) -> Result<Vec<Hold>, StoreError> {
    let accounts: Vec<_> = needs.spendable().collect();
    let query = sqlx::query(sql!("ledger_holds"))
        .bind(needs.holds.iter().map(|hold| hold.0).collect::<Vec<_>>())
        .bind(column(&accounts, |(account, _)| account.0))
        .bind(column(&accounts, |(_, need)| need.due_by.to_sqlx()));
    fetch(connection, query).await?.iter().map(read::hold).collect()
}

/// The free ones that are needed, and those that are named, by pins too.
async fn lots(connection: &mut PgConnection, needs: &Needs, pins: &[Pin]) -> Result<Vec<Lot>, StoreError> {
    let accounts: Vec<_> = needs.spendable().collect();
    let query = sqlx::query(sql!("ledger_free_lots"))
        .bind(column(&accounts, |(account, _)| account.0))
        .bind(column(&accounts, |(_, need)| need.due_by.to_sqlx()))
        .bind(column(&accounts, |(_, need)| need.up_to));
    let mut lots: Vec<_> = fetch(connection, query).await?.iter().map(read::lot).collect::<Result<_, _>>()?;
    let named: BTreeSet<_> = pins.iter().map(|pin| pin.lot).chain(needs.lots.iter().copied()).collect();
    lots.extend(by_ids(connection, sql!("ledger_lots"), named.iter().map(|lot| lot.0), read::lot).await?);
    Ok(lots)
}

async fn members(
    connection: &mut PgConnection,
    needs: &Needs,
) -> Result<BTreeMap<(GroupId, PersonId), Role>, StoreError> {
    if needs.members.is_empty() {
        return Ok(BTreeMap::new());
    }
    let (groups, persons): (BTreeSet<Uuid>, BTreeSet<Uuid>) =
        needs.members.iter().map(|(group, person)| (group.0, person.0)).unzip();
    let (groups, persons) = (Vec::from_iter(groups), Vec::from_iter(persons));
    let query = sqlx::query(sql!("ledger_members_lock")).bind(groups).bind(persons);
    fetch(connection, query).await?.iter().map(read::role).collect()
}
