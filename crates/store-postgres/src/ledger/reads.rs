//! What is told of the ledger.

use jiff::Timestamp;
use jiff_sqlx::{Timestamp as SqlTimestamp, ToSqlx};
use rollbook_ledger::{Account, Asset, Due, Hold, HoldId, Lot, LotId, Owner};
use rollbook_store::{HistoryFilter, HistoryRow, Standing, StoreError, read};
use uuid::Uuid;

use crate::PostgresStore;
use crate::statements::{Query, sql};

pub async fn standing(store: &PostgresStore, asset: Asset, owner: Owner) -> Result<Standing, StoreError> {
    let query = sqlx::query(sql!("ledger_standing"))
        .bind(Account::available(asset, owner).id().0)
        .bind(Account::owed(asset, owner).id().0);
    one_standing(store, query).await
}

pub async fn outstanding(store: &PostgresStore, asset: Asset) -> Result<Standing, StoreError> {
    one_standing(store, sqlx::query(sql!("ledger_outstanding")).bind(asset.as_str())).await
}

async fn one_standing(store: &PostgresStore, query: Query) -> Result<Standing, StoreError> {
    let rows = store.ask(query).await?;
    rows.first().map_or_else(|| Ok(Standing::default()), read::standing)
}

pub async fn history(store: &PostgresStore, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, StoreError> {
    let (available, owed) = (Account::available(filter.asset, filter.owner), Account::owed(filter.asset, filter.owner));
    let newest = filter.newest();
    let text = if newest.is_some() { sql!("ledger_history_newest") } else { sql!("ledger_history") };
    let query = sqlx::query(text).bind(available.id().0).bind(owed.id().0);
    let query = match newest {
        Some(limit) => query.bind(i64::from(limit)),
        None => query
            .bind(filter.since.map(ToSqlx::to_sqlx))
            .bind(filter.until.map(ToSqlx::to_sqlx))
            .bind(filter.limit.map(i64::from)),
    };
    store.ask(query).await?.iter().rev().map(read::history).collect()
}

/// As a batch finds it, with no account's due ones beside it.
pub async fn hold(store: &PostgresStore, id: HoldId) -> Result<Option<Hold>, StoreError> {
    let none: (Vec<Uuid>, Vec<SqlTimestamp>) = Default::default();
    let query = sqlx::query(sql!("ledger_holds")).bind(vec![id.0]).bind(none.0).bind(none.1);
    store.ask(query).await?.first().map(read::hold).transpose()
}

pub async fn open_holds(store: &PostgresStore, asset: Asset, owner: Owner) -> Result<Vec<Hold>, StoreError> {
    let query = sqlx::query(sql!("ledger_open_holds")).bind(Account::available(asset, owner).id().0);
    store.ask(query).await?.iter().map(read::hold).collect()
}

pub async fn open_lots(
    store: &PostgresStore,
    asset: Asset,
    owner: Option<Owner>,
    after: Option<LotId>,
    limit: u32,
) -> Result<Vec<Lot>, StoreError> {
    let after = after.map(|lot| lot.0);
    let query = match owner {
        Some(owner) => {
            let account = Account::available(asset, owner).id();
            sqlx::query(sql!("ledger_open_lots_of_owner")).bind(after).bind(account.0)
        }
        None => sqlx::query(sql!("ledger_open_lots")).bind(after).bind(asset.as_str()),
    };
    store.ask(query.bind(i64::from(limit))).await?.iter().map(read::lot).collect()
}

pub async fn due(store: &PostgresStore, by: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
    let query = sqlx::query(sql!("ledger_due")).bind(by.to_sqlx()).bind(i64::from(limit));
    store.ask(query).await?.iter().map(read::due).collect()
}
