//! What travels: messages in, deliveries out, settlements back.

use std::time::Duration;

use jiff::Timestamp;
use rollbook_domain::{Account, Envelope, EventKey, ProcessorName, Reason};
use serde::{Deserialize, Serialize};

/// One envelope on its way to one or more processors.
#[derive(Clone, Debug)]
pub struct Message {
    pub envelope: Envelope,
    /// At least one. Each gets a delivery of its own.
    pub to: Vec<ProcessorName>,
    /// An operator asked to decide anew on what was ignored.
    pub redecide: bool,
}

/// Names a delivery while this consumer holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryTag(pub u64);

/// One hand-over of an envelope to one processor.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub tag: DeliveryTag,
    pub envelope: Envelope,
    /// How many attempts were settled as "retry later" before this one.
    pub attempts: u32,
    /// How often it was handed out before without being settled.
    pub redeliveries: u32,
    pub redecide: bool,
    /// Why it is here. Only on the dead-letter queue, and there absent when the queue itself gave
    /// up on the delivery.
    pub failure: Option<Failure>,
}

/// Why one event of a delivery became a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub processor: ProcessorName,
    pub account: Account,
    pub event_key: EventKey,
    pub reason: Reason,
    /// One sentence for the operator, without personal data.
    pub detail: String,
    /// The money at stake, as a decimal string, and its currency.
    pub amount: Option<String>,
    pub currency: Option<String>,
    /// Attempts made, this one included.
    pub attempts: u32,
    pub failed_at: Timestamp,
}

/// The end of one delivery. Without dead letters and retry it is a plain acknowledgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Copies for the dead-letter queue, one an event. Durable before the delivery is gone.
    pub dead_letters: Vec<Failure>,
    pub retry: Option<Retry>,
}

impl Settlement {
    pub fn ack() -> Self {
        Self::default()
    }
}

/// The same envelope again, after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    pub after: Duration,
    /// What `Delivery::attempts` will say then.
    pub attempts: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub tag: DeliveryTag,
    pub settlement: Settlement,
}

/// What waits in one queue. `status` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QueueDepth {
    /// The processor, or `dead-letters`.
    pub processor: String,
    /// Due now and not handed out.
    pub ready: u64,
    pub in_flight: u64,
    /// Waiting for its time.
    pub retrying: u64,
    /// Seconds since the oldest of all these was first published; 0 when there is none.
    pub oldest_age_s: u64,
}
