//! The queue port: what Rollbook asks of any queue, and nothing that only one queue has.
//!
//! Delivery is at least once. A queue promises three things, and the conformance suite holds every
//! adapter to them: what `publish` answered `Ok` to survives a crash; what was not settled comes
//! again; a delivery that was handed out and never settled is counted, unless the queue can tell that
//! its own disk was at fault and the holder lived on.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod delivery;
mod error;
mod files;
mod memory;
mod port;

pub use delivery::{Delivery, DeliveryTag, Failure, Message, QueueDepth, Retry, Settled, Settlement};
pub use error::{PublishError, QueueError};
pub use files::{FileError, Held, QueueFiles};
pub use memory::MemoryQueue;
pub use port::{Consumer, Publisher, Queue};

/// The queue of deliveries that we stopped trying. A keeper drains it into the store.
pub const DEAD_LETTERS: &str = "dead-letters";

/// From this many redeliveries on, a delivery is handed out alone: it may be what kills the
/// process, and must not take its neighbours along.
pub const ALONE_FROM_REDELIVERY: u32 = 3;
