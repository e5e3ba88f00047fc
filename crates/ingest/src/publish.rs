//! The durable part: hands an envelope to the queue, whatever becomes of the sender meanwhile.

use std::sync::Arc;
use std::time::Duration;

use prometheus::Histogram;
use rollbook_queue::{Message, PublishError, Publisher};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// Why the sender must come again. Whether the queue has the message may be unknown; sending it
/// twice changes nothing.
#[derive(Debug)]
pub(crate) enum PublishFault {
    Refused(PublishError),
    TooSlow,
    Panicked,
}

pub(crate) struct Outbound {
    pub publisher: Arc<dyn Publisher>,
    pub confirm_seconds: Histogram,
    pub budget: Duration,
    /// Knows every publish that still runs, so that a shutdown waits for it.
    pub tasks: TaskTracker,
}

impl Outbound {
    /// The publish is a task of its own: a sender who hangs up, or a spent budget, ends the
    /// waiting and not the work. It keeps its share of the memory until it ends.
    pub async fn publish(&self, message: Message, room: OwnedSemaphorePermit) -> Result<(), PublishFault> {
        let queue = Arc::clone(&self.publisher);
        let confirm_seconds = self.confirm_seconds.clone();
        let task = self.tasks.spawn(async move {
            let started = Instant::now();
            let published = queue.publish(message).await;
            if published.is_ok() {
                confirm_seconds.observe(started.elapsed().as_secs_f64());
            }
            rollbook_crash::point("ingest.enqueued");
            drop(room);
            published
        });
        match tokio::time::timeout(self.budget, task).await {
            Ok(Ok(published)) => published.map_err(PublishFault::Refused),
            Ok(Err(_panicked)) => Err(PublishFault::Panicked),
            Err(_elapsed) => Err(PublishFault::TooSlow),
        }
    }
}
