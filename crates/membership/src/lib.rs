//! The membership processor: captured payments become terms of membership.
//!
//! Terms are a fold over what is recorded of a person (see [`fold`]), not a step from the term
//! before: a payment that arrives late, a refund that arrives before the next payment and a replay
//! a year later all end in the same terms. Every rule reads the event's own time, the records and
//! [`Rules`]; none reads a clock.
//!
//! Deciding from the terms alone ("extend what is stored") was rejected: its answer depends on the
//! order of arrival, and a refund could not give back the days that a later term had counted on.

mod dues;
mod fold;
mod processor;
pub mod reasons;
mod rules;

pub use fold::{fold, fold_payments};
pub use processor::{Membership, NAME};
pub use rules::{DEFAULT_PURPOSE, DEFAULT_RENEWAL_WINDOW_DAYS, Plan, Rules, RulesFault};
