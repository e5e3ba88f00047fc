//! What a consumer's task has in its hands, shared with the consumer itself.
//!
//! Taking from here waits for nothing, so a `receive` that is dropped half-way loses nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rollbook_queue::ALONE_FROM_REDELIVERY;
use tokio::sync::Notify;

use crate::trouble::Trouble;
use crate::wire::Parcel;

#[derive(Default)]
pub(crate) struct Inbox {
    contents: Mutex<Contents>,
    /// Something is ready, or the task has ended.
    pub(crate) arrived: Notify,
}

#[derive(Default)]
pub(crate) struct Contents {
    /// Not handed out yet. A suspect is here only while nothing else is unsettled.
    pub(crate) ready: VecDeque<(u64, Arc<Parcel>)>,
    /// Handed out and not settled.
    pub(crate) out: BTreeMap<u64, Arc<Parcel>>,
    /// Nothing is consumed until somebody receives again.
    pub(crate) idle: bool,
    /// Why the task has ended.
    pub(crate) ended: Option<Trouble>,
}

impl Inbox {
    /// Nothing in here can be left half-done by a panic.
    pub(crate) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn end(&self, trouble: Trouble) {
        let mut contents = self.contents();
        contents.ready.clear();
        contents.ended = Some(trouble);
        self.arrived.notify_waiters();
    }
}

impl Contents {
    /// Hands out up to `max`; a suspect alone.
    pub(crate) fn take(&mut self, max: usize) -> Vec<(u64, Arc<Parcel>)> {
        let alone = self.ready.front().is_some_and(|(_, parcel)| suspect(parcel));
        let count = max.min(if alone { 1 } else { self.ready.len() });
        let taken: Vec<_> = self.ready.drain(..count).collect();
        self.out.extend(taken.iter().cloned());
        taken
    }
}

/// It may be what kills the process.
pub(crate) fn suspect(parcel: &Parcel) -> bool {
    parcel.redeliveries >= ALONE_FROM_REDELIVERY
}
