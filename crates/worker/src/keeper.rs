//! The keeper: drains the dead-letter queue into the store, where operators look.
//!
//! Letters wait in the queue for as long as the store is away, and one that the store will not take
//! waits alone: the keeper never stops at an odd letter and never drops one.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::{EventKey, ProcessorName, reasons};
use rollbook_queue::{DEAD_LETTERS, Delivery, Queue, Retry, Settled, Settlement};
use rollbook_store::{DeadLetters, Kept, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::consume::{Consuming, Handled, Handler};
use crate::meters::DeliveryMeters;
use crate::patience::Patience;
use crate::recovery::{Recovery, Sickness, Work};

/// The processor of a letter that lost its headers.
const UNKNOWN: &str = "unknown";

/// Runs one keeper until `shutdown` is cancelled. `store` and `letters` are one database; the first
/// is only probed.
pub async fn run_keeper(
    queue: Arc<dyn Queue>,
    store: Arc<dyn Store>,
    letters: Arc<dyn DeadLetters>,
    context: Arc<Context>,
    shutdown: CancellationToken,
) {
    let name = ProcessorName::new(DEAD_LETTERS);
    let recovery = Recovery::new(store, "keeper", &context.options, shutdown.clone());
    let meters = DeliveryMeters::new(&context.metrics, DEAD_LETTERS);
    let keeper = Keeper { letters, recovery, context: Arc::clone(&context) };
    let options = &context.options;
    let tally = context.in_flight.tally(&name);
    Consuming { name, queue, handler: &keeper, recovery: &keeper.recovery, options, meters, shutdown }.run(tally).await;
}

struct Keeper {
    letters: Arc<dyn DeadLetters>,
    recovery: Recovery,
    context: Arc<Context>,
}

#[async_trait]
impl Handler for Keeper {
    async fn handle(&self, deliveries: Vec<Delivery>) -> Handled {
        let now = (self.context.clock)();
        let kept: Vec<Kept> = deliveries.iter().map(|delivery| letter(delivery, now)).collect();
        let post = Post { letters: &*self.letters, kept: &kept };
        let ends = self.recovery.see_through(&post, kept.len()).await;
        rollbook_crash::point("keeper.kept");
        let mut handled = Handled::default();
        for (delivery, end) in deliveries.iter().zip(ends) {
            match end {
                Some(end) => {
                    let settlement = self.settlement(delivery, end);
                    handled.settled.push(Settled { tag: delivery.tag, settlement });
                }
                None => handled.released.push(delivery.tag),
            }
        }
        handled
    }
}

impl Keeper {
    fn settlement(&self, delivery: &Delivery, end: Filing) -> Settlement {
        match end {
            Filing::Kept => Settlement::ack(),
            Filing::NotTaken => {
                let (after, attempts) = (self.context.options.keeper_retry, delivery.attempts.saturating_add(1));
                Settlement { dead_letters: Vec::new(), retry: Some(Retry { after, attempts }) }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Filing {
    Kept,
    /// It stays in the queue and comes again.
    NotTaken,
}

/// Letters on their way into the store.
struct Post<'a> {
    letters: &'a dyn DeadLetters,
    kept: &'a [Kept],
}

#[async_trait]
impl Work for Post<'_> {
    type End = Filing;

    async fn commit(&self, items: Range<usize>, patience: &Patience) -> Result<Vec<Filing>, StoreError> {
        patience.wait(self.letters.keep(&self.kept[items.clone()])).await?;
        Ok(vec![Filing::Kept; items.len()])
    }

    fn sick(&self, item: usize, sickness: Sickness) -> Filing {
        let letter = &self.kept[item];
        tracing::error!(
            processor = letter.processor,
            reason = letter.reason,
            envelope = %letter.envelope.id,
            why = sickness.fault().detail,
            "the store does not take a dead letter; it stays in the queue"
        );
        Filing::NotTaken
    }
}

/// The queue's failure in the store's words. A delivery without one was given up by the queue.
fn letter(delivery: &Delivery, now: Timestamp) -> Kept {
    let envelope = delivery.envelope.clone();
    let Some(failure) = &delivery.failure else { return headless(delivery, now) };
    Kept {
        processor: failure.processor.to_string(),
        account: failure.account.to_string(),
        event_key: failure.event_key.to_string(),
        reason: failure.reason.to_string(),
        detail: failure.detail.clone(),
        amount: failure.amount.clone(),
        currency: failure.currency.clone(),
        attempts: failure.attempts,
        failed_at: failure.failed_at,
        envelope,
    }
}

fn headless(delivery: &Delivery, now: Timestamp) -> Kept {
    Kept {
        processor: UNKNOWN.to_owned(),
        account: delivery.envelope.source.to_string(),
        event_key: EventKey::other(&delivery.envelope.delivery_key).to_string(),
        reason: reasons::BROKER_DEAD_LETTERED.to_string(),
        detail: "the queue itself gave up on this delivery".to_owned(),
        amount: None,
        currency: None,
        attempts: delivery.attempts,
        failed_at: now,
        envelope: delivery.envelope.clone(),
    }
}

#[cfg(test)]
mod tests;
