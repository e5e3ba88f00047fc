//! Back-pressure: a callback is refused while there is still room to finish the work at hand.
//!
//! Settling needs room too (the journal grows before it shrinks), so waiting for the disk to be
//! really full would leave no way out.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rollbook_sqlite::free_disk_bytes;

use crate::refusal::Refusal;

const EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Disk {
    path: PathBuf,
    min_free_bytes: u64,
    asked: Option<Instant>,
    low: Option<Refusal>,
}

impl Disk {
    pub(crate) fn new(path: PathBuf, min_free_bytes: u64) -> Self {
        Self { path, min_free_bytes, asked: None, low: None }
    }

    /// Why nothing new is taken now, if so. Asks the system about once a second.
    pub(crate) fn refuses(&mut self) -> Option<&Refusal> {
        if self.asked.is_none_or(|asked| asked.elapsed() >= EVERY) {
            self.asked = Some(Instant::now());
            self.ask();
        }
        self.low.as_ref()
    }

    /// A commit found no room, whatever the system says: nothing new is tried for a while.
    pub(crate) fn is_full(&mut self, refusal: Refusal) {
        self.asked = Some(Instant::now());
        self.low = Some(refusal);
    }

    fn ask(&mut self) {
        match free_disk_bytes(&self.path) {
            Ok(free) if free < self.min_free_bytes => {
                let detail = format!("{free} bytes are free on its disk, {} must stay free", self.min_free_bytes);
                tracing::warn!(free_bytes = free, min_free_bytes = self.min_free_bytes, "the queue's disk is low");
                self.low = Some(Refusal::Full(detail));
            }
            Ok(_) => self.low = None,
            Err(error) => tracing::warn!(%error, "cannot tell how much room the queue's disk has"),
        }
    }
}
