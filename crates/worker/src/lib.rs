//! The worker: receive, translate, plan, commit, settle.
//!
//! The imperative shell between the queue and the store. Every rule lives elsewhere: translators
//! say what a callback means, processors say what follows from it, and this crate only sees to it
//! that each event has its effect once or ends among the dead letters. It is cut by step, so that
//! each can be read and tested alone: [`Sources`] turns bytes into events before a transaction is
//! open; one transaction decides and writes a batch; the outcomes fold into one settlement a
//! delivery; `recovery` alone knows what to do when the store fails. A single long function that
//! decides, persists and publishes in turn was the shape to avoid.
//!
//! Beside [`run_processor`] run six small loops: [`run_keeper`] (dead letters into the store),
//! [`run_relay`] (outbox to queue), [`run_unrouted`] (what found no queue), [`run_reporter`] (what we
//! hold into the store), [`run_gauges`] and [`run_prune`]. Each ends soon after its token
//! is cancelled, with nothing in hand.

mod announce;
mod backoff;
mod consume;
mod context;
mod gauges;
mod in_flight;
mod keeper;
mod meters;
mod outcome;
mod patience;
mod prepare;
mod processor;
mod prune;
mod recovery;
mod relay;
mod reporter;
mod schedule;
mod transact;
mod translate;
mod unrouted;

#[cfg(test)]
mod fakes;
#[cfg(test)]
mod tests;

pub use announce::INTERNAL_SOURCE;
pub use context::{Context, Options, Random, Subscribers};
pub use gauges::run_gauges;
pub use in_flight::InFlight;
pub use keeper::run_keeper;
pub use processor::run_processor;
pub use prune::run_prune;
pub use relay::run_relay;
pub use reporter::run_reporter;
pub use schedule::RetrySchedule;
pub use translate::{Source, Sources};
pub use unrouted::run_unrouted;
