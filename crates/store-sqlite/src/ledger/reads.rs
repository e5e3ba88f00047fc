//! What is told of the ledger.

use jiff::Timestamp;
use rollbook_domain::Reason;
use rollbook_ledger::{Account, Asset, Due, Hold, HoldId, Kind, Lot, LotId, Owner, Place, Sums, TransactionId};
use rollbook_sqlite::to_micros;
use rollbook_store::{Counterpart, HistoryFilter, HistoryRow, Standing, StoreError};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::rows;
use crate::cells::Cells;
use crate::fault::store_error;
use crate::statements::sql;

pub async fn standing(readers: &SqlitePool, asset: Asset, owner: Owner) -> Result<Standing, StoreError> {
    let query = sqlx::query(sql!("ledger_standing"))
        .bind(Account::available(asset, owner).id().0)
        .bind(Account::owed(asset, owner).id().0);
    standing_row(&query.fetch_one(readers).await.map_err(store_error)?)
}

pub async fn outstanding(readers: &SqlitePool, asset: Asset) -> Result<Standing, StoreError> {
    let query = sqlx::query(sql!("ledger_outstanding")).bind(asset.as_str());
    standing_row(&query.fetch_one(readers).await.map_err(store_error)?)
}

fn standing_row(row: &SqliteRow) -> Result<Standing, StoreError> {
    let cells = Cells::of("ledger_account", row);
    let sums = Sums { posted: cells.get("posted")?, held: cells.get("held")? };
    Ok(Standing { sums, owed: cells.get("owed")? })
}

pub async fn history(readers: &SqlitePool, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, StoreError> {
    let (available, owed) = (Account::available(filter.asset, filter.owner), Account::owed(filter.asset, filter.owner));
    let newest = filter.limit.filter(|_| filter.since.is_none() && filter.until.is_none());
    let text = if newest.is_some() { sql!("ledger_history_newest") } else { sql!("ledger_history") };
    let query = sqlx::query(text).bind(available.id().0).bind(owed.id().0);
    let query = match newest {
        Some(limit) => query.bind(limit),
        None => query
            .bind(filter.since.map(to_micros))
            .bind(filter.until.map(to_micros))
            .bind(filter.limit.map_or(-1, i64::from)),
    };
    let newest_first = query.fetch_all(readers).await.map_err(store_error)?;
    newest_first.iter().rev().map(history_row).collect()
}

fn history_row(row: &SqliteRow) -> Result<HistoryRow, StoreError> {
    let cells = Cells::of("ledger_transaction", row);
    let other = cells.maybe_text("place")?;
    Ok(HistoryRow {
        transaction: TransactionId(cells.uuid("id")?),
        kind: cells.read("kind", Kind::parse)?,
        at: cells.instant("happened_at")?,
        recorded_at: cells.instant("recorded_at")?,
        amount: cells.get("amount")?,
        owed: cells.get("owed")?,
        posted: cells.get("posted")?,
        hold: cells.maybe_person("hold")?.map(|hold| HoldId(hold.0)),
        held: cells.get("held")?,
        available: cells.get("available")?,
        other: other.map(|_| rows::account(&cells)).transpose()?.map(counterpart),
        actor: cells.maybe_person("actor")?,
        memo: cells.maybe_text("memo")?,
        reason: cells.maybe_text("reason")?.map(Reason::read),
        detail: cells.maybe_text("detail")?,
    })
}

fn counterpart(account: Account) -> Counterpart {
    match account.place {
        Place::Available(owner) | Place::Owed(owner) => Counterpart::Owner(owner),
        Place::Issued => Counterpart::Issued,
        Place::Redeemed => Counterpart::Redeemed,
        Place::Expired => Counterpart::Expired,
    }
}

pub async fn open_holds(readers: &SqlitePool, asset: Asset, owner: Owner) -> Result<Vec<Hold>, StoreError> {
    let query = sqlx::query(sql!("ledger_open_holds")).bind(Account::available(asset, owner).id().0);
    query.fetch_all(readers).await.map_err(store_error)?.iter().map(rows::hold).collect()
}

pub async fn open_lots(
    readers: &SqlitePool,
    asset: Asset,
    owner: Option<Owner>,
    after: Option<LotId>,
    limit: u32,
) -> Result<Vec<Lot>, StoreError> {
    let after = after.map_or_else(Vec::new, |lot| lot.0.as_bytes().to_vec());
    let query = match owner {
        Some(owner) => {
            let account = Account::available(asset, owner).id();
            sqlx::query(sql!("ledger_open_lots_of_owner")).bind(after).bind(account.0)
        }
        None => sqlx::query(sql!("ledger_open_lots")).bind(after).bind(asset.as_str()),
    };
    query.bind(limit).fetch_all(readers).await.map_err(store_error)?.iter().map(rows::lot).collect()
}

pub async fn due(readers: &SqlitePool, by: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    let query = sqlx::query(sql!("ledger_due")).bind(to_micros(by)).bind(limit);
    query.fetch_all(readers).await.map_err(store_error)?.iter().map(due_row).collect()
}

fn due_row(row: &SqliteRow) -> Result<Due, StoreError> {
    let cells = Cells::of("due", row);
    let id = cells.uuid("id")?;
    match cells.text("what")? {
        "hold" => Ok(Due::Hold(HoldId(id))),
        "lot" => Ok(Due::Lot(LotId(id))),
        _ => Err(cells.corrupt("what")),
    }
}
