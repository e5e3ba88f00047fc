//! What one commit of one processor writes.

use jiff::Timestamp;
use rollbook_domain::{
    Change, Envelope, EnvelopeId, EventDigest, FactKind, FactRef, Outcome, ProcessorName, Reason, SourceName,
};
use rollbook_ledger::{Answer, Command, Verdict};
use thiserror::Error;

use crate::{Outgoing, StoreError};

#[derive(Clone, Debug)]
pub struct Batch {
    pub processor: ProcessorName,
    /// The digest of the configuration in force.
    pub rules: String,
    pub processed_at: Timestamp,
    /// Kept so that anything recorded can be replayed; one that is already there stays.
    pub envelopes: Vec<Envelope>,
    /// In the order in which they were decided.
    pub settled: Vec<SettledEvent>,
    /// Facts of this batch that were settled before: they change nothing, but a dead letter that
    /// still stands for one is resolved (an open letter of an ignored fact is not: that fact was
    /// decided again and failed).
    pub duplicates: Vec<FactRef>,
    /// Envelopes of which every event is settled for good, in this batch or before. A dead letter
    /// whose key begins `other:` stands for a request that could not be read, so no fact resolves
    /// it: its envelope does.
    pub settled_envelopes: Vec<EnvelopeId>,
    /// What others must hear.
    pub outgoing: Vec<Outgoing>,
    /// Executed after everything that waits for others, recorded at `processed_at`. If one of them is not applied,
    /// now or when it was decided before, the write is `Refused`.
    pub commands: Vec<Command>,
}

impl Batch {
    /// `Refused` unless every command of a batch was applied.
    pub fn accept(answers: Vec<Answer>) -> Result<(), StoreError> {
        let refusal = answers.into_iter().find_map(|answer| match answer.verdict {
            Verdict::Applied => None,
            Verdict::Rejected(refusal) => Some(refusal),
        });
        refusal.map_or(Ok(()), |refusal| Err(StoreError::Refused(CommandRejected(refusal.reason).into())))
    }
}

#[derive(Debug, Error)]
#[error("the ledger refused a command of this batch: {0}")]
struct CommandRejected(Reason);

/// One event that is settled for good, with its effect.
#[derive(Clone, Debug)]
pub struct SettledEvent {
    pub fact: FactRef,
    pub source: SourceName,
    pub envelope: EnvelopeId,
    pub kind: FactKind,
    pub occurred_at: Timestamp,
    pub digest: EventDigest,
    pub outcome: Outcome,
    /// Present unless applied.
    pub reason: Option<Reason>,
    /// Empty unless applied.
    pub changes: Vec<Change>,
    /// It replaces an ignored row.
    pub redecided: bool,
}
