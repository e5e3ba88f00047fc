//! The audit: what the service recorded, held against what its sender knows.
//!
//! It reads the records and the sender's own record and nothing in between, so it finds what a
//! service that only checks itself cannot: an event that it never noticed it had lost. What had no
//! answer may stand or not, but at most once.

mod effects;
mod facts;
mod finding;
mod recorded;
mod standing;

use jiff::tz::TimeZone;
use rollbook_store::{Check, DeadLetters, Records, StoreError};
use serde::Serialize;
use thiserror::Error;

pub use recorded::Recorded;

use crate::Record;
use facts::Facts;
pub(crate) use facts::{Claim, FactId};
use finding::Findings;
pub(crate) use standing::{Rows, Standing};

#[derive(Debug, Error)]
pub enum AuditError {
    /// The caller tries again or looks at the store.
    #[error("the records cannot be read")]
    Store(#[source] StoreError),
}

#[derive(Clone, Debug)]
pub struct AuditOptions {
    /// The organisation's: payment dates are calendar dates in it.
    pub zone: TimeZone,
    /// Whether the missing plan was added and its dead letters were replayed.
    pub mended: bool,
    pub scope: Scope,
}

impl AuditOptions {
    /// The whole store, before anything was mended.
    pub fn new(zone: TimeZone) -> Self {
        Self { zone, mended: false, scope: Scope::Whole }
    }
}

/// What of the store is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything: the store was empty before the run.
    Whole,
    /// What carries this run's tag ([`crate::Stream::tag`]); all else belongs to others.
    Run(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audit {
    pub checks: Vec<Check>,
    /// Of the first broken ones, at most 20. Ids only, no addresses.
    pub explanations: Vec<String>,
}

impl Audit {
    pub fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.broken == 0)
    }
}

/// Loads the records and checks them. The caller waits until all is processed: what is still
/// queued looks lost.
pub async fn audit(
    record: &Record,
    db: &(impl Records + DeadLetters + ?Sized),
    options: &AuditOptions,
) -> Result<Audit, AuditError> {
    let recorded = Recorded::load(db).await.map_err(AuditError::Store)?;
    Ok(check(record, &recorded, options))
}

/// The same over records that are loaded already.
pub fn check(record: &Record, recorded: &Recorded, options: &AuditOptions) -> Audit {
    let facts = Facts::of(record, options.mended);
    let rows = Rows::of(record, recorded);
    let mut findings = Findings::default();
    standing::answers(record, &mut findings);
    standing::accepted_are_recorded(&facts, &rows, &mut findings);
    standing::as_expected(&facts, &rows, &mut findings);
    standing::refused_are_not_recorded(&facts, &rows, &mut findings);
    standing::every_replay_ended(&facts, &rows, &options.scope, &mut findings);
    standing::nothing_unsent(&facts, &rows, &options.scope, &mut findings);
    effects::check(&facts, &rows, recorded, options, &mut findings);
    findings.audit()
}

#[cfg(test)]
pub(crate) mod tests;
