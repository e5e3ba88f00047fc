//! What every loop of a worker is given. Built once by whoever reads the configuration.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rollbook_domain::{Clock, FactKind, ProcessorName};
use rollbook_telemetry::Metrics;

use crate::{InFlight, RetrySchedule, Sources};

/// Evenly spread over all of `u64`. Only jitter is drawn from it.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Who hears of an internal event. A kind without an entry is announced to nobody.
pub type Subscribers = HashMap<FactKind, Vec<ProcessorName>>;

pub struct Context {
    pub sources: Sources,
    pub schedule: RetrySchedule,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub random: Random,
    /// Digest of the configuration in force; stored with every outcome.
    pub rules: String,
    pub subscribers: Subscribers,
    pub options: Options,
    /// What all loops of this process hold together.
    pub in_flight: InFlight,
}

/// Sizes and times. The defaults are those of the design and suit both sizes of installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Deliveries a transaction, at most.
    pub batch_max: usize,
    /// How long a batch that is not full waits for more.
    pub gather: Duration,
    /// How long one call waits for the first delivery. A drain notices the token after at most
    /// this long, because a receive is never broken off.
    pub receive_wait: Duration,
    /// Tries in place of a transaction that another writer beat, before the batch is split.
    pub tries_in_place: u32,
    /// How long the store may be away before deliveries in hand go back to the queue.
    pub outage_bound: Duration,
    /// From this many redeliveries on, a delivery is taken to kill the process.
    pub kills_from_redelivery: u32,
    /// When the keeper tries again with a letter that the store refused.
    pub keeper_retry: Duration,
    /// How often an empty outbox is looked at.
    pub relay_every: Duration,
    pub gauges_every: Duration,
    /// Between two looks at what found no queue.
    pub unrouted_every: Duration,
    pub prune_every: Duration,
    /// How long raw envelopes are kept.
    pub retention: Duration,
}

const DAY: Duration = Duration::from_hours(24);

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_max: 256,
            gather: Duration::from_millis(5),
            receive_wait: Duration::from_millis(250),
            tries_in_place: 10,
            outage_bound: Duration::from_mins(1),
            kills_from_redelivery: 20,
            keeper_retry: Duration::from_mins(1),
            relay_every: Duration::from_millis(200),
            gauges_every: Duration::from_secs(5),
            unrouted_every: Duration::from_secs(5),
            prune_every: Duration::from_hours(1),
            retention: DAY * 90,
        }
    }
}
