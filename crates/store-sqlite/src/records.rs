//! The read side.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::{Email, Envelope, EnvelopeId, PersonId, ProcessorName};
use rollbook_sqlite::to_micros;
use rollbook_store::{EventFilter, EventRow, MemberRow, PersonRecords, Records, Snapshot, StoreError, read};

use crate::snapshot::SqliteSnapshot;
use crate::statements::{execute, fetch, sql};
use crate::{SqliteStore, json, load};

#[async_trait]
impl Records for SqliteStore {
    async fn person(&self, email: &Email) -> Result<Option<PersonRecords>, StoreError> {
        let mut view = self.view().await?;
        let known = load::known(&mut view, &BTreeSet::from([email.clone()]), &BTreeSet::new()).await?;
        let state = load::people(&mut view, &known).await?;
        let documents = load::documents_of(&mut view, &known).await?;
        Ok(PersonRecords::of(state, documents, email))
    }

    async fn members(&self, limit: Option<u32>) -> Result<Vec<MemberRow>, StoreError> {
        let query = sqlx::query(sql!("members")).bind(limit.map_or(-1, i64::from));
        fetch(&self.readers, query).await?.iter().map(read::member).collect()
    }

    async fn addresses(&self, people: &[PersonId]) -> Result<BTreeMap<PersonId, String>, StoreError> {
        let query = sqlx::query(sql!("first_addresses")).bind(json::uuids(people.iter().map(|person| person.0)));
        fetch(&self.readers, query).await?.iter().map(read::address).collect()
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
        fetch(&self.readers, query).await?.iter().map(read::event).collect()
    }

    async fn envelope(&self, id: EnvelopeId) -> Result<Option<Envelope>, StoreError> {
        fetch(&self.readers, sqlx::query(sql!("envelope")).bind(id.0)).await?.first().map(read::envelope).transpose()
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
        let events = self.events(filter).await?;
        let chosen = EventRow::requests(&events, to).into_iter().map(|(to, envelope)| (to, json::hex(envelope.0)));
        let query = sqlx::query(sql!("event_replay_outbox")).bind(json::list(chosen)).bind(redecide);
        let mut writing = self.writer.begin().await?;
        let put = execute(writing.connection(), query).await?;
        writing.commit().await?;
        Ok(put)
    }

    async fn prune_envelopes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut writing = self.writer.begin().await?;
        let query = sqlx::query(sql!("envelope_prune")).bind(to_micros(before)).bind(limit);
        let pruned = execute(writing.connection(), query).await?;
        writing.commit().await?;
        Ok(pruned)
    }
}
