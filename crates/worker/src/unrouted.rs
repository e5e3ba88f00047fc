//! What found no queue: a queue was deleted, or nobody had declared it yet. Workers move it back.

use std::sync::Arc;

use rollbook_queue::Queue;
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::backoff::{Link, pause};

/// Looks every few seconds until `shutdown` is cancelled. A pass that is broken off loses nothing: what
/// was not moved stays, and what was moved twice is a duplicate like any other.
pub async fn run_unrouted(queue: Arc<dyn Queue>, context: Arc<Context>, shutdown: CancellationToken) {
    let mut link = Link::new("queue", "unrouted");
    loop {
        let Some(moved) = shutdown.run_until_cancelled(queue.recover_unrouted()).await else { return };
        let wait = match moved {
            Ok(moved) => {
                link.found();
                if moved > 0 {
                    tracing::info!(messages = moved, "moved back what had found no queue");
                }
                context.options.unrouted_every
            }
            Err(error) => link.lost(&error),
        };
        if !pause(wait, &shutdown).await {
            return;
        }
    }
}
