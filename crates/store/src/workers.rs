//! What workers hold: a broker tells only what is ready, so each process writes what is in its hands.
//!
//! A figure is believed until its worker writes another, says goodbye, or has been silent for so
//! long that the queue must have given its deliveries to others (each worker says how long that is).
//! Until then a dead worker's figure counts beside what came back: too much is told, never a quiet
//! that nobody knows of. Time is the store's own, because a host whose clock is wrong must not make
//! others forget what it holds, nor be forgotten by them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;
use serde::Serialize;
use uuid::Uuid;

use crate::StoreError;

/// A worker that lives writes each second while it is busy and every five seconds while it is not.
pub const STALE_AFTER_S: u64 = 10;

/// One worker process, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct WorkerId(pub Uuid);

impl WorkerId {
    /// No other process may have it, so every bit should be random.
    pub fn random(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
}

/// One process at one queue, in the shape that `status --json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WorkerRow {
    pub worker: WorkerId,
    /// Or `dead-letters`.
    pub processor: String,
    /// Held unsettled, when it last wrote.
    pub in_flight: u64,
    /// Seconds since it last wrote.
    pub last_seen_s: u64,
}

#[async_trait]
pub trait Workers: Send + Sync {
    /// Writes what this worker holds, a row a queue, each at most once, and forgets the rows of
    /// other workers whose time is over. Should this worker fall silent, its rows stay for `keep`.
    async fn tell(
        &self,
        worker: WorkerId,
        in_flight: &[(ProcessorName, u64)],
        keep: Duration,
    ) -> Result<(), StoreError>;

    /// Removes this worker's rows: it holds nothing and will not come back.
    async fn goodbye(&self, worker: WorkerId) -> Result<(), StoreError>;

    /// Every row, in order of processor and worker.
    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError>;
}

/// What all workers together hold, by queue. A stale row counts with its last figure.
pub fn in_flight(rows: &[WorkerRow]) -> BTreeMap<&str, u64> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let sum: &mut u64 = sums.entry(row.processor.as_str()).or_default();
        *sum = sum.saturating_add(row.in_flight);
    }
    sums
}

/// How many processes have written lately.
pub fn alive(rows: &[WorkerRow]) -> usize {
    let lately = rows.iter().filter(|row| row.last_seen_s < STALE_AFTER_S);
    lately.map(|row| row.worker).collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(worker: u128, processor: &str, in_flight: u64, last_seen_s: u64) -> WorkerRow {
        WorkerRow { worker: WorkerId(Uuid::from_u128(worker)), processor: processor.to_owned(), in_flight, last_seen_s }
    }

    #[test]
    fn what_the_silent_hold_counts_although_they_do_not() {
        let rows = [row(1, "membership", 3, 0), row(1, "waiver", 0, 9), row(2, "membership", 4, 10)];
        assert_eq!(in_flight(&rows), BTreeMap::from([("membership", 7), ("waiver", 0)]));
        assert_eq!(alive(&rows), 1);
        assert_eq!((in_flight(&[]).len(), alive(&[])), (0, 0));
    }

    #[test]
    fn a_row_has_the_shape_that_status_prints() {
        let json = serde_json::to_value(row(1, "waiver", 2, 3)).unwrap();
        let worker = "00000000-0000-0000-0000-000000000001";
        assert_eq!(
            json,
            serde_json::json!({"worker": worker, "processor": "waiver", "in_flight": 2, "last_seen_s": 3})
        );
    }
}
