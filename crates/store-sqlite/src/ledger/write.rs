//! What a batch of commands writes, in the order that `rollbook_ledger::schema` tells: the checks
//! of the tables hold after every statement.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use jiff::Timestamp;
use rollbook_ledger::{Account, AccountId, Changes, Hold, Leg, Lot, LotId, LotMovement, Pin, Transaction};
use rollbook_sqlite::{Bulk, BulkQuery, to_micros};
use rollbook_store::StoreError;
use sqlx::SqliteConnection;

use crate::statements::bulk;
use crate::write::every;

static ACCOUNTS: LazyLock<Bulk> = bulk!("ledger_account_insert");
static TRANSACTIONS: LazyLock<Bulk> = bulk!("ledger_transaction_insert");
static RESOLVED: LazyLock<Bulk> = bulk!("hold_resolve");
static LEGS: LazyLock<Bulk> = bulk!("leg_insert");
static HOLDS: LazyLock<Bulk> = bulk!("hold_insert");
static LOTS: LazyLock<Bulk> = bulk!("lot_upsert");
static MOVEMENTS: LazyLock<Bulk> = bulk!("lot_movement_insert");
static PINS: LazyLock<Bulk> = bulk!("hold_pin_insert");

/// With zeros.
pub async fn accounts(
    connection: &mut SqliteConnection,
    accounts: &BTreeMap<AccountId, Account>,
) -> Result<(), StoreError> {
    let rows: Vec<_> = accounts.iter().collect();
    every(connection, &ACCOUNTS, &rows, account_row).await
}

pub async fn changes(
    connection: &mut SqliteConnection,
    changes: &Changes,
    recorded_at: Timestamp,
) -> Result<(), StoreError> {
    let legs = changes.leg_counts();
    let count = |row: &Transaction| legs.get(&row.id).copied().unwrap_or_default();
    let bind = |query, row: &Transaction| transaction_row(query, row, recorded_at, count(row));
    every(connection, &TRANSACTIONS, &changes.transactions, bind).await?;
    every(connection, &RESOLVED, &changes.resolved, resolved_row).await?;
    every(connection, &LEGS, &changes.legs, leg_row).await?;
    every(connection, &HOLDS, &changes.placed, hold_row).await?;
    every(connection, &LOTS, &in_order_of_birth(changes), lot_row).await?;
    every(connection, &MOVEMENTS, &changes.movements, movement_row).await?;
    every(connection, &PINS, &changes.pins, pin_row).await
}

/// A lot refers to the one it was transferred out of, and they may be of one batch and lie in two
/// statements. What comes first in the movements was there first.
fn in_order_of_birth(changes: &Changes) -> Vec<Lot> {
    let mut moved: HashMap<LotId, usize> = HashMap::new();
    for (place, movement) in (1..).zip(&changes.movements) {
        moved.entry(movement.lot).or_insert(place);
    }
    let mut lots = changes.lots.clone();
    lots.sort_by_key(|lot| moved.get(&lot.id).copied().unwrap_or_default());
    lots
}

fn account_row(query: BulkQuery, (id, account): &(&AccountId, &Account)) -> BulkQuery {
    let (kind, owner) = account.owner();
    query.bind(id.0).bind(account.asset.as_str()).bind(kind).bind(owner).bind(account.place.as_str())
}

fn transaction_row(query: BulkQuery, row: &Transaction, recorded_at: Timestamp, legs: i64) -> BulkQuery {
    let refusal = row.refusal();
    query
        .bind(row.id.0)
        .bind(row.kind.as_str())
        .bind(row.digest.0.to_vec())
        .bind(if refusal.is_none() { "applied" } else { "rejected" })
        .bind(refusal.map(|refusal| refusal.reason.as_str().to_owned()))
        .bind(refusal.map(|refusal| refusal.detail.clone()))
        .bind(row.hold.map(|hold| hold.0))
        .bind(row.lot.map(|lot| lot.0))
        .bind(row.reverses.map(|reversed| reversed.0))
        .bind(row.actor.person().map(|person| person.0))
        .bind(row.memo.clone())
        .bind(to_micros(row.at))
        .bind(to_micros(recorded_at))
        .bind(legs)
        .bind(row.account.map(|account| account.id().0))
        .bind(row.left.map(|left| left.posted))
        .bind(row.left.map(|left| left.held))
}

fn resolved_row(query: BulkQuery, hold: &Hold) -> BulkQuery {
    query.bind(hold.id.0).bind(hold.state.as_str()).bind(hold.settled)
}

fn leg_row(query: BulkQuery, leg: &Leg) -> BulkQuery {
    query
        .bind(leg.transaction.0)
        .bind(leg.n)
        .bind(leg.from.asset.as_str())
        .bind(leg.from.id().0)
        .bind(leg.to.id().0)
        .bind(leg.amount)
        .bind(leg.from_version)
        .bind(leg.to_version)
        .bind(leg.takes_back.map(|of| of.0))
}

fn hold_row(query: BulkQuery, hold: &Hold) -> BulkQuery {
    query
        .bind(hold.id.0)
        .bind(hold.account.id().0)
        .bind(hold.amount)
        .bind(hold.state.as_str())
        .bind(hold.settled)
        .bind(hold.expires_at.map(to_micros))
}

fn lot_row(query: BulkQuery, lot: &Lot) -> BulkQuery {
    query
        .bind(lot.id.0)
        .bind(lot.account.id().0)
        .bind(lot.transaction.0)
        .bind(lot.leg)
        .bind(lot.source.map(|source| source.0))
        .bind(to_micros(lot.expires_at))
        .bind(lot.amount)
        .bind(lot.remaining)
        .bind(lot.held)
        .bind(lot.expired)
        .bind(lot.lapsed)
}

fn movement_row(query: BulkQuery, movement: &LotMovement) -> BulkQuery {
    query.bind(movement.transaction.0).bind(movement.leg).bind(movement.lot.0).bind(movement.amount)
}

fn pin_row(query: BulkQuery, pin: &Pin) -> BulkQuery {
    query.bind(pin.hold.0).bind(pin.lot.0).bind(pin.amount)
}
