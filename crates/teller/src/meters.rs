//! The teller's metric handles, looked up once.

use std::time::Duration;

use prometheus::{Histogram, IntCounter};
use rollbook_ledger::{Answer, Verdict};
use rollbook_telemetry::Metrics;

pub(crate) struct Meters {
    applied: IntCounter,
    rejected: IntCounter,
    repeated: IntCounter,
    failed: IntCounter,
    abandoned: IntCounter,
    commit_seconds: Histogram,
    batch_commands: Histogram,
}

impl Meters {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        let of = |outcome| metrics.ledger_commands.with_label_values(&[outcome]);
        Self {
            applied: of("applied"),
            rejected: of("rejected"),
            repeated: of("repeated"),
            failed: of("failed"),
            abandoned: of("abandoned"),
            commit_seconds: metrics.ledger_commit_seconds.clone(),
            batch_commands: metrics.ledger_batch_commands.clone(),
        }
    }

    pub(crate) fn answered(&self, answer: &Answer) {
        match &answer.verdict {
            _ if answer.repeated => self.repeated.inc(),
            Verdict::Applied => self.applied.inc(),
            Verdict::Rejected(_) => self.rejected.inc(),
        }
    }

    pub(crate) fn failed(&self, commands: usize) {
        self.failed.inc_by(u64::try_from(commands).unwrap_or(u64::MAX));
    }

    pub(crate) fn abandoned(&self, commands: usize) {
        self.abandoned.inc_by(u64::try_from(commands).unwrap_or(u64::MAX));
    }

    #[expect(clippy::cast_precision_loss, reason = "a batch has a few hundred commands")]
    pub(crate) fn committed(&self, took: Duration, commands: usize) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.batch_commands.observe(commands as f64);
    }
}
