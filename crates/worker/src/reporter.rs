//! The reporter: tells the store what this process holds.
//!
//! One small write a second for all loops together while any is busy, one in five seconds while none
//! is, and one at once when a queue turns idle or busy. Nobody waits for it. While the store is away
//! nothing is told, and the last figure stays: whoever reads it is told too much, never too little.
//! Rejected: a write by each loop, or with each batch (a hot row in everybody's transaction).

use std::sync::Arc;
use std::time::Duration;

use rollbook_store::{StoreError, WorkerId, Workers};
use thiserror::Error;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::backoff::Link;
use crate::in_flight::{InFlight, Turns};

/// Between two reports of a busy process.
const BUSY: Duration = Duration::from_secs(1);

/// Between two reports of an idle one: half of the age at which a row is stale.
const IDLE: Duration = Duration::from_secs(5);

/// How long a report may take. It holds nothing up, but it must not stand in line for ever.
const PATIENCE: Duration = Duration::from_secs(2);

/// A process whose host vanishes is found out by heartbeats: two of ten seconds that are missed, and
/// one for a broker that counts late.
const DEATH_IS_NOTICED: Duration = Duration::from_secs(30);

#[derive(Debug, Error)]
#[error("it did not answer in time")]
struct Late;

/// Reports what all loops with this `context` hold. Once `shutdown` is cancelled and the last of
/// them has ended, says goodbye and returns. `worker` names this process and no other, ever.
pub async fn run_reporter(
    workers: Arc<dyn Workers>,
    worker: WorkerId,
    context: Arc<Context>,
    shutdown: CancellationToken,
) {
    let in_flight = context.in_flight.clone();
    let turns = in_flight.turns();
    let keep = context.options.outage_bound.saturating_add(DEATH_IS_NOTICED);
    Reporter { workers, worker, in_flight, turns, keep, link: Link::new("store", "reporter") }.run(&shutdown).await;
}

struct Reporter {
    workers: Arc<dyn Workers>,
    worker: WorkerId,
    in_flight: InFlight,
    turns: Turns,
    /// How long a figure must stay when we fall silent. A process that lives and cannot write cannot
    /// commit either, and hands back what it holds after the bound of an outage.
    keep: Duration,
    link: Link,
}

impl Reporter {
    async fn run(mut self, shutdown: &CancellationToken) {
        let mut ends = self.in_flight.turns();
        let over = async {
            shutdown.cancelled().await;
            ends.over().await;
        };
        let mut over = std::pin::pin!(over);
        loop {
            let (wait, told) = self.report().await;
            let until = Instant::now() + wait;
            tokio::select! {
                biased;
                () = &mut over => break,
                // A store that is away is not asked more often because much happens.
                () = self.turns.next(), if told => {}
                () = sleep_until(until) => {}
            }
        }
        self.leave().await;
    }

    /// How long to wait before the next report, and whether this one was taken.
    async fn report(&mut self) -> (Duration, bool) {
        let figures = self.in_flight.figures();
        match in_time(self.workers.tell(self.worker, &figures, self.keep)).await {
            Ok(()) => {
                self.link.found();
                let idle = figures.iter().all(|(_, held)| *held == 0);
                (if idle { IDLE } else { BUSY }, true)
            }
            Err(error) => (self.link.lost(&error), false),
        }
    }

    /// A goodbye says that nothing is held. What a loop could not hand back comes again only when
    /// the queue misses us, so then the last figure stays for its time.
    async fn leave(mut self) {
        if self.in_flight.figures().iter().any(|(_, held)| *held > 0) {
            self.report().await;
        } else if let Err(error) = in_time(self.workers.goodbye(self.worker)).await {
            tracing::debug!(%error, "no goodbye; the store forgets this worker by itself");
        }
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(PATIENCE, call).await.unwrap_or_else(|_| Err(StoreError::Unavailable(Late.into())))
}

#[cfg(test)]
mod tests;
