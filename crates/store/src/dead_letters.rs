//! Dead letters: one row a processor, account and event key.

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::{Envelope, EnvelopeId};
use serde::Serialize;

use crate::StoreError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterState {
    /// Waits for an operator.
    Open,
    /// Sent again; its effect will resolve it, another failure reopen it.
    Replaying,
    Resolved,
    Discarded,
}

impl DeadLetterState {
    pub const ALL: [Self; 4] = [Self::Open, Self::Replaying, Self::Resolved, Self::Discarded];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Replaying => "replaying",
            Self::Resolved => "resolved",
            Self::Discarded => "discarded",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What the keeper hands over. The fields are those of the queue's failure; the ports do not know
/// each other, so the worker copies them.
#[derive(Clone, Debug)]
pub struct Kept {
    pub processor: String,
    pub account: String,
    pub event_key: String,
    pub reason: String,
    pub detail: String,
    pub amount: Option<String>,
    pub currency: Option<String>,
    pub attempts: u32,
    pub failed_at: Timestamp,
    pub envelope: Envelope,
}

/// One row, in the shape that `dead-letters list --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    pub id: i64,
    pub processor: String,
    pub source: String,
    pub event_key: String,
    pub reason: String,
    pub detail: String,
    /// A decimal string.
    pub amount: Option<String>,
    pub currency: Option<String>,
    /// Attempts of the last failure.
    pub attempts: u32,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub state: DeadLetterState,
    pub envelope: EnvelopeId,
    /// How often it became a dead letter.
    pub failures: u32,
}

/// One failure of a letter. The letter itself tells only the newest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetterFailure {
    pub envelope: EnvelopeId,
    pub reason: String,
    pub detail: String,
    pub attempts: u32,
    pub failed_at: Timestamp,
}

/// Rows that match every given part. The default matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterFilter {
    pub ids: Vec<i64>,
    /// Of any failure of the letter.
    pub envelope: Option<EnvelopeId>,
    pub reason: Option<String>,
    pub processor: Option<String>,
    pub source: Option<String>,
    /// Last seen at or after.
    pub since: Option<Timestamp>,
    /// Last seen before.
    pub until: Option<Timestamp>,
    /// Any of these; empty means all.
    pub states: Vec<DeadLetterState>,
    /// At most this many, oldest first.
    pub limit: Option<u32>,
}

impl DeadLetterFilter {
    /// What a replay marks: the open ones, unless others are named.
    pub fn replayed(&self) -> &[DeadLetterState] {
        if self.states.is_empty() { &[DeadLetterState::Open] } else { &self.states }
    }

    /// Whether open ones match, which alone can be discarded.
    pub fn discards(&self) -> bool {
        self.states.is_empty() || self.states.contains(&DeadLetterState::Open)
    }
}

/// One cause: same processor, source and reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetterGroup {
    pub processor: String,
    pub source: String,
    pub reason: String,
    pub count: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
}

#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Inserts, or reopens with the newest reason. Also keeps the envelopes. Durable when `Ok`.
    /// A fact that its processor has applied or rejected meanwhile is kept as resolved, unless the
    /// reason is `conflicting_duplicate`; an ignored one may be decided again, so its letter stays
    /// open. Every failure enters the history, once for each envelope and moment.
    async fn keep(&self, letters: &[Kept]) -> Result<(), StoreError>;

    /// Oldest first.
    async fn dead_letters(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError>;

    /// The failures of one letter, oldest first. Empty if there is no such letter.
    async fn dead_letter_history(&self, id: i64) -> Result<Vec<DeadLetterFailure>, StoreError>;

    /// Largest first.
    async fn dead_letter_groups(&self, filter: &DeadLetterFilter) -> Result<Vec<DeadLetterGroup>, StoreError>;

    /// Marks the matching open rows (and those that `filter.states` names) as replaying and puts
    /// one outbox row for each envelope in a letter's history that is still kept, oldest failure
    /// first, in one transaction. A letter whose newest envelope was pruned stays as it is. Returns
    /// how many letters were marked. With `redecide`, an ignored outcome of the same fact may be
    /// replaced.
    async fn replay(&self, filter: &DeadLetterFilter, redecide: bool) -> Result<u64, StoreError>;

    /// Marks the matching open rows as discarded. A replaying one is not the operator's to discard:
    /// its effect may be on its way. Returns how many.
    async fn discard(&self, filter: &DeadLetterFilter) -> Result<u64, StoreError>;

    /// How many are open.
    async fn open_dead_letters(&self) -> Result<u64, StoreError>;
}
