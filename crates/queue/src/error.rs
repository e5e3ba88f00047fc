//! Errors, named by what the caller does next.

use std::error::Error;
use std::time::Duration;

use thiserror::Error;

pub(crate) type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, Error)]
pub enum PublishError {
    /// The queue will not take more now (disk nearly full, broker alarm): tell the sender when to
    /// come again.
    #[error("the queue is full: {detail}")]
    Full { detail: String, retry_after: Duration },
    /// Whether it was stored is unknown or it was not: the same message may be published again.
    #[error("the queue cannot be reached")]
    Unavailable(#[source] Source),
}

#[derive(Debug, Error)]
pub enum QueueError {
    /// Try again later; unsettled deliveries will come again.
    #[error("the queue cannot be reached")]
    Unavailable(#[source] Source),
    /// What is stored cannot be read: an operator must look.
    #[error("the queue holds something unreadable: {0}")]
    Corrupt(String),
}
