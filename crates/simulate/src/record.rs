//! The sender's own record: every callback with every answer.
//!
//! It holds no bodies: what the audit needs is what must become of each, and bodies of a long run
//! would fill the memory with addresses.

use std::sync::Arc;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::{Callback, Expect, Kind, Source};

#[derive(Clone, Debug)]
pub struct Record {
    pub sent: Vec<Sent>,
    /// From the first try to the last answer.
    pub elapsed: Duration,
    /// Microseconds from one try to its 2xx.
    pub ack: Histogram<u64>,
    /// Microseconds from a callback's first try (its planned one, with a rate) to its 2xx.
    pub ack_from_first: Histogram<u64>,
}

#[derive(Clone, Debug)]
pub struct Sent {
    pub kind: Kind,
    pub again: bool,
    pub source: Arc<Source>,
    pub expect: Expect,
    pub answer: Answer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub fate: Fate,
    pub tries: u32,
    /// Tries without an answer: refused connections, time-outs, connections that died.
    pub silent: u32,
    /// Tries that were answered neither with 2xx nor with 4xx.
    pub put_off: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    Unsent,
    /// Tried and given up: the service may have it or not.
    Unanswered,
    /// A 2xx: from now on it is the service's.
    Acked(u16),
    /// A 4xx.
    Refused(u16),
}

impl Answer {
    pub const UNSENT: Self = Self { fate: Fate::Unsent, tries: 0, silent: 0, put_off: 0 };

    pub fn acked(&self) -> bool {
        matches!(self.fate, Fate::Acked(_))
    }

    /// Whether the service may hold it although no 2xx came. A connection that died may have died
    /// after the callback was kept, whatever a later try was told.
    pub fn uncertain(&self) -> bool {
        match self.fate {
            Fate::Unsent | Fate::Acked(_) => false,
            Fate::Unanswered => true,
            Fate::Refused(_) => self.silent + self.put_off > 0,
        }
    }
}

impl Sent {
    pub fn new(callback: Callback, answer: Answer) -> Self {
        let Callback { kind, again, source, expect, .. } = callback;
        Self { kind, again, source, expect, answer }
    }
}

impl Record {
    /// Both runs as one.
    pub fn join(&mut self, other: Self) {
        self.sent.extend(other.sent);
        self.elapsed += other.elapsed;
        // Both histograms have the bounds of `latencies`, so adding cannot fail.
        let _ = self.ack.add(&other.ack);
        let _ = self.ack_from_first.add(&other.ack_from_first);
    }

    /// A record of nothing.
    pub fn empty() -> Self {
        Self { sent: Vec::new(), elapsed: Duration::ZERO, ack: latencies(), ack_from_first: latencies() }
    }
}

/// Microseconds up to an hour, three significant digits; more counts as an hour.
pub(crate) fn latencies() -> Histogram<u64> {
    const HOUR_US: u64 = 3_600_000_000;
    #[expect(clippy::expect_used, reason = "the bounds are literals that the crate accepts")]
    Histogram::new_with_bounds(1, HOUR_US, 3).expect("literal bounds")
}
