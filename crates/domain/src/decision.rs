//! Decisions: what a processor says of one event, and the data of its effect.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Adjustment, Amount, Detail, DetailField, Document, Earning, Email, Event, FactKind, Payment, PersonId, Reads,
    State, Term,
};

/// A stable word for why something was not applied, such as `wrong_amount`. Scripts and metrics
/// rely on it; sentences for people go into a detail beside it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    pub const fn new(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// A word that came back from a queue or a table.
    pub fn read(word: String) -> Self {
        Self(Cow::Owned(word))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The words that more than one crate says. A processor's own stand beside its rule.
pub mod reasons {
    use super::Reason;

    /// Nobody wants facts of this kind.
    pub const UNWANTED_TYPE: Reason = Reason::new("unwanted_type");
    /// A field that the rule needs is missing.
    pub const MISSING_FIELD: Reason = Reason::new("missing_field");
    /// A text that stands where an e-mail address must, and cannot be one.
    pub const BAD_EMAIL: Reason = Reason::new("bad_email");
    /// Verified bytes that are no message of this provider.
    pub const UNPARSEABLE: Reason = Reason::new("unparseable");
    /// The configuration no longer has this source.
    pub const UNKNOWN_SOURCE: Reason = Reason::new("unknown_source");
    /// The same fact came again with other contents.
    pub const CONFLICTING_DUPLICATE: Reason = Reason::new("conflicting_duplicate");
    /// The processor panicked on this event.
    pub const PANICKED: Reason = Reason::new("panicked");
    /// This delivery was handed out and never settled too often: it probably kills the process.
    pub const KILLS_WORKER: Reason = Reason::new("kills_worker");
    /// The store refused this event's effect again and again.
    pub const STORE_REFUSED: Reason = Reason::new("store_refused");
    /// The queue gave up on it without our headers.
    pub const BROKER_DEAD_LETTERED: Reason = Reason::new("broker_dead_lettered");
}

/// A permanent fault: the event can never be applied as it is, and an operator must see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub reason: Reason,
    /// One sentence for the operator. No personal data: it is logged.
    pub detail: String,
    /// The money at stake.
    pub amount: Option<Amount>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Apply(Vec<Change>),
    /// Not for this processor; final for redeliveries.
    Ignore(Reason),
    /// A lawful no; recorded and final.
    Reject(Reason),
    /// Something it needs has not arrived: try again later, at last a dead letter of this reason.
    Defer(Fault),
    Fail(Fault),
}

/// One change of the records. Data, so that a decision can be asserted without a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Inserts the person and their first address.
    RegisterPerson {
        person: PersonId,
        email: Email,
    },
    /// Replaces one detail. Only said when the new stamp is the greater one.
    SetDetail {
        person: PersonId,
        field: DetailField,
        detail: Detail,
    },
    RecordPayment(Payment),
    AdjustPayment(Adjustment),
    /// Writes the term and a line of its journal; `was` is the term before.
    SetTerm {
        term: Term,
        was: Option<Term>,
    },
    /// Writes what is now known of a document.
    SetDocument(Document),
    /// Records what was earned and moves the points: all of one event in one transaction of the
    /// ledger.
    Earn(Box<Earning>),
    /// Tells the other processors. Dropped when nobody subscribes.
    Emit(Announcement),
}

/// An internal event. It carries ids only: whoever wants more reads the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    MemberRegistered { person: PersonId },
}

/// Pure code that decides on events. Holds its rules, reads no clock, does no I/O.
pub trait Processor: Send + Sync {
    /// A stable word: queue name, metric label and part of every permanent key.
    fn name(&self) -> &'static str;

    /// The kinds of fact it wants to hear of.
    fn wants(&self) -> &'static [FactKind];

    /// What `decide` will read. Asked only for events of a wanted kind.
    fn reads(&self, event: &Event) -> Reads;

    /// Decides on one event of a wanted kind. `state` holds all that `reads` asked for, with the
    /// changes of earlier events of the batch.
    fn decide(&self, event: &Event, state: &State) -> Decision;
}

/// What was recorded for an event that is settled for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Applied,
    Ignored,
    Rejected,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Ignored => "ignored",
            Self::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Applied, Self::Ignored, Self::Rejected].into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// A row of `processed`: this processor has settled this fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub outcome: Outcome,
    pub digest: crate::EventDigest,
}
