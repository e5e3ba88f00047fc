//! The worker's metric handles, looked up once.

use std::time::Duration;

use prometheus::{Histogram, IntCounter};
use rollbook_queue::Settlement;
use rollbook_telemetry::Metrics;

use crate::outcome::Fate;

/// Deliveries of one queue by settlement.
pub(crate) struct DeliveryMeters {
    acked: IntCounter,
    retried: IntCounter,
    dead_lettered: IntCounter,
    released: IntCounter,
}

impl DeliveryMeters {
    pub(crate) fn new(metrics: &Metrics, queue: &str) -> Self {
        let of = |outcome| metrics.delivery_attempts.with_label_values(&[queue, outcome]);
        Self {
            acked: of("acked"),
            retried: of("retried"),
            dead_lettered: of("dead_lettered"),
            released: of("released"),
        }
    }

    /// A delivery that comes again is `retried`, even if one of its events is a dead letter.
    pub(crate) fn settled(&self, settlement: &Settlement) {
        if settlement.retry.is_some() {
            self.retried.inc();
        } else if settlement.dead_letters.is_empty() {
            self.acked.inc();
        } else {
            self.dead_lettered.inc();
        }
    }

    pub(crate) fn released(&self, deliveries: usize) {
        self.released.inc_by(u64::try_from(deliveries).unwrap_or(u64::MAX));
    }
}

/// Events and commits of one processor.
pub(crate) struct EventMeters {
    applied: IntCounter,
    ignored: IntCounter,
    rejected: IntCounter,
    duplicate: IntCounter,
    deferred: IntCounter,
    failed: IntCounter,
    commit_seconds: Histogram,
    batch_events: Histogram,
    received_to_committed_seconds: Histogram,
}

impl EventMeters {
    pub(crate) fn new(metrics: &Metrics, processor: &str) -> Self {
        let of = |outcome| metrics.event_outcomes.with_label_values(&[processor, outcome]);
        Self {
            applied: of("applied"),
            ignored: of("ignored"),
            rejected: of("rejected"),
            duplicate: of("duplicate"),
            deferred: of("deferred"),
            failed: of("failed"),
            commit_seconds: metrics.commit_seconds.with_label_values(&[processor]),
            batch_events: metrics.batch_events.with_label_values(&[processor]),
            received_to_committed_seconds: metrics.received_to_committed_seconds.with_label_values(&[processor]),
        }
    }

    /// `dead`: it is a dead letter now.
    pub(crate) fn ended(&self, fate: &Fate, dead: bool) {
        match fate {
            Fate::Applied => self.applied.inc(),
            Fate::Ignored => self.ignored.inc(),
            Fate::Rejected => self.rejected.inc(),
            Fate::Duplicate => self.duplicate.inc(),
            Fate::Deferred(_) if !dead => self.deferred.inc(),
            Fate::Deferred(_) | Fate::Failed(_) => self.failed.inc(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a batch has a few hundred events")]
    pub(crate) fn committed(&self, took: Duration, events: usize) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.batch_events.observe(events as f64);
    }

    pub(crate) fn since_receipt(&self, age: jiff::SignedDuration) {
        self.received_to_committed_seconds.observe(age.as_secs_f64().max(0.0));
    }
}
