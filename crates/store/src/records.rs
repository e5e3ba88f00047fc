//! The read side: records, outcomes and one consistent snapshot for `verify`.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::{
    Adjustment, Document, Email, Envelope, EnvelopeId, Payment, Person, PersonId, ProcessorName, Seen, State, Term,
};
use serde::Serialize;

use crate::StoreError;

/// Everything recorded about one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRecords {
    pub person: Person,
    pub payments: Vec<Payment>,
    pub adjustments: Vec<Adjustment>,
    pub terms: Vec<Term>,
    /// Those with a waiver of this person.
    pub documents: Vec<Document>,
}

impl PersonRecords {
    /// Of the person with this address, of whom all is loaded, and nobody else.
    pub fn of(state: State, documents: Vec<Document>, email: &Email) -> Option<Self> {
        let person = state.person(email)?.clone();
        Some(Self {
            payments: state.payments_of(person.id).cloned().collect(),
            adjustments: state.adjustments.into_values().flatten().collect(),
            terms: state.terms.into_values().collect(),
            person,
            documents,
        })
    }
}

/// A line of `members list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    pub id: PersonId,
    pub name: Option<String>,
    /// As its owner wrote it.
    pub email: String,
    /// The greatest expiry of a term that has not ended.
    pub membership_expires: Option<jiff::civil::Date>,
    /// The greatest expiry of a waiver that was not voided.
    pub waiver_expires: Option<jiff::civil::Date>,
}

/// Rows that match every given part. The default matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    pub envelope: Option<EnvelopeId>,
    pub source: Option<String>,
    pub processor: Option<String>,
    pub outcome: Option<String>,
    pub reason: Option<String>,
    pub kind: Option<String>,
    pub event_key: Option<String>,
    /// Processed at or after.
    pub since: Option<Timestamp>,
    /// Processed before.
    pub until: Option<Timestamp>,
    /// At most this many, newest first; `None` gives all.
    pub limit: Option<u32>,
}

/// A settled event, in the shape that `events list --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventRow {
    pub envelope: EnvelopeId,
    pub source: String,
    pub processor: String,
    pub event_key: String,
    pub kind: String,
    pub outcome: String,
    pub reason: Option<String>,
    /// Digest of the configuration that was in force.
    pub rules: String,
    pub occurred_at: Timestamp,
    pub processed_at: Timestamp,
}

impl EventRow {
    /// Processor (its own, or `to`) and envelope of each, once, oldest first: what a replay sends.
    pub fn requests<'a>(newest_first: &'a [Self], to: Option<&'a ProcessorName>) -> Vec<(&'a str, EnvelopeId)> {
        let mut met = HashSet::new();
        let processor = |row: &'a Self| to.map_or(row.processor.as_str(), ProcessorName::as_str);
        let oldest_first = newest_first.iter().rev().map(|row| (processor(row), row.envelope));
        oldest_first.filter(|request| met.insert(*request)).collect()
    }
}

/// One invariant of `verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: String,
    pub checked: u64,
    pub broken: u64,
}

#[async_trait]
pub trait Records: Send + Sync {
    async fn person(&self, email: &Email) -> Result<Option<PersonRecords>, StoreError>;

    /// In order of the normalised first address; at most `limit`.
    async fn members(&self, limit: Option<u32>) -> Result<Vec<MemberRow>, StoreError>;

    /// The first address of each of these people, as its owner wrote it. Nobody who is not registered.
    async fn addresses(&self, people: &[PersonId]) -> Result<BTreeMap<PersonId, String>, StoreError>;

    async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRow>, StoreError>;

    async fn envelope(&self, id: EnvelopeId) -> Result<Option<Envelope>, StoreError>;

    /// One consistent view for as long as it lives.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Puts one outbox row for each processor and envelope of the events that match, oldest first,
    /// if the envelope is still kept. Returns how many. With `to`, all go to that processor, which need
    /// not have seen them. With `redecide`, an ignored outcome may be replaced.
    async fn replay_events(
        &self,
        filter: &EventFilter,
        to: Option<&ProcessorName>,
        redecide: bool,
    ) -> Result<u64, StoreError>;

    /// Deletes envelopes received before this moment that no open or replaying dead letter (by any
    /// of its failures) and no outbox row needs; at most `limit`. Returns how many.
    async fn prune_envelopes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

#[async_trait]
pub trait Snapshot: Send {
    /// The invariants that are relations between rows: applied row ⇔ effect, one term a payment,
    /// one waiver a document, one registration a person, journals that end at what stands, …
    async fn checks(&mut self) -> Result<Vec<Check>, StoreError>;

    /// The next people after `after` in order of id, with all their records (documents of their
    /// waivers too). Empty at the end.
    async fn people(&mut self, after: Option<PersonId>, limit: u32) -> Result<State, StoreError>;

    /// The outcome of every settled fact, by processor, of facts that begin with `prefix`.
    async fn outcomes(&mut self, prefix: &str) -> Result<Vec<(EventRow, Seen)>, StoreError>;
}
