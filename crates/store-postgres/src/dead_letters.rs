//! Dead letters.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use rollbook_store::cells::Cells;
use rollbook_store::{
    DeadLetter, DeadLetterFailure, DeadLetterFilter, DeadLetterGroup, DeadLetterState, DeadLetters, Kept, StoreError,
    read,
};
use sqlx::PgConnection;

use crate::fault::store_error;
use crate::statements::{Query, column, execute, fetch, sql};
use crate::{PostgresStore, envelopes};

#[async_trait]
impl DeadLetters for PostgresStore {
    async fn keep(&self, letters: &[Kept]) -> Result<(), StoreError> {
        let call = async {
            let mut alone = self.begin_alone().await?;
            envelopes::keep(&mut alone, letters.iter().map(|letter| &letter.envelope)).await?;
            let rows: Vec<_> = newest(letters).into_values().collect();
            execute(&mut alone, upsert(&rows)).await?;
            execute(&mut alone, failures(letters)).await?;
            execute(&mut alone, resolve_settled(&rows)).await?;
            alone.commit().await.map_err(store_error)
        };
        self.patience.with(call).await
    }

    async fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        let query = filtered(sql!("dead_letters"), filter, &filter.states);
        self.ask(query).await?.iter().map(read::dead_letter).collect()
    }

    async fn dead_letter_history(&self, id: i64) -> Result<Vec<DeadLetterFailure>, StoreError> {
        self.ask(sqlx::query(sql!("dead_letter_history")).bind(id))
            .await?
            .iter()
            .map(read::dead_letter_failure)
            .collect()
    }

    async fn dead_letter_groups(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetterGroup>, StoreError> {
        let query = filtered(sql!("dead_letter_groups"), filter, &filter.states);
        self.ask(query).await?.iter().map(read::dead_letter_group).collect()
    }

    async fn replay(&self, filter: &DeadLetterFilter, redecide: bool) -> Result<u64, StoreError> {
        let call = async {
            let mut alone = self.begin_alone().await?;
            let ids = ids(&mut alone, filter, filter.replayed()).await?;
            let outbox = sqlx::query(sql!("dead_letter_replay_outbox")).bind(&ids).bind(redecide);
            execute(&mut alone, outbox).await?;
            let marked = execute(&mut alone, sqlx::query(sql!("dead_letter_replay")).bind(&ids)).await?;
            alone.commit().await.map_err(store_error)?;
            Ok(marked)
        };
        self.patience.with(call).await
    }

    async fn discard(&self, filter: &DeadLetterFilter) -> Result<u64, StoreError> {
        if !filter.discards() {
            return Ok(0);
        }
        let call = async {
            let mut alone = self.begin_alone().await?;
            let ids = ids(&mut alone, filter, &[DeadLetterState::Open]).await?;
            let marked = execute(&mut alone, sqlx::query(sql!("dead_letter_discard")).bind(&ids)).await?;
            alone.commit().await.map_err(store_error)?;
            Ok(marked)
        };
        self.patience.with(call).await
    }

    async fn open_dead_letters(&self) -> Result<u64, StoreError> {
        self.number(sql!("dead_letter_count_open")).await
    }
}

/// A row to be written.
struct Row<'k> {
    /// The last that was handed over.
    letter: &'k Kept,
    first_seen: Timestamp,
    last_seen: Timestamp,
    failures: i64,
}

/// One row a processor, account and event key: a statement must not meet a row twice.
fn newest(letters: &[Kept]) -> BTreeMap<[&str; 3], Row<'_>> {
    let mut rows: BTreeMap<_, Row<'_>> = BTreeMap::new();
    for letter in letters {
        let at = letter.failed_at;
        rows.entry([letter.processor.as_str(), &letter.account, &letter.event_key])
            .and_modify(|row| {
                (row.letter, row.failures, row.last_seen) = (letter, row.failures + 1, row.last_seen.max(at));
            })
            .or_insert(Row { letter, first_seen: at, last_seen: at, failures: 1 });
    }
    rows
}

fn upsert(rows: &[Row<'_>]) -> Query {
    sqlx::query(sql!("dead_letter_upsert"))
        .bind(column(rows, |row| row.letter.processor.as_str()))
        .bind(column(rows, |row| row.letter.account.as_str()))
        .bind(column(rows, |row| row.letter.event_key.as_str()))
        .bind(column(rows, |row| row.letter.envelope.source.as_str()))
        .bind(column(rows, |row| row.letter.reason.as_str()))
        .bind(column(rows, |row| row.letter.detail.as_str()))
        .bind(column(rows, |row| row.letter.amount.as_deref()))
        .bind(column(rows, |row| row.letter.currency.as_deref()))
        .bind(column(rows, |row| i64::from(row.letter.attempts)))
        .bind(column(rows, |row| row.first_seen.to_sqlx()))
        .bind(column(rows, |row| row.last_seen.to_sqlx()))
        .bind(column(rows, |row| row.letter.envelope.id.0))
        .bind(column(rows, |row| row.failures))
}

fn failures(letters: &[Kept]) -> Query {
    sqlx::query(sql!("dead_letter_failure_insert"))
        .bind(column(letters, |letter| letter.processor.as_str()))
        .bind(column(letters, |letter| letter.account.as_str()))
        .bind(column(letters, |letter| letter.event_key.as_str()))
        .bind(column(letters, |letter| letter.envelope.id.0))
        .bind(column(letters, |letter| letter.reason.as_str()))
        .bind(column(letters, |letter| letter.detail.as_str()))
        .bind(column(letters, |letter| letter.failed_at.to_sqlx()))
        .bind(column(letters, |letter| i64::from(letter.attempts)))
}

fn resolve_settled(rows: &[Row<'_>]) -> Query {
    sqlx::query(sql!("dead_letter_resolve_settled"))
        .bind(column(rows, |row| row.letter.processor.as_str()))
        .bind(column(rows, |row| row.letter.account.as_str()))
        .bind(column(rows, |row| row.letter.event_key.as_str()))
}

/// The numbers of the letters that match.
async fn ids(
    connection: &mut PgConnection,
    filter: &DeadLetterFilter,
    states: &[DeadLetterState],
) -> Result<Vec<i64>, StoreError> {
    let rows = fetch(connection, filtered(sql!("dead_letter_ids"), filter, states)).await?;
    rows.iter().map(|row| Cells::of("dead_letter", row).get("id")).collect()
}

/// No states means all.
fn filtered(sql: &'static str, filter: &DeadLetterFilter, states: &[DeadLetterState]) -> Query {
    sqlx::query(sql)
        .bind((!filter.ids.is_empty()).then(|| filter.ids.clone()))
        .bind(filter.envelope.map(|envelope| envelope.0))
        .bind(filter.reason.as_deref())
        .bind(filter.processor.as_deref())
        .bind(filter.source.as_deref())
        .bind(filter.since.map(ToSqlx::to_sqlx))
        .bind(filter.until.map(ToSqlx::to_sqlx))
        .bind((!states.is_empty()).then(|| column(states, |state| state.as_str())))
        .bind(filter.limit.map(i64::from))
}
