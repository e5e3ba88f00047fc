//! The words of Rollbook and its pure core.
//!
//! Nothing here does I/O, reads a clock or draws randomness. A processor is a pair of functions,
//! [`Processor::reads`] and [`Processor::decide`]; [`plan`] runs one over a batch in memory; a store
//! makes the resulting [`Change`]s permanent. Because effects are data, every rule can be tested,
//! replayed and reordered without a database.

mod calendar;
mod decision;
mod digest;
mod earnings;
mod email;
mod envelope;
mod event;
mod ids;
mod money;
mod owner;
mod people;
mod plan;
mod records;
mod state;

pub use calendar::{a_year_after, date_in};
pub use decision::{Announcement, Change, Decision, Fault, Outcome, Processor, Reason, Seen, reasons};
pub use digest::EventDigest;
pub use earnings::{Capped, Earning, EarningKey, Paid, Period, Rate, Scope};
pub use email::Email;
pub use envelope::Envelope;
pub use event::{Amount, AmountFault, Capture, Completion, Dispute, DisputePhase, Event, Fact, FactKind, Refund};
pub use ids::{Account, DeliveryKey, EnvelopeId, EventKey, PersonId, ProcessorName, SourceName};
pub use money::{Currency, Money, MoneyFault};
pub use owner::{GroupId, Owner};
pub use people::{Introduction, Said, introduce};
pub use plan::{Verdict, compare, outcome, plan, reads};
pub use records::{
    Adjustment, AdjustmentKind, Detail, DetailField, Document, DocumentRef, EndReason, Ending, FactRef, Payment,
    PaymentRef, Person, Stamp, Term, Waiver,
};
pub use state::{Reads, State};

/// The present moment, as an argument. Shells are given one; tests give their own.
pub type Clock = std::sync::Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;
