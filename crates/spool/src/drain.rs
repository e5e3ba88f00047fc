//! Draining: what waits in the files goes to the broker, beside the new traffic.
//!
//! A batch is offered at once, what was confirmed is deleted, and the rest waits for another time
//! behind the others: seconds while the broker takes nothing, and up to minutes when it took something
//! else meanwhile (then the message itself is at fault). So no message holds up another, and a broker
//! that is away is asked with a different one each time.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rollbook_queue::{Consumer, Delivery, DeliveryTag, Held, QueueError, Retry, Settled, Settlement};
use tokio::time::{MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::files::{OpenFile, open_left};
use crate::health::Permit;
use crate::parcel::{spool, unwrap};
use crate::room::{minus, plus};
use crate::spool::{Offer, Spool};

/// Offered at one time. The rest of the broker's window is for new traffic.
const WINDOW: usize = 128;

/// How long a file is waited on before the broker's health and the file's end are looked at again.
const LOOK: Duration = Duration::from_secs(1);

/// What was not confirmed waits this long, doubled each time.
const AGAIN: Duration = Duration::from_secs(1);

/// At most, while the broker takes nothing: what waits is what finds out that it is back.
const SOON: Duration = Duration::from_secs(5);

/// At most, while the broker takes others.
const RARELY: Duration = Duration::from_mins(5);

/// A file that fails is left alone from [`AGAIN`] to this long.
const REST: Duration = Duration::from_secs(30);

/// When a file's draining ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Stopped,
    StoppedOrEmpty,
}

/// A message that was offered.
struct Landed {
    tag: DeliveryTag,
    bytes: u64,
    attempts: u32,
    offer: Offer,
}

impl Spool {
    /// Until `stop`, and then at once: what was offered and is not confirmed by then stays in its file.
    pub async fn drain(&self, stop: CancellationToken) {
        tokio::join!(self.drain_file(&self.own, End::Stopped, &stop), self.adopt(&stop));
    }

    /// Finds files that other processes left, now and then, and drains each beside the others.
    async fn adopt(&self, stop: &CancellationToken) {
        let mut look = interval(self.options.adopt_every);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ours = HashSet::from([self.own.path.clone()]);
        let mut draining = FuturesUnordered::new();
        while !stop.is_cancelled() {
            tokio::select! {
                () = stop.cancelled() => {}
                Some(path) = draining.next() => drop(ours.remove(&path)),
                _ = look.tick() => for file in open_left(&self.options.path, &*self.files, &ours).await {
                    ours.insert(file.path.clone());
                    draining.push(self.drain_left(file, stop));
                },
            }
        }
        while draining.next().await.is_some() {}
    }

    /// Tells which file is done with.
    async fn drain_left(&self, file: OpenFile, stop: &CancellationToken) -> PathBuf {
        let path = file.path.clone();
        // Nobody else changes it from here on.
        let before = self.files.held(&path, &spool()).await.unwrap_or_default();
        self.room.add(before);
        tracing::info!(path = %path.display(), waiting = before.deliveries, "draining what another process left in the spool");
        let gone = self.drain_file(&file, End::StoppedOrEmpty, stop).await;
        file.queue.close().await;
        self.room.remove(minus(before, gone));
        path
    }

    /// Tells what is gone from the file.
    async fn drain_file(&self, file: &OpenFile, end: End, stop: &CancellationToken) -> Held {
        let mut gone = Held::default();
        let mut failures = 0;
        loop {
            let before = gone;
            let Err(error) = self.work(file, end, stop, &mut gone).await else { return gone };
            failures = if gone == before { failures + 1 } else { 0 };
            tracing::warn!(path = %file.path.display(), %error, "cannot drain the spool now");
            // What waits cannot be used to ask the broker.
            self.health.presume();
            stop.run_until_cancelled(sleep(doubled(failures, REST))).await;
        }
    }

