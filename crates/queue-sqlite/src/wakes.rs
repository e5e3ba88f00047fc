//! When a consumer must look: what the writer knows of each queue's next due time.
//!
//! Consumers sleep on this, so an empty queue costs no statement at all and a due delivery is
//! claimed at its time. Only the writer task writes here, after its commit.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rollbook_domain::ProcessorName;
use tokio::sync::Notify;

/// Nobody has looked yet, or something came back: look now.
pub(crate) const NOW: i64 = i64::MIN;
/// Nothing waits.
pub(crate) const NEVER: i64 = i64::MAX;

#[derive(Debug)]
pub(crate) struct Wake {
    /// Nothing that is free is due before this, in microseconds since the epoch.
    due: AtomicI64,
    pub(crate) changed: Notify,
}

impl Wake {
    pub(crate) fn due(&self) -> i64 {
        self.due.load(Ordering::Acquire)
    }
}

/// Bounded by the number of queues that were ever consumed.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    queues: Mutex<HashMap<ProcessorName, Arc<Wake>>>,
}

impl Wakes {
    fn queues(&self) -> MutexGuard<'_, HashMap<ProcessorName, Arc<Wake>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn of(&self, queue: &ProcessorName) -> Arc<Wake> {
        let new = || Arc::new(Wake { due: AtomicI64::new(NOW), changed: Notify::new() });
        Arc::clone(self.queues().entry(queue.clone()).or_insert_with(new))
    }

    /// Something of this queue is free at `due`.
    pub(crate) fn at(&self, queue: &ProcessorName, due: i64) {
        if let Some(wake) = self.queues().get(queue) {
            wake.due.fetch_min(due, Ordering::AcqRel);
            wake.changed.notify_waiters();
        }
    }

    /// The earliest due time of all that is free in this queue.
    pub(crate) fn exactly(&self, queue: &ProcessorName, due: i64) {
        if let Some(wake) = self.queues().get(queue) {
            wake.due.store(due, Ordering::Release);
        }
    }
}
