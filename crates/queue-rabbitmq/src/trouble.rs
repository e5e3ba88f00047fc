//! What can go wrong between us and the broker, told to everybody who waited for it.

use std::sync::Arc;
use std::time::Duration;

use lapin::Error;
use rollbook_queue::{PublishError, QueueError};
use thiserror::Error;
use tokio::time::timeout;

use crate::declare::TopologyError;

/// For one answer of the broker. A blocked connection answers nothing for as long as it lasts, so
/// nothing is awaited without this.
pub(crate) const ANSWER: Duration = Duration::from_secs(5);

/// An alarm or a full queue ends when an operator acts or workers catch up, neither of which is quick.
const RETRY_AFTER: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Error)]
pub(crate) enum Trouble {
    #[error("no node of the broker has been reached yet")]
    NotYet,
    #[error("no node of the broker can be reached")]
    Away(#[source] Error),
    #[error("the connection to the broker was lost")]
    Lost,
    #[error("the broker did not answer in time ({0})")]
    Late(&'static str),
    #[error("the broker ended the channel or refused")]
    Broken(#[from] Error),
    /// The queue was deleted, or its node went away.
    #[error("the broker ended the consumer")]
    Ended,
    #[error("the broker has an alarm: {0}")]
    Alarm(Arc<str>),
    /// A length limit, or a queue without a majority.
    #[error("the broker refused to store the message")]
    Refused,
    /// The queue of the unroutable is gone; it is declared anew.
    #[error("the broker returned the message")]
    Returned,
    #[error("the channel does not confirm")]
    Unconfirmed,
    #[error(transparent)]
    Topology(Arc<TopologyError>),
    #[error("the message names no processor")]
    NoProcessor,
    #[error("the queue is closed")]
    Closed,
}

impl From<TopologyError> for Trouble {
    fn from(error: TopologyError) -> Self {
        match error {
            TopologyError::Broker(trouble) => trouble.0,
            error => Self::Topology(Arc::new(error)),
        }
    }
}

impl From<Trouble> for PublishError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Alarm(_) | Trouble::Refused => {
                Self::Full { detail: trouble.to_string(), retry_after: RETRY_AFTER }
            }
            trouble => Self::Unavailable(Box::new(trouble)),
        }
    }
}

impl From<Trouble> for QueueError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(Box::new(trouble))
    }
}

/// Awaits one answer of the broker, named for the error.
pub(crate) async fn answer<T>(what: &'static str, asked: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    Ok(timeout(ANSWER, asked).await.map_err(|_| Trouble::Late(what))??)
}
