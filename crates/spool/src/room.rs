//! How much the spool holds, and when it is full.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::IntGauge;
use rollbook_queue::{Held, PublishError};
use tokio::time::Instant;

/// Room comes back when the broker does or an operator acts, neither of which is quick.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// The file's refusal is believed this long; then somebody may try again, or it would be full for ever
/// when nobody is sent here because it is full.
const BELIEVED: Duration = Duration::from_secs(5);

/// What a callback takes beside its body.
const BESIDE: u64 = 1 << 10;

pub(crate) struct Room {
    max_callbacks: u64,
    max_bytes: u64,
    gauge: IntGauge,
    totals: Mutex<Totals>,
}

#[derive(Default)]
struct Totals {
    held: Held,
    refused: Option<Instant>,
}

impl Room {
    pub(crate) fn new(max_callbacks: u64, max_bytes: u64, gauge: IntGauge) -> Self {
        gauge.set(0);
        Self { max_callbacks, max_bytes, gauge, totals: Mutex::default() }
    }

    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for one callback, until the reservation is kept or dropped.
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Reserved<'_>, PublishError> {
        let one = Held { deliveries: 1, bytes: u64::try_from(bytes).unwrap_or(u64::MAX) };
        let mut totals = self.totals();
        let after = plus(totals.held, one);
        if self.over(after) {
            let detail = format!("the spool holds {} callbacks and takes no more", totals.held.deliveries);
            return Err(PublishError::Full { detail, retry_after: RETRY_AFTER });
        }
        totals.held = after;
        self.show(after);
        Ok(Reserved { room: self, one, kept: false })
    }

    pub(crate) fn add(&self, held: Held) {
        let mut totals = self.totals();
        totals.held = plus(totals.held, held);
        self.show(totals.held);
    }

    pub(crate) fn remove(&self, gone: Held) {
        let mut totals = self.totals();
        totals.held = minus(totals.held, gone);
        self.show(totals.held);
    }

    pub(crate) fn callbacks(&self) -> u64 {
        self.totals().held.deliveries
    }

    /// The file took nothing.
    pub(crate) fn refused(&self) {
        self.totals().refused = Some(Instant::now());
    }

    pub(crate) fn full(&self) -> bool {
        let totals = self.totals();
        let refused = totals.refused.is_some_and(|refused| refused.elapsed() < BELIEVED);
        refused || self.over(plus(totals.held, Held { deliveries: 1, bytes: 0 }))
    }

    fn over(&self, held: Held) -> bool {
        let bytes = held.deliveries.saturating_mul(BESIDE).saturating_add(held.bytes);
        held.deliveries > self.max_callbacks || bytes > self.max_bytes
    }

    fn show(&self, held: Held) {
        self.gauge.set(i64::try_from(held.deliveries).unwrap_or(i64::MAX));
    }
}

pub(crate) fn plus(a: Held, b: Held) -> Held {
    Held { deliveries: a.deliveries.saturating_add(b.deliveries), bytes: a.bytes.saturating_add(b.bytes) }
}

pub(crate) fn minus(a: Held, b: Held) -> Held {
    Held { deliveries: a.deliveries.saturating_sub(b.deliveries), bytes: a.bytes.saturating_sub(b.bytes) }
}

#[must_use = "the room is free again as soon as this is dropped"]
pub(crate) struct Reserved<'r> {
    room: &'r Room,
    one: Held,
    kept: bool,
}

impl Reserved<'_> {
    /// The file has it.
    pub(crate) fn keep(mut self) {
        self.kept = true;
        self.room.totals().refused = None;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.room.remove(self.one);
        }
    }
}
