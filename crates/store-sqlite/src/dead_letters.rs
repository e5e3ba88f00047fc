//! Dead letters.

use std::sync::LazyLock;

use async_trait::async_trait;
use rollbook_sqlite::{Bulk, BulkQuery, to_micros};
use rollbook_store::cells::Cells;
use rollbook_store::{
    DeadLetter, DeadLetterFailure, DeadLetterFilter, DeadLetterGroup, DeadLetterState, DeadLetters, Kept, StoreError,
    read,
};
use sqlx::SqliteConnection;

use crate::fault::store_error;
use crate::statements::{Query, bulk, execute, fetch, sql};
use crate::{SqliteStore, envelopes, json};

static UPSERT: LazyLock<Bulk> = bulk!("dead_letter_upsert", 64);
static FAILURES: LazyLock<Bulk> = bulk!("dead_letter_failure_insert", 64);

#[async_trait]
impl DeadLetters for SqliteStore {
    async fn keep(&self, letters: &[Kept]) -> Result<(), StoreError> {
        let mut writing = self.writer.begin().await?;
        let connection = writing.connection();
        envelopes::keep(connection, letters.iter().map(|letter| &letter.envelope)).await?;
        UPSERT.execute(connection, letters, letter_row).await.map_err(store_error)?;
        FAILURES.execute(connection, letters, failure_row).await.map_err(store_error)?;
        let names = letters.iter().map(|letter| [&letter.processor, &letter.account, &letter.event_key]);
        execute(connection, sqlx::query(sql!("dead_letter_resolve_settled")).bind(json::list(names))).await?;
        writing.commit().await
    }

    async fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        let query = filtered(sql!("dead_letters"), filter, &filter.states);
        fetch(&self.readers, query).await?.iter().map(read::dead_letter).collect()
    }

    async fn dead_letter_history(&self, id: i64) -> Result<Vec<DeadLetterFailure>, StoreError> {
        let query = sqlx::query(sql!("dead_letter_history")).bind(id);
        fetch(&self.readers, query).await?.iter().map(read::dead_letter_failure).collect()
    }

    async fn dead_letter_groups(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetterGroup>, StoreError> {
        let query = filtered(sql!("dead_letter_groups"), filter, &filter.states);
        fetch(&self.readers, query).await?.iter().map(read::dead_letter_group).collect()
    }

    async fn replay(&self, filter: &DeadLetterFilter, redecide: bool) -> Result<u64, StoreError> {
        let mut writing = self.writer.begin().await?;
        let ids = ids(writing.connection(), filter, filter.replayed()).await?;
        let outbox = sqlx::query(sql!("dead_letter_replay_outbox")).bind(ids.clone()).bind(redecide);
        execute(writing.connection(), outbox).await?;
        let marked = execute(writing.connection(), sqlx::query(sql!("dead_letter_replay")).bind(ids)).await?;
        writing.commit().await?;
        Ok(marked)
    }

    async fn discard(&self, filter: &DeadLetterFilter) -> Result<u64, StoreError> {
        if !filter.discards() {
            return Ok(0);
        }
        let mut writing = self.writer.begin().await?;
        let ids = ids(writing.connection(), filter, &[DeadLetterState::Open]).await?;
        let marked = execute(writing.connection(), sqlx::query(sql!("dead_letter_discard")).bind(ids)).await?;
        writing.commit().await?;
        Ok(marked)
    }

    async fn open_dead_letters(&self) -> Result<u64, StoreError> {
        let open = sqlx::query_scalar(sql!("dead_letter_count_open")).fetch_one(&self.readers).await;
        open.map_err(store_error).map(i64::unsigned_abs)
    }
}

/// The numbers of the letters that match, as one JSON argument.
async fn ids(
    connection: &mut SqliteConnection,
    filter: &DeadLetterFilter,
    states: &[DeadLetterState],
) -> Result<String, StoreError> {
    let rows = fetch(connection, filtered(sql!("dead_letter_ids"), filter, states)).await?;
    let ids: Result<Vec<i64>, _> = rows.iter().map(|row| Cells::of("dead_letter", row).get("id")).collect();
    ids.map(json::list)
}

/// No states means all.
fn filtered(sql: &'static str, filter: &DeadLetterFilter, states: &[DeadLetterState]) -> Query {
    let ids = (!filter.ids.is_empty()).then(|| json::list(&filter.ids));
    let states = (!states.is_empty()).then(|| json::list(states));
    sqlx::query(sql)
        .bind(ids)
        .bind(filter.envelope.map(|envelope| envelope.0))
        .bind(filter.reason.clone())
        .bind(filter.processor.clone())
        .bind(filter.source.clone())
        .bind(filter.since.map(to_micros))
        .bind(filter.until.map(to_micros))
        .bind(states)
        .bind(filter.limit.map_or(-1, i64::from))
}

fn letter_row(query: BulkQuery, letter: &Kept) -> BulkQuery {
    query
        .bind(letter.processor.clone())
        .bind(letter.account.clone())
        .bind(letter.event_key.clone())
        .bind(letter.envelope.source.as_str().to_owned())
        .bind(letter.reason.clone())
        .bind(letter.detail.clone())
        .bind(letter.amount.clone())
        .bind(letter.currency.clone())
        .bind(letter.attempts)
        .bind(to_micros(letter.failed_at))
        .bind(to_micros(letter.failed_at))
        .bind(letter.envelope.id.0)
}

fn failure_row(query: BulkQuery, letter: &Kept) -> BulkQuery {
    query
        .bind(letter.processor.clone())
        .bind(letter.account.clone())
        .bind(letter.event_key.clone())
        .bind(letter.envelope.id.0)
        .bind(letter.reason.clone())
        .bind(letter.detail.clone())
        .bind(to_micros(letter.failed_at))
        .bind(letter.attempts)
}
