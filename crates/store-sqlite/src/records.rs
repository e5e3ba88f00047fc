//! The read side.

use std::collections::{BTreeSet, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::{Email, Envelope, EnvelopeId, PersonId, ProcessorName, State};
use rollbook_sqlite::to_micros;
use rollbook_store::{EventFilter, EventRow, MemberRow, PersonRecords, Records, Snapshot, StoreError};
use sqlx::sqlite::SqliteRow;

use crate::cells::Cells;
use crate::envelopes::envelope;
use crate::fault::store_error;
use crate::snapshot::SqliteSnapshot;
use crate::statements::sql;
use crate::{SqliteStore, json, load};

#[async_trait]
impl Records for SqliteStore {
    async fn person(&self, email: &Email) -> Result<Option<PersonRecords>, StoreError> {
        let mut view = self.view().await?;
        let known = load::known(&mut view, &BTreeSet::from([email.clone()]), &BTreeSet::new()).await?;
        let state = load::people(&mut view, &known).await?;
        let documents = load::documents_of(&mut view, &known).await?;
        Ok(state.person(email).cloned().map(|person| PersonRecords {
            payments: state.payments_of(person.id).cloned().collect(),
            adjustments: adjustments(&state),
            terms: state.terms.values().cloned().collect(),
            person,
            documents,
        }))
    }

    async fn members(&self, limit: Option<u32>) -> Result<Vec<MemberRow>, StoreError> {
        let query = sqlx::query(sql!("members")).bind(limit.map_or(-1, i64::from));
        query.fetch_all(&self.readers).await.map_err(store_error)?.iter().map(member).collect()
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRow>, StoreError> {
        // Two texts, because only one of them can use the index of envelopes.
        let text = if filter.envelope.is_some() { sql!("events_of_envelope") } else { sql!("events") };
        let query = sqlx::query(text)
            .bind(filter.envelope.map(|envelope| envelope.0))
            .bind(filter.source.clone())
            .bind(filter.processor.clone())
            .bind(filter.outcome.clone())
            .bind(filter.reason.clone())
            .bind(filter.kind.clone())
            .bind(filter.event_key.clone())
            .bind(filter.since.map(to_micros))
            .bind(filter.until.map(to_micros))
            .bind(filter.limit.map_or(-1, i64::from));
        query.fetch_all(&self.readers).await.map_err(store_error)?.iter().map(event).collect()
    }

    async fn envelope(&self, id: EnvelopeId) -> Result<Option<Envelope>, StoreError> {
        let row = sqlx::query(sql!("envelope")).bind(id.0).fetch_optional(&self.readers).await.map_err(store_error)?;
        row.as_ref().map(envelope).transpose()
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(SqliteSnapshot::new(self.view().await?)))
    }

    async fn replay_events(
        &self,
        filter: &EventFilter,
        to: Option<&ProcessorName>,
        redecide: bool,
    ) -> Result<u64, StoreError> {
        // Read before the lock is taken: rows of `processed` never go.
        let chosen = requests(&self.events(filter).await?, to);
        let mut writing = self.writer.begin().await?;
        let query = sqlx::query(sql!("event_replay_outbox")).bind(chosen).bind(redecide);
        let put = query.execute(writing.connection()).await.map_err(store_error)?.rows_affected();
        writing.commit().await?;
        Ok(put)
    }

    async fn prune_envelopes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut writing = self.writer.begin().await?;
        let query = sqlx::query(sql!("envelope_prune")).bind(to_micros(before)).bind(limit);
        let pruned = query.execute(writing.connection()).await.map_err(store_error)?.rows_affected();
        writing.commit().await?;
        Ok(pruned)
    }
}

/// Processor (its own, or `to`) and envelope of each, once, oldest first, as one JSON argument.
fn requests(newest_first: &[EventRow], to: Option<&ProcessorName>) -> String {
    let mut met = HashSet::new();
    let processor = |row: &EventRow| to.map_or_else(|| row.processor.clone(), ToString::to_string);
    let oldest_first = newest_first.iter().rev().map(|row| (processor(row), json::hex(row.envelope.0)));
    json::list(oldest_first.filter(|request| met.insert(request.clone())))
}

fn adjustments(state: &State) -> Vec<rollbook_domain::Adjustment> {
    state.adjustments.values().flatten().cloned().collect()
}

fn member(row: &SqliteRow) -> Result<MemberRow, StoreError> {
    let cells = Cells::of("person", row);
    let shown = cells.maybe_text("address")?.map(|address| address.trim().to_owned());
    Ok(MemberRow {
        id: PersonId(cells.uuid("id")?),
        name: cells.maybe_text("name")?,
        email: shown.map_or_else(|| cells.get("normal"), Ok)?,
        membership_expires: cells.maybe_date("membership_expires")?,
        waiver_expires: cells.maybe_date("waiver_expires")?,
    })
}

pub fn event(row: &SqliteRow) -> Result<EventRow, StoreError> {
    let cells = Cells::of("processed", row);
    Ok(EventRow {
        event_key: cells.get("event_key")?,
        envelope: EnvelopeId(cells.uuid("envelope")?),
        source: cells.get("source")?,
        processor: cells.get("processor")?,
        kind: cells.get("kind")?,
        outcome: cells.get("outcome")?,
        reason: cells.maybe_text("reason")?,
        rules: cells.get("rules")?,
        occurred_at: cells.instant("occurred_at")?,
        processed_at: cells.instant("processed_at")?,
    })
}
