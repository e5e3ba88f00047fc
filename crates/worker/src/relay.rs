//! The relay: carries the outbox to the queue.
//!
//! It publishes first and removes second, so a crash between the two publishes again. That is
//! harmless: whoever receives has permanent keys.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rollbook_queue::{Message, PublishError, Publisher, Queue};
use rollbook_store::{Outbox, OutboxItem, StoreError};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::announce::INTERNAL_SOURCE;
use crate::backoff::{Link, pause};

/// Rows a round. As many publishes are under way at once, so that a queue with group commit takes
/// them together.
const ROUND: u32 = 100;

/// What is to be tried again later.
#[derive(Debug, Error)]
enum RelayError {
    #[error("the outbox cannot be read or emptied")]
    Store(#[from] StoreError),
    #[error("the queue did not take a message")]
    Queue(#[from] PublishError),
}

/// Runs one relay until `shutdown` is cancelled.
pub async fn run_relay(
    outbox: Arc<dyn Outbox>,
    queue: Arc<dyn Queue>,
    context: Arc<Context>,
    shutdown: CancellationToken,
) {
    let publisher = queue.publisher();
    let mut link = Link::new("outbox or queue", "relay");
    while !shutdown.is_cancelled() {
        // A round that is broken off is repeated, which does no harm.
        let Some(moved) = shutdown.run_until_cancelled(round(&*outbox, &*publisher, &context)).await else { return };
        let wait = match moved {
            Ok(moved) => {
                link.found();
                if moved == 0 { context.options.relay_every } else { Duration::ZERO }
            }
            Err(error) => link.lost(&error),
        };
        pause(wait, &shutdown).await;
    }
}

/// Moves the oldest rows. Those that the queue took are removed even if another failed.
async fn round(outbox: &dyn Outbox, publisher: &dyn Publisher, context: &Context) -> Result<usize, RelayError> {
    let items = outbox.outbox_next(ROUND).await?;
    if items.is_empty() {
        return Ok(0);
    }
    let results = join_all(items.iter().map(|item| publisher.publish(message(item)))).await;
    let taken: Vec<&OutboxItem> =
        items.iter().zip(&results).filter(|(_, result)| result.is_ok()).map(|(item, _)| item).collect();
    rollbook_crash::point("relay.published");
    remove(outbox, &taken, context).await?;
    results.into_iter().collect::<Result<Vec<()>, _>>()?;
    Ok(taken.len())
}

async fn remove(outbox: &dyn Outbox, taken: &[&OutboxItem], context: &Context) -> Result<(), StoreError> {
    if taken.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = taken.iter().map(|item| item.id).collect();
    outbox.outbox_done(&ids).await?;
    for item in taken.iter().filter(|item| item.envelope.source.as_str() != INTERNAL_SOURCE) {
        context.metrics.replays.with_label_values(&["published"]).inc();
        tracing::info!(envelope = %item.envelope.id, processor = %item.to, redecide = item.redecide, "replayed");
    }
    Ok(())
}

fn message(item: &OutboxItem) -> Message {
    Message { envelope: item.envelope.clone(), to: vec![item.to.clone()], redecide: item.redecide }
}

#[cfg(test)]
mod tests;
