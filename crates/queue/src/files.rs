//! Queues in files of this host: a second port, for whoever keeps one beside the broker.
//!
//! It exists so that the spool can hold callbacks in the embedded queue's file without naming the
//! adapter.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;
use thiserror::Error;

use crate::{Queue, error::Source};

#[async_trait]
pub trait QueueFiles: Send + Sync {
    /// Opens the file as the one service that may; makes it, and its folder, when missing.
    async fn open(&self, path: &Path) -> Result<Arc<dyn Queue>, FileError>;

    /// What one queue of the file holds, handed out or not. Takes no lock and changes nothing, so it
    /// works beside the service that has the file. A file that is not there holds nothing.
    async fn held(&self, path: &Path, queue: &ProcessorName) -> Result<Held, FileError>;

    /// Whether the file's disk has room for more now.
    fn has_room(&self, path: &Path) -> bool;
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub deliveries: u64,
    /// Of bodies.
    pub bytes: u64,
}

#[derive(Debug, Error)]
pub enum FileError {
    /// Take another file, or come again: a service that runs has it.
    #[error("another service has the file")]
    Taken(#[source] Source),
    /// Take another file and leave this one to an operator: it is damaged, of something else or of
    /// another release.
    #[error("{0}")]
    Unusable(#[source] Source),
    /// Mend the disk or the permissions: another file beside it would do no better.
    #[error("{0}")]
    Unavailable(#[source] Source),
}
