//! Patience: how long a call may wait for the store.
//!
//! A store that is locked does not fail, it waits, and every loop of the process waits in line
//! behind the first. So a wait has the bound of an outage, and ends soon after we are told to stop.
//! Giving up is dropping the call: a transaction that is dropped is rolled back.

use std::future::Future;
use std::time::Duration;

use rollbook_store::{Store, StoreError};
use thiserror::Error;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// After we were told to stop: a store that is well answers in this time, so a batch in hand is
/// finished and not handed back.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, Error)]
enum Impatience {
    #[error("it did not answer in time")]
    Late,
    #[error("we were told to stop while we waited")]
    Stopped,
}

pub(crate) struct Patience {
    until: Instant,
    shutdown: CancellationToken,
}

impl Patience {
    pub(crate) fn new(until: Instant, shutdown: CancellationToken) -> Self {
        Self { until, shutdown }
    }

    /// The answer, or `Unavailable` at the bound or a moment after we were told to stop.
    pub(crate) async fn wait<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        tokio::select! {
            biased;
            answer = call => answer,
            () = sleep_until(self.until) => Err(gave_up(Impatience::Late)),
            () = self.stopped() => Err(gave_up(Impatience::Stopped)),
        }
    }

    /// Once we are to stop, nobody needs to know how the store is.
    pub(crate) async fn probe(&self, store: &dyn Store) -> Result<(), StoreError> {
        let probing = self.shutdown.run_until_cancelled(self.wait(store.probe()));
        probing.await.unwrap_or_else(|| Err(gave_up(Impatience::Stopped)))
    }

    async fn stopped(&self) {
        self.shutdown.cancelled().await;
        sleep(GRACE).await;
    }
}

fn gave_up(why: Impatience) -> StoreError {
    StoreError::Unavailable(why.into())
}
