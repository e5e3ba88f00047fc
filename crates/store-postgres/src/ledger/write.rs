//! Writing what was decided, in the order that keeps every step within the floor: holds are released
//! first and placed last.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use rollbook_ledger::{Changes, Hold, Leg, Lot, LotMovement, Pin, Transaction, TransactionId};
use rollbook_store::StoreError;
use sqlx::PgConnection;

use crate::statements::{Query, column, many, sql};

pub async fn changes(connection: &mut PgConnection, changes: &Changes, now: Timestamp) -> Result<(), StoreError> {
    let count = changes.leg_counts();
    many(connection, &changes.transactions, |rows| transactions(rows, now, &count)).await?;
    many(connection, &changes.resolved, |rows| holds(sql!("hold_resolve"), rows)).await?;
    many(connection, &changes.legs, legs).await?;
    many(connection, &changes.placed, |rows| holds(sql!("hold_insert"), rows)).await?;
    many(connection, &changes.lots, lots).await?;
    many(connection, &changes.movements, movements).await?;
    many(connection, &changes.pins, pins).await?;
    Ok(())
}

fn transactions(rows: &[Transaction], now: Timestamp, legs: &HashMap<TransactionId, i64>) -> Query {
    sqlx::query(sql!("ledger_transaction_insert"))
        .bind(now.to_sqlx())
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.kind.as_str()))
        .bind(column(rows, |row| row.digest.0))
        .bind(column(rows, |row| row.reason().map(rollbook_domain::Reason::as_str)))
        .bind(column(rows, |row| row.refusal().map(|refusal| refusal.detail.as_str())))
        .bind(column(rows, |row| row.hold.map(|hold| hold.0)))
        .bind(column(rows, |row| row.lot.map(|lot| lot.0)))
        .bind(column(rows, |row| row.reverses.map(|reversed| reversed.0)))
        .bind(column(rows, |row| row.actor.person().map(|person| person.0)))
        .bind(column(rows, |row| row.memo.as_deref()))
        .bind(column(rows, |row| row.at.to_sqlx()))
        .bind(column(rows, |row| legs.get(&row.id).copied().unwrap_or_default()))
        .bind(column(rows, |row| row.account.map(|account| account.id().0)))
        .bind(column(rows, |row| row.left.map(|left| left.posted)))
        .bind(column(rows, |row| row.left.map(|left| left.held)))
}

fn legs(rows: &[Leg]) -> Query {
    sqlx::query(sql!("leg_insert"))
        .bind(column(rows, |row| row.transaction.0))
        .bind(column(rows, |row| i64::from(row.n)))
        .bind(column(rows, |row| row.from.asset.as_str()))
        .bind(column(rows, |row| row.from.id().0))
        .bind(column(rows, |row| row.to.id().0))
        .bind(column(rows, |row| row.amount))
        .bind(column(rows, |row| row.from_version))
        .bind(column(rows, |row| row.to_version))
        .bind(column(rows, |row| row.takes_back.map(|of| of.0)))
}

fn holds(sql: &'static str, rows: &[Hold]) -> Query {
    sqlx::query(sql)
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.account.id().0))
        .bind(column(rows, |row| row.amount))
        .bind(column(rows, |row| row.state.as_str()))
        .bind(column(rows, |row| row.settled))
        .bind(column(rows, |row| row.expires_at.map(jiff_sqlx::ToSqlx::to_sqlx)))
}

fn lots(rows: &[Lot]) -> Query {
    sqlx::query(sql!("lot_upsert"))
        .bind(column(rows, |row| row.id.0))
        .bind(column(rows, |row| row.account.id().0))
        .bind(column(rows, |row| row.transaction.0))
        .bind(column(rows, |row| i64::from(row.leg)))
        .bind(column(rows, |row| row.source.map(|source| source.0)))
        .bind(column(rows, |row| row.expires_at.to_sqlx()))
        .bind(column(rows, |row| row.amount))
        .bind(column(rows, |row| row.remaining))
        .bind(column(rows, |row| row.held))
        .bind(column(rows, |row| row.expired))
        .bind(column(rows, |row| row.lapsed))
}

fn movements(rows: &[LotMovement]) -> Query {
    sqlx::query(sql!("lot_movement_insert"))
        .bind(column(rows, |row| row.transaction.0))
        .bind(column(rows, |row| i64::from(row.leg)))
        .bind(column(rows, |row| row.lot.0))
        .bind(column(rows, |row| row.amount))
}

fn pins(rows: &[Pin]) -> Query {
    sqlx::query(sql!("hold_pin_insert"))
        .bind(column(rows, |row| row.hold.0))
        .bind(column(rows, |row| row.lot.0))
        .bind(column(rows, |row| row.amount))
}
