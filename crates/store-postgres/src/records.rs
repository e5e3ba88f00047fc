//! The read side.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx;
use rollbook_domain::{Email, Envelope, EnvelopeId, PersonId, ProcessorName};
use rollbook_store::{EventFilter, EventRow, MemberRow, PersonRecords, Records, Snapshot, StoreError, read};

use crate::fault::store_error;
use crate::snapshot::PostgresSnapshot;
use crate::statements::{column, execute, sql};
use crate::{PostgresStore, load};

#[async_trait]
impl Records for PostgresStore {
    async fn person(&self, email: &Email) -> Result<Option<PersonRecords>, StoreError> {
        let call = async {
            let mut view = self.view().await?;
            let emails = BTreeSet::from([email.clone()]);
            let known = load::known(&mut view, sql!("person_ids"), &emails, &BTreeSet::new()).await?;
            let state = load::people(&mut view, &known).await?;
            let documents = load::documents_of(&mut view, &known).await?;
            Ok(PersonRecords::of(state, documents, email))
        };
        self.patience.with(call).await
    }

    async fn members(&self, limit: Option<u32>) -> Result<Vec<MemberRow>, StoreError> {
        let query = sqlx::query(sql!("members")).bind(limit.map(i64::from));
        self.ask(query).await?.iter().map(read::member).collect()
    }

    async fn addresses(&self, people: &[PersonId]) -> Result<BTreeMap<PersonId, String>, StoreError> {
        let ids: Vec<_> = people.iter().map(|person| person.0).collect();
        self.ask(sqlx::query(sql!("first_addresses")).bind(ids)).await?.iter().map(read::address).collect()
    }

    async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRow>, StoreError> {
        // Two texts, because only one of them is sure to use the index of envelopes.
        let text = if filter.envelope.is_some() { sql!("events_of_envelope") } else { sql!("events") };
        let query = sqlx::query(text)
            .bind(filter.envelope.map(|envelope| envelope.0))
            .bind(filter.source.as_deref())
            .bind(filter.processor.as_deref())
            .bind(filter.outcome.as_deref())
            .bind(filter.reason.as_deref())
            .bind(filter.kind.as_deref())
            .bind(filter.event_key.as_deref())
            .bind(filter.since.map(ToSqlx::to_sqlx))
            .bind(filter.until.map(ToSqlx::to_sqlx))
            .bind(filter.limit.map(i64::from));
        self.ask(query).await?.iter().map(read::event).collect()
    }

    async fn envelope(&self, id: EnvelopeId) -> Result<Option<Envelope>, StoreError> {
        self.ask(sqlx::query(sql!("envelope")).bind(id.0)).await?.first().map(read::envelope).transpose()
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.patience.with(async { Ok(PostgresSnapshot::of(self.view().await?).await?.boxed()) }).await
    }

    async fn replay_events(
        &self,
        filter: &EventFilter,
        to: Option<&ProcessorName>,
        redecide: bool,
    ) -> Result<u64, StoreError> {
        // Read before the lock is taken: rows of `processed` never go.
        let events = self.events(filter).await?;
        let chosen = EventRow::requests(&events, to);
        let call = async {
            // Alone, so that nobody prunes what is about to be sent.
            let mut alone = self.begin_alone().await?;
            let query = sqlx::query(sql!("event_replay_outbox"))
                .bind(column(&chosen, |(processor, _)| *processor))
                .bind(column(&chosen, |(_, envelope)| envelope.0))
                .bind(redecide);
            let put = execute(&mut alone, query).await?;
            alone.commit().await.map_err(store_error)?;
            Ok(put)
        };
        self.patience.with(call).await
    }

    async fn prune_envelopes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let call = async {
            let mut alone = self.begin_alone().await?;
            let query = sqlx::query(sql!("envelope_prune")).bind(before.to_sqlx()).bind(i64::from(limit));
            let pruned = execute(&mut alone, query).await?;
            alone.commit().await.map_err(store_error)?;
            Ok(pruned)
        };
        self.patience.with(call).await
    }
}
