//! Dead letters.

use std::sync::LazyLock;

use async_trait::async_trait;
use rollbook_domain::EnvelopeId;
use rollbook_sqlite::{Bulk, BulkQuery, to_micros};
use rollbook_store::{
    DeadLetter, DeadLetterFailure, DeadLetterFilter, DeadLetterGroup, DeadLetterState, DeadLetters, Kept, StoreError,
};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Sqlite, SqliteConnection};

use crate::cells::Cells;
use crate::fault::store_error;
use crate::statements::{bulk, sql};
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
        let query = sqlx::query(sql!("dead_letter_resolve_settled")).bind(json::list(names));
        query.execute(connection).await.map_err(store_error)?;
        writing.commit().await
    }

    async fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = filtered(sql!("dead_letters"), filter, &filter.states).fetch_all(&self.readers).await;
        rows.map_err(store_error)?.iter().map(letter).collect()
    }

    async fn dead_letter_history(&self, id: i64) -> Result<Vec<DeadLetterFailure>, StoreError> {
        let rows = sqlx::query(sql!("dead_letter_history")).bind(id).fetch_all(&self.readers).await;
        rows.map_err(store_error)?.iter().map(failure).collect()
    }

    async fn dead_letter_groups(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetterGroup>, StoreError> {
        let rows = filtered(sql!("dead_letter_groups"), filter, &filter.states).fetch_all(&self.readers).await;
        rows.map_err(store_error)?.iter().map(group).collect()
    }

    async fn replay(&self, filter: &DeadLetterFilter, redecide: bool) -> Result<u64, StoreError> {
        let named = filter.states.as_slice();
        let states = if named.is_empty() { &[DeadLetterState::Open] } else { named };
        let mut writing = self.writer.begin().await?;
        let ids = ids(writing.connection(), filter, states).await?;
        let outbox = sqlx::query(sql!("dead_letter_replay_outbox")).bind(ids.clone()).bind(redecide);
        outbox.execute(writing.connection()).await.map_err(store_error)?;
        let marked = sqlx::query(sql!("dead_letter_replay")).bind(ids).execute(writing.connection()).await;
        let marked = marked.map_err(store_error)?.rows_affected();
        writing.commit().await?;
        Ok(marked)
    }

    async fn discard(&self, filter: &DeadLetterFilter) -> Result<u64, StoreError> {
        if !filter.states.is_empty() && !filter.states.contains(&DeadLetterState::Open) {
            return Ok(0);
        }
        let mut writing = self.writer.begin().await?;
        let ids = ids(writing.connection(), filter, &[DeadLetterState::Open]).await?;
        let marked = sqlx::query(sql!("dead_letter_discard")).bind(ids).execute(writing.connection()).await;
        let marked = marked.map_err(store_error)?.rows_affected();
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
    let rows = filtered(sql!("dead_letter_ids"), filter, states).fetch_all(connection).await.map_err(store_error)?;
    let ids: Result<Vec<i64>, _> = rows.iter().map(|row| Cells::of("dead_letter", row).get("id")).collect();
    ids.map(json::list)
}

/// No states means all.
fn filtered(
    sql: &'static str,
    filter: &DeadLetterFilter,
    states: &[DeadLetterState],
) -> sqlx::query::Query<'static, Sqlite, SqliteArguments> {
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

fn failure(row: &SqliteRow) -> Result<DeadLetterFailure, StoreError> {
    let cells = Cells::of("dead_letter_failure", row);
    Ok(DeadLetterFailure {
        envelope: EnvelopeId(cells.uuid("envelope")?),
        reason: cells.get("reason")?,
        detail: cells.get("detail")?,
        attempts: cells.count("attempts")?,
        failed_at: cells.instant("failed_at")?,
    })
}

fn letter(row: &SqliteRow) -> Result<DeadLetter, StoreError> {
    let cells = Cells::of("dead_letter", row);
    Ok(DeadLetter {
        id: cells.get("id")?,
        processor: cells.get("processor")?,
        source: cells.get("source")?,
        event_key: cells.get("event_key")?,
        reason: cells.get("reason")?,
        detail: cells.get("detail")?,
        amount: cells.maybe_text("amount")?,
        currency: cells.maybe_text("currency")?,
        attempts: cells.count("attempts")?,
        first_seen: cells.instant("first_seen")?,
        last_seen: cells.instant("last_seen")?,
        state: cells.read("state", DeadLetterState::parse)?,
        envelope: EnvelopeId(cells.uuid("envelope")?),
        failures: cells.count("failures")?,
    })
}

fn group(row: &SqliteRow) -> Result<DeadLetterGroup, StoreError> {
    let cells = Cells::of("dead_letter", row);
    Ok(DeadLetterGroup {
        processor: cells.get("processor")?,
        source: cells.get("source")?,
        reason: cells.get("reason")?,
        count: cells.count("letters")?,
        first_seen: cells.instant("first_seen")?,
        last_seen: cells.instant("last_seen")?,
    })
}
