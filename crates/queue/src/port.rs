//! The traits that an adapter implements.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;

use crate::{Delivery, DeliveryTag, Message, PublishError, QueueDepth, QueueError, Settled};

#[async_trait]
pub trait Publisher: Send + Sync {
    /// Returns `Ok` once every copy is durable. Safe to call from many tasks at once.
    async fn publish(&self, message: Message) -> Result<(), PublishError>;
}

/// One consumer of one queue. Not shared: what it was handed, it settles.
#[async_trait]
pub trait Consumer: Send {
    /// Up to `max` deliveries that are due, in no promised order; waits up to `wait` for the first
    /// and returns none if nothing came. A delivery with `ALONE_FROM_REDELIVERY` redeliveries or
    /// more is the only one of its batch, and nothing else need come while it is unsettled.
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError>;

    /// Ends deliveries. After an error each may or may not be settled; unsettled ones come again.
    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), QueueError>;

    /// Hands deliveries back untried (drain, store away). They come again, to anybody.
    async fn release(&mut self, tags: Vec<DeliveryTag>) -> Result<(), QueueError>;
}

#[async_trait]
pub trait Queue: Send + Sync {
    fn publisher(&self) -> Arc<dyn Publisher>;

    /// `queue` is a processor's name or [`crate::DEAD_LETTERS`].
    async fn consumer(&self, queue: &ProcessorName) -> Result<Box<dyn Consumer>, QueueError>;

    /// One entry for each of `queues`, in their order.
    async fn depths(&self, queues: &[ProcessorName]) -> Result<Vec<QueueDepth>, QueueError>;

    /// Moves what found no queue to the queues that exist by now, and tells how many. Queues that
    /// cannot lose a way have none.
    async fn recover_unrouted(&self) -> Result<u64, QueueError> {
        Ok(0)
    }

    /// Finishes what was asked for and lets go of files and connections. Called once, at the end of
    /// a drain; whoever asks for something later is told that the queue cannot be reached.
    async fn close(&self);
}
