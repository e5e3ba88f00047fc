//! Pruning: raw envelopes are kept for a while, not for ever, because they hold personal data.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rollbook_store::{Records, StoreError};
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::backoff::{Link, pause};

/// Rows a statement: short enough that workers behind it do not notice.
const BATCH: u32 = 500;
/// Room for the workers between two statements.
const BETWEEN: Duration = Duration::from_millis(50);

/// Deletes what is older than the retention, at once and then every hour, until `shutdown` is
/// cancelled.
pub async fn run_prune(records: Arc<dyn Records>, context: Arc<Context>, shutdown: CancellationToken) {
    let mut link = Link::new("store", "prune");
    loop {
        let wait = match prune(&*records, &context, &shutdown).await {
            Ok(()) => {
                link.found();
                context.options.prune_every
            }
            Err(error) => link.lost(&error),
        };
        if !pause(wait, &shutdown).await {
            return;
        }
    }
}

async fn prune(records: &dyn Records, context: &Context, shutdown: &CancellationToken) -> Result<(), StoreError> {
    let before = (context.clock)().checked_sub(context.options.retention).unwrap_or(Timestamp::MIN);
    let mut deleted = 0;
    loop {
        let Some(count) = shutdown.run_until_cancelled(records.prune_envelopes(before, BATCH)).await else { break };
        let count = count?;
        deleted += count;
        if count < u64::from(BATCH) || !pause(BETWEEN, shutdown).await {
            break;
        }
    }
    if deleted > 0 {
        tracing::info!(envelopes = deleted, %before, "deleted envelopes older than the retention");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
