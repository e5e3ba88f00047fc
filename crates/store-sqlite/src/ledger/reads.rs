//! What is told of the ledger.

use jiff::Timestamp;
use rollbook_ledger::{Account, Asset, Due, Hold, Lot, LotId, Owner};
use rollbook_sqlite::to_micros;
use rollbook_store::{HistoryFilter, HistoryRow, Standing, StoreError, read};
use sqlx::SqlitePool;

use crate::statements::{Query, fetch, sql};

pub async fn standing(readers: &SqlitePool, asset: Asset, owner: Owner) -> Result<Standing, StoreError> {
    let query = sqlx::query(sql!("ledger_standing"))
        .bind(Account::available(asset, owner).id().0)
        .bind(Account::owed(asset, owner).id().0);
    one_standing(readers, query).await
}

pub async fn outstanding(readers: &SqlitePool, asset: Asset) -> Result<Standing, StoreError> {
    let query = sqlx::query(sql!("ledger_outstanding")).bind(asset.as_str());
    one_standing(readers, query).await
}

async fn one_standing(readers: &SqlitePool, query: Query) -> Result<Standing, StoreError> {
    fetch(readers, query).await?.first().map_or_else(|| Ok(Standing::default()), read::standing)
}

pub async fn history(readers: &SqlitePool, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, StoreError> {
    let (available, owed) = (Account::available(filter.asset, filter.owner), Account::owed(filter.asset, filter.owner));
    let newest = filter.newest();
    let text = if newest.is_some() { sql!("ledger_history_newest") } else { sql!("ledger_history") };
    let query = sqlx::query(text).bind(available.id().0).bind(owed.id().0);
    let query = match newest {
        Some(limit) => query.bind(limit),
        None => query
            .bind(filter.since.map(to_micros))
            .bind(filter.until.map(to_micros))
            .bind(filter.limit.map_or(-1, i64::from)),
    };
    fetch(readers, query).await?.iter().rev().map(read::history).collect()
}

pub async fn open_holds(readers: &SqlitePool, asset: Asset, owner: Owner) -> Result<Vec<Hold>, StoreError> {
    let query = sqlx::query(sql!("ledger_open_holds")).bind(Account::available(asset, owner).id().0);
    fetch(readers, query).await?.iter().map(read::hold).collect()
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
    fetch(readers, query.bind(limit)).await?.iter().map(read::lot).collect()
}

pub async fn due(readers: &SqlitePool, by: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    let query = sqlx::query(sql!("ledger_due")).bind(to_micros(by)).bind(limit);
    fetch(readers, query).await?.iter().map(read::due).collect()
}
