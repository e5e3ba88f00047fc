//! Preparation: everything about a batch that can be done before a transaction is open.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rollbook_domain::{Event, FactRef, Fault, Processor, Reads, reasons};
use rollbook_queue::Delivery;

use crate::outcome::{End, Fate};
use crate::translate::panicked;
use crate::{Context, Sources};

/// A batch of deliveries and the events in them.
#[derive(Default)]
pub(crate) struct Prepared {
    pub deliveries: Vec<Delivery>,
    /// In order of the deliveries, and within one in the provider's order.
    pub items: Vec<Item>,
    /// The event of each item, and whether an operator asked to decide on it anew. Apart from
    /// the items because planning takes it as one slice.
    pub events: Vec<(Event, bool)>,
    /// What failed already, with the index of its delivery.
    pub failed: Vec<(usize, End)>,
}

/// One event that can be decided.
pub(crate) struct Item {
    /// Index of its delivery.
    pub delivery: usize,
    pub fact: FactRef,
    pub reads: Reads,
}

/// Translates every delivery and asks the processor what it will read. Faults stay with the event
/// or delivery whose they are.
pub(crate) fn prepare(processor: &dyn Processor, context: &Context, deliveries: Vec<Delivery>) -> Prepared {
    let mut prepared = Prepared::default();
    for (index, delivery) in deliveries.iter().enumerate() {
        match events_of(context, delivery) {
            Ok(events) => events.into_iter().for_each(|event| prepared.add(processor, index, delivery, event)),
            Err(fault) => prepared.failed.push((index, unread(&context.sources, delivery, fault))),
        }
    }
    prepared.deliveries = deliveries;
    prepared
}

impl Prepared {
    fn add(&mut self, processor: &dyn Processor, delivery: usize, from: &Delivery, event: Event) {
        let fact = FactRef { account: event.account.clone(), key: event.key.clone() };
        match reads(processor, &event) {
            Ok(reads) => {
                self.items.push(Item { delivery, fact, reads });
                self.events.push((event, from.redecide));
            }
            Err(fault) => {
                self.failed.push((delivery, End { fact, kind: Some(event.fact.kind()), fate: Fate::Failed(fault) }));
            }
        }
    }
}

/// A delivery that was handed out too often is not even looked at.
fn events_of(context: &Context, delivery: &Delivery) -> Result<Vec<Event>, Fault> {
    if delivery.redeliveries >= context.options.kills_from_redelivery {
        let detail = format!("handed out {} times and never settled", delivery.redeliveries);
        return Err(Fault { reason: reasons::KILLS_WORKER, detail, amount: None });
    }
    context.sources.translate(&delivery.envelope)
}

fn unread(sources: &Sources, delivery: &Delivery, fault: Fault) -> End {
    End { fact: sources.unread(&delivery.envelope), kind: None, fate: Fate::Failed(fault) }
}

/// An unwanted event reads nothing; planning will ignore it.
fn reads(processor: &dyn Processor, event: &Event) -> Result<Reads, Fault> {
    if !processor.wants().contains(&event.fact.kind()) {
        return Ok(Reads::default());
    }
    catch_unwind(AssertUnwindSafe(|| processor.reads(event))).map_err(|_| panicked("processor"))
}