    /// Until the end, or until the file fails.
    async fn work(
        &self,
        file: &OpenFile,
        end: End,
        stop: &CancellationToken,
        gone: &mut Held,
    ) -> Result<(), QueueError> {
        if stop.is_cancelled() {
            return Ok(());
        }
        let mut consumer = file.queue.consumer(&spool()).await?;
        while let Some(max) = self.permitted(stop).await {
            let Some(received) = stop.run_until_cancelled(consumer.receive(max, LOOK)).await else { break };
            let batch = match received {
                // Told and put off by the queue itself.
                Err(QueueError::Corrupt(_)) => continue,
                received => received?,
            };
            if batch.is_empty() {
                if end == End::StoppedOrEmpty && is_empty(file).await? {
                    break;
                }
                self.nothing_waits();
            } else if max > 1 && self.health.is_away() {
                consumer.release(batch.iter().map(|one| one.tag).collect()).await?;
            } else {
                self.hand_over(&mut *consumer, batch, stop, gone).await?;
            }
        }
        Ok(())
    }

    /// How many may be offered now; none when it is time to stop.
    async fn permitted(&self, stop: &CancellationToken) -> Option<usize> {
        while !stop.is_cancelled() {
            match self.health.permit() {
                Permit::All => return Some(WINDOW),
                Permit::One => return Some(1),
                Permit::Later(at) => stop.run_until_cancelled(sleep_until(at)).await,
            };
        }
        None
    }

    fn nothing_waits(&self) {
        if self.depth() == 0 && self.health.is_away() {
            self.health.presume();
        }
    }

    async fn hand_over(
        &self,
        consumer: &mut dyn Consumer,
        batch: Vec<Delivery>,
        stop: &CancellationToken,
        gone: &mut Held,
    ) -> Result<(), QueueError> {
        let mark = self.health.mark();
        let mut flying: HashSet<DeliveryTag> = batch.iter().map(|one| one.tag).collect();
        let mut flights: FuturesUnordered<_> = batch.into_iter().map(|one| self.offer_one(one)).collect();
        let mut landed = Vec::with_capacity(flights.len());
        while let Some(Some(one)) = stop.run_until_cancelled(flights.next()).await {
            flying.remove(&one.tag);
            landed.push(one);
        }
        drop(flights);
        let took_some = self.health.confirmed_since(mark);
        consumer.settle(landed.iter().map(|one| one.settled(took_some)).collect()).await?;
        self.count(&landed, gone);
        if !flying.is_empty() {
            consumer.release(flying.into_iter().collect()).await?;
        }
        Ok(())
    }

    async fn offer_one(&self, delivery: Delivery) -> Landed {
        let (tag, attempts, id) = (delivery.tag, delivery.attempts, delivery.envelope.id);
        let bytes = u64::try_from(delivery.envelope.body.len()).unwrap_or(u64::MAX);
        let offer = if let Some(message) = unwrap(delivery) {
            self.offer(message, self.options.drain_budget).await
        } else {
            tracing::error!(envelope = ?id, "what the spool holds here was not spooled; look into its file");
            Offer::Unconfirmed
        };
        Landed { tag, bytes, attempts, offer }
    }

    fn count(&self, landed: &[Landed], gone: &mut Held) {
        let confirmed = landed.iter().filter(|one| one.offer == Offer::Confirmed);
        let now = confirmed.fold(Held::default(), |sum, one| plus(sum, Held { deliveries: 1, bytes: one.bytes }));
        *gone = plus(*gone, now);
        self.room.remove(now);
        self.say_when_drained();
    }
}

impl Landed {
    /// `took_some`: the broker took something since this was offered.
    fn settled(&self, took_some: bool) -> Settled {
        let retry = match self.offer {
            Offer::Confirmed => None,
            Offer::Unconfirmed => Some(self.later(if took_some { RARELY } else { SOON })),
        };
        Settled { tag: self.tag, settlement: Settlement { retry, ..Settlement::default() } }
    }

    fn later(&self, most: Duration) -> Retry {
        let attempts = self.attempts.saturating_add(1);
        let after = doubled(self.attempts, most);
        if after == RARELY {
            tracing::error!(
                attempts,
                "the broker takes others and not this callback; it stays in the spool and is offered again"
            );
        }
        Retry { after, attempts }
    }
}

/// [`AGAIN`], doubled so many times, and at most `most`.
fn doubled(times: u32, most: Duration) -> Duration {
    AGAIN.saturating_mul(2_u32.saturating_pow(times)).min(most)
}

async fn is_empty(file: &OpenFile) -> Result<bool, QueueError> {
    let depths = file.queue.depths(&[spool()]).await?;
    Ok(depths.iter().all(|depth| depth.ready + depth.in_flight + depth.retrying == 0))
}
