//! A processor at work: its deliveries in, their settlements out.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use rollbook_domain::{FactKind, Processor, ProcessorName};
use rollbook_queue::{Delivery, Queue, Settled};
use rollbook_store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::consume::{Consuming, Handled, Handler, Reported};
use crate::meters::{DeliveryMeters, EventMeters};
use crate::outcome::{End, Fate, Terms, is_dead, settlement};
use crate::patience::Patience;
use crate::prepare::{Prepared, prepare};
use crate::recovery::{Recovery, Sickness, Work};
use crate::transact::{Desk, Open};

/// Runs one worker of one processor until `shutdown` is cancelled; then finishes and settles the
/// batch in hand and returns. Several may run at once, here and in other processes.
pub async fn run_processor(
    processor: Arc<dyn Processor>,
    queue: Arc<dyn Queue>,
    store: Arc<dyn Store>,
    context: Arc<Context>,
    shutdown: CancellationToken,
) {
    let name = ProcessorName::new(processor.name());
    let recovery = Recovery::new(Arc::clone(&store), name.as_str(), &context.options, shutdown.clone());
    let meters = EventMeters::new(&context.metrics, name.as_str());
    let desk = Desk { name: name.clone(), processor, store, context: Arc::clone(&context), meters };
    let clerk = Clerk { desk, recovery };
    let meters = DeliveryMeters::new(&context.metrics, name.as_str());
    let options = &context.options;
    let tally = context.in_flight.tally(&name);
    Consuming { name, queue, handler: &clerk, recovery: &clerk.recovery, options, meters, shutdown }.run(tally).await;
}

/// Handles the deliveries of one processor.
struct Clerk {
    desk: Desk,
    recovery: Recovery,
}

#[async_trait]
impl Handler for Clerk {
    async fn handle(&self, deliveries: Vec<Delivery>) -> Handled {
        let prepared = prepare(&*self.desk.processor, &self.desk.context, deliveries);
        let batch = InHand { desk: &self.desk, prepared: &prepared, open: Open::new(&prepared) };
        let fates = self.recovery.see_through(&batch, prepared.items.len()).await;
        let handled = self.fold(prepared, fates);
        rollbook_crash::point("worker.settling");
        handled
    }

    fn report(&self, dead: &[Reported]) {
        for Reported { envelope, kind, failure } in dead {
            tracing::warn!(
                processor = %failure.processor,
                reason = %failure.reason,
                kind,
                envelope = %envelope,
                event_key = %failure.event_key,
                attempts = failure.attempts,
                "dead letter"
            );
        }
    }
}

impl Clerk {
    /// Brings the ends of events together by delivery.
    fn fold(&self, prepared: Prepared, fates: Vec<Option<Fate>>) -> Handled {
        let mut ends: Vec<Option<Vec<End>>> = prepared.deliveries.iter().map(|_| Some(Vec::new())).collect();
        for (delivery, end) in prepared.failed {
            ends[delivery].get_or_insert_default().push(end);
        }
        for ((item, (event, _)), fate) in prepared.items.into_iter().zip(prepared.events).zip(fates) {
            let kind = Some(event.fact.kind());
            let slot = &mut ends[item.delivery];
            // One event left undone leaves its whole delivery undone.
            *slot = slot.take().zip(fate).map(|(mut ends, fate)| {
                ends.push(End { fact: item.fact, kind, fate });
                ends
            });
        }
        let mut handled = Handled::default();
        for (delivery, ends) in prepared.deliveries.iter().zip(ends) {
            match ends {
                Some(ends) => self.settle(delivery, &ends, &mut handled),
                None => handled.released.push(delivery.tag),
            }
        }
        handled
    }

    fn settle(&self, delivery: &Delivery, ends: &[End], handled: &mut Handled) {
        let context = &self.desk.context;
        let next = context.schedule.after(delivery.attempts + 1, (context.random)());
        let terms = Terms { processor: &self.desk.name, next, now: (context.clock)() };
        for end in ends {
            self.desk.meters.ended(&end.fate, is_dead(&end.fate, next));
        }
        let settlement = settlement(delivery, ends, &terms);
        handled.reported.extend(settlement.dead_letters.iter().map(|failure| Reported {
            envelope: delivery.envelope.id,
            kind: kind_of(ends, failure),
            failure: failure.clone(),
        }));
        handled.settled.push(Settled { tag: delivery.tag, settlement });
    }
}

fn kind_of(ends: &[End], failure: &rollbook_queue::Failure) -> &'static str {
    let end = ends.iter().find(|end| end.fact.key == failure.event_key && end.fact.account == failure.account);
    end.and_then(|end| end.kind).map_or("unread", FactKind::as_str)
}

/// A prepared batch on its way into the store.
struct InHand<'a> {
    desk: &'a Desk,
    prepared: &'a Prepared,
    open: Open,
}

#[async_trait]
impl Work for InHand<'_> {
    type End = Fate;

    async fn commit(&self, items: Range<usize>, patience: &Patience) -> Result<Vec<Fate>, StoreError> {
        self.desk.transact(self.prepared, &self.open, items, patience).await
    }

    fn sick(&self, _item: usize, sickness: Sickness) -> Fate {
        Fate::Deferred(sickness.fault())
    }
}

#[cfg(test)]
mod tests;
