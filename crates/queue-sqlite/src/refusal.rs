//! Why a command was not done. One failed transaction is told to everybody who waited for it.

use std::sync::Arc;
use std::time::Duration;

use rollbook_queue::{PublishError, QueueError};
use rollbook_sqlite::{Fault, fault};
use thiserror::Error;

/// Room comes back when workers drain the queue or an operator acts, neither of which is quick.
const RETRY_AFTER: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    Full(String),
    Unavailable(Arc<sqlx::Error>),
    Corrupt(String),
    Closed,
}

#[derive(Debug, Error)]
#[error("the queue is closed")]
struct Closed;

#[derive(Debug, Error)]
#[error("{0}")]
struct Full(String);

#[derive(Debug, Error)]
#[error("{0}")]
struct Corrupt(String);

impl Refusal {
    /// The disk's fault, or another process's: no delivery has to do with it.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        match self {
            Self::Full(_) => true,
            Self::Unavailable(error) => fault(error) == Fault::Unavailable,
            Self::Corrupt(_) | Self::Closed => false,
        }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        match fault(&error) {
            Fault::Full => Self::Full("the disk is full".to_owned()),
            Fault::Corrupt => Self::Corrupt(error.to_string()),
            Fault::Unavailable | Fault::Constraint | Fault::Other => Self::Unavailable(Arc::new(error)),
        }
    }
}

impl From<Refusal> for PublishError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full(detail) => Self::Full { detail, retry_after: RETRY_AFTER },
            Refusal::Unavailable(error) => Self::Unavailable(Box::new(error)),
            Refusal::Corrupt(what) => Self::Unavailable(Box::new(Corrupt(what))),
            Refusal::Closed => Self::Unavailable(Box::new(Closed)),
        }
    }
}

impl From<Refusal> for QueueError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full(detail) => Self::Unavailable(Box::new(Full(detail))),
            Refusal::Unavailable(error) => Self::Unavailable(Box::new(error)),
            Refusal::Corrupt(what) => Self::Corrupt(what),
            Refusal::Closed => Self::Unavailable(Box::new(Closed)),
        }
    }
}
