//! Consuming: receive, hand over, settle, until told to stop.
//!
//! Receiving and settling take turns. Overlapping them would need a consumer that can be split, and
//! two workers on one queue overlap as well.
//!
//! A receive is never broken off: what a queue had just handed out would stay unsettled until its
//! lease ends. So the token is looked at between receives, which are short.

use std::sync::Arc;

use async_trait::async_trait;
use rollbook_domain::{EnvelopeId, ProcessorName};
use rollbook_queue::{ALONE_FROM_REDELIVERY, Consumer, Delivery, DeliveryTag, Failure, Queue, QueueError, Settled};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Options;
use crate::backoff::{Link, pause};
use crate::in_flight::Tally;
use crate::meters::DeliveryMeters;
use crate::recovery::Recovery;

#[async_trait]
pub(crate) trait Handler: Send + Sync {
    /// Does all there is to do for these deliveries except settling them.
    async fn handle(&self, deliveries: Vec<Delivery>) -> Handled;

    /// These are dead letters now.
    fn report(&self, _dead: &[Reported]) {}
}

/// What is to become of every delivery of a batch.
#[derive(Default)]
pub(crate) struct Handled {
    pub settled: Vec<Settled>,
    /// Undone, because the store is away: back to the queue, at no cost.
    pub released: Vec<DeliveryTag>,
    pub reported: Vec<Reported>,
}

/// A dead letter to be told of once it is one.
pub(crate) struct Reported {
    pub envelope: EnvelopeId,
    /// Of its event, or `unread`.
    pub kind: &'static str,
    pub failure: Failure,
}

/// One queue and whoever handles what comes from it.
pub(crate) struct Consuming<'a> {
    pub name: ProcessorName,
    pub queue: Arc<dyn Queue>,
    pub handler: &'a dyn Handler,
    pub recovery: &'a Recovery,
    pub options: &'a Options,
    pub meters: DeliveryMeters,
    pub shutdown: CancellationToken,
}

impl Consuming<'_> {
    /// Runs until the token is cancelled. A queue that fails is come back to.
    pub(crate) async fn run(&self, mut tally: Tally) {
        let mut link = Link::new("queue", self.name.as_str());
        while !self.shutdown.is_cancelled() {
            if let Err(error) = self.session(&mut link, &mut tally).await {
                let wait = link.lost(&error);
                pause(wait, &self.shutdown).await;
            }
        }
        tally.stopped();
    }

    /// One consumer, until it fails or we are to stop.
    async fn session(&self, link: &mut Link, tally: &mut Tally) -> Result<(), QueueError> {
        let connecting = self.queue.consumer(&self.name);
        let Some(consumer) = self.shutdown.run_until_cancelled(connecting).await else { return Ok(()) };
        let mut consumer = consumer?;
        tally.consuming();
        while !self.shutdown.is_cancelled() {
            let deliveries = self.gather(&mut *consumer, tally).await?;
            link.found();
            self.serve(&mut *consumer, tally, deliveries).await?;
        }
        Ok(())
    }

    /// A batch: what is due now, and what comes within the next moment.
    async fn gather(&self, consumer: &mut dyn Consumer, tally: &mut Tally) -> Result<Vec<Delivery>, QueueError> {
        let max = self.options.batch_max;
        let mut batch = consumer.receive(max, self.options.receive_wait).await?;
        tally.received(batch.len());
        let until = Instant::now() + self.options.gather;
        while !batch.is_empty() && batch.len() < max && !batch.iter().any(is_suspect) && !self.shutdown.is_cancelled() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            // A queue that fails now fails again at the settlement; what is in hand is worked off.
            match consumer.receive(max - batch.len(), left).await {
                Ok(more) => {
                    tally.gathered(more.len());
                    batch.extend(more);
                }
                Err(_) => break,
            }
        }
        Ok(batch)
    }

    /// Works a batch off, group by group. When the store is away, or we are to stop, what was not
    /// begun goes back.
    async fn serve(
        &self,
        consumer: &mut dyn Consumer,
        tally: &mut Tally,
        batch: Vec<Delivery>,
    ) -> Result<(), QueueError> {
        let mut groups = apart(batch).into_iter();
        while !self.shutdown.is_cancelled() {
            let Some(group) = groups.next() else { return Ok(()) };
            let handled = self.handler.handle(group).await;
            let away = !handled.released.is_empty();
            self.settle(consumer, tally, handled).await?;
            if away {
                self.release(consumer, tally, tags(groups)).await?;
                self.recovery.until_back().await;
                return Ok(());
            }
        }
        self.release(consumer, tally, tags(groups)).await
    }

    async fn settle(&self, consumer: &mut dyn Consumer, tally: &mut Tally, handled: Handled) -> Result<(), QueueError> {
        let Handled { settled, released, reported } = handled;
        if !settled.is_empty() {
            consumer.settle(settled.clone()).await?;
            tally.settled(settled.len());
            for one in &settled {
                self.meters.settled(&one.settlement);
            }
            self.handler.report(&reported);
        }
        self.release(consumer, tally, released).await
    }

    async fn release(
        &self,
        consumer: &mut dyn Consumer,
        tally: &mut Tally,
        tags: Vec<DeliveryTag>,
    ) -> Result<(), QueueError> {
        if tags.is_empty() {
            return Ok(());
        }
        let count = tags.len();
        consumer.release(tags).await?;
        tally.settled(count);
        self.meters.released(count);
        Ok(())
    }
}

fn is_suspect(delivery: &Delivery) -> bool {
    delivery.redeliveries >= ALONE_FROM_REDELIVERY
}

/// Those that may kill the process come last and one by one: their neighbours are settled by then.
fn apart(batch: Vec<Delivery>) -> Vec<Vec<Delivery>> {
    let (suspects, others): (Vec<_>, Vec<_>) = batch.into_iter().partition(is_suspect);
    let others = Some(others).filter(|others| !others.is_empty());
    others.into_iter().chain(suspects.into_iter().map(|suspect| vec![suspect])).collect()
}

fn tags(groups: impl Iterator<Item = Vec<Delivery>>) -> Vec<DeliveryTag> {
    groups.flatten().map(|delivery| delivery.tag).collect()
}
