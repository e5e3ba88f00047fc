//! One transaction: seen, load, plan, write, commit.
//!
//! Nothing slow stands between begin and commit: events were translated before, and planning
//! touches only memory.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rollbook_domain::{
    Change, Decision, Envelope, EnvelopeId, Event, FactRef, Outcome, Processor, ProcessorName, Reads, Reason, Seen,
    State, Verdict, plan,
};
use rollbook_ledger::Command;
use rollbook_queue::Delivery;
use rollbook_store::{Batch, Outgoing, SettledEvent, Store, StoreError, Tx};
use tokio::time::Instant;

use crate::meters::EventMeters;
use crate::outcome::Fate;
use crate::patience::Patience;
use crate::prepare::{Item, Prepared};
use crate::{Context, announce};

/// One processor at its store.
pub(crate) struct Desk {
    pub name: ProcessorName,
    pub processor: Arc<dyn Processor>,
    pub store: Arc<dyn Store>,
    pub context: Arc<Context>,
    pub meters: EventMeters,
}

type Settled = HashMap<FactRef, Seen>;

impl Desk {
    /// Decides on a part of the items and writes what follows: all of it or nothing.
    pub(crate) async fn transact(
        &self,
        prepared: &Prepared,
        open: &Open,
        part: Range<usize>,
        patience: &Patience,
    ) -> Result<Vec<Fate>, StoreError> {
        let started = Instant::now();
        let items = &prepared.items[part.clone()];
        let mut tx = patience.wait(self.store.begin()).await?;
        let (seen, mut state) = self.load(&mut *tx, items, &prepared.events[part.clone()]).await?;
        rollbook_crash::point("worker.loaded");
        let events = grant(&prepared.events[part], items, &seen);
        let verdicts = plan(&*self.processor, &events, &mut state);
        let mut minutes = Minutes::new(self, &prepared.deliveries);
        let decided = items.iter().zip(events.iter()).zip(verdicts);
        let fates = decided.map(|((item, (event, redecide)), verdict)| minutes.note(item, event, *redecide, verdict));
        let fates: Vec<Fate> = fates.collect();
        let closed = open.without(items, &fates);
        minutes.batch.commands = commands(&minutes.batch.settled, minutes.batch.processed_at)?;
        minutes.batch.settled_envelopes = closed.settled(items, &prepared.deliveries);
        self.commit(tx, &minutes.batch, started).await?;
        open.replace(closed);
        Ok(fates)
    }

    /// What is settled of these items already, and the records that deciding on the others needs.
    async fn load(
        &self,
        tx: &mut dyn Tx,
        items: &[Item],
        events: &[(Event, bool)],
    ) -> Result<(Settled, State), StoreError> {
        let facts: BTreeSet<FactRef> = items.iter().map(|item| item.fact.clone()).collect();
        let seen = tx.seen(&self.name, &facts).await?;
        let mut reads = Reads::default();
        for (item, (_, redecide)) in items.iter().zip(events) {
            if *redecide || !seen.contains_key(&item.fact) {
                reads.merge(item.reads.clone());
            }
        }
        let mut state = tx.load(&self.name, &reads).await?;
        state.outcomes.extend(seen.clone());
        Ok((seen, state))
    }

    /// A batch in which nothing was settled leaves no trace; dropping the transaction ends it.
    async fn commit(&self, mut tx: Box<dyn Tx>, batch: &Batch, started: Instant) -> Result<(), StoreError> {
        if batch.settled.is_empty() && batch.duplicates.is_empty() {
            return Ok(());
        }
        tx.write(batch).await?;
        tx.commit().await?;
        rollbook_crash::point("worker.committed");
        self.meters.committed(started.elapsed(), batch.settled.len());
        self.note_ages(batch);
        Ok(())
    }

    fn note_ages(&self, batch: &Batch) {
        let now = (self.context.clock)();
        let received: HashMap<EnvelopeId, Timestamp> =
            batch.envelopes.iter().map(|envelope| (envelope.id, envelope.received_at)).collect();
        for event in &batch.settled {
            if let Some(at) = received.get(&event.envelope) {
                self.meters.since_receipt(now.duration_since(*at));
            }
        }
    }
}

/// How many events of each delivery are not settled for good. A batch may be written in parts, so
/// the events of one delivery may be settled by several transactions.
pub(crate) struct Open(Mutex<Left>);

/// By index of the delivery.
struct Left(Vec<usize>);

impl Open {
    pub(crate) fn new(prepared: &Prepared) -> Self {
        let mut left = vec![0; prepared.deliveries.len()];
        let failed = prepared.failed.iter().map(|(delivery, _)| *delivery);
        for delivery in failed.chain(prepared.items.iter().map(|item| item.delivery)) {
            left[delivery] += 1;
        }
        Self(Mutex::new(Left(left)))
    }

    /// What would be left if these ends were committed.
    fn without(&self, items: &[Item], fates: &[Fate]) -> Left {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        for (item, fate) in items.iter().zip(fates) {
            if !matches!(fate, Fate::Deferred(_) | Fate::Failed(_)) {
                left[item.delivery] -= 1;
            }
        }
        Left(left)
    }

    fn replace(&self, left: Left) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

impl Left {
    /// The envelopes of these items that have nothing left.
    fn settled(&self, items: &[Item], deliveries: &[Delivery]) -> Vec<EnvelopeId> {
        let done: BTreeSet<usize> =
            items.iter().map(|item| item.delivery).filter(|delivery| self.0[*delivery] == 0).collect();
        done.into_iter().map(|delivery| deliveries[delivery].envelope.id).collect()
    }
}

/// An operator's wish to decide anew holds for a fact that is recorded as ignored, and once a
/// batch: two replays of one dead letter must not write its row twice.
fn grant<'a>(events: &'a [(Event, bool)], items: &[Item], seen: &Settled) -> Cow<'a, [(Event, bool)]> {
    if !events.iter().any(|(_, redecide)| *redecide) {
        return Cow::Borrowed(events);
    }
    let mut granted = HashSet::new();
    let mut grant_one = |asked: bool, fact: &FactRef| {
        let ignored = seen.get(fact).is_some_and(|seen| seen.outcome == Outcome::Ignored);
        asked && ignored && granted.insert(fact.clone())
    };
    let pairs = events.iter().zip(items);
    pairs.map(|((event, asked), item)| (event.clone(), grant_one(*asked, &item.fact))).collect()
}

/// Takes down what a batch decided.
struct Minutes<'a> {
    desk: &'a Desk,
    deliveries: &'a [Delivery],
    kept: HashSet<EnvelopeId>,
    batch: Batch,
}

impl<'a> Minutes<'a> {
    fn new(desk: &'a Desk, deliveries: &'a [Delivery]) -> Self {
        let batch = Batch {
            processor: desk.name.clone(),
            rules: desk.context.rules.clone(),
            processed_at: (desk.context.clock)(),
            envelopes: Vec::new(),
            settled: Vec::new(),
            duplicates: Vec::new(),
            settled_envelopes: Vec::new(),
            outgoing: Vec::new(),
            commands: Vec::new(),
        };
        Self { desk, deliveries, kept: HashSet::new(), batch }
    }

    fn note(&mut self, item: &Item, event: &Event, redecided: bool, verdict: Verdict) -> Fate {
        let Verdict::Decided { decision, digest } = verdict else {
            self.batch.duplicates.push(item.fact.clone());
            return Fate::Duplicate;
        };
        let (outcome, reason, changes) = match finish(decision) {
            Ok(finished) => finished,
            Err(open) => return open,
        };
        let envelope = &self.deliveries[item.delivery].envelope;
        self.keep(envelope);
        self.announce(event, envelope, &changes);
        self.batch.settled.push(SettledEvent {
            fact: item.fact.clone(),
            source: event.source.clone(),
            envelope: envelope.id,
            kind: event.fact.kind(),
            occurred_at: event.occurred_at,
            digest,
            outcome,
            reason,
            changes,
            redecided,
        });
        fate(outcome)
    }

    fn keep(&mut self, envelope: &Envelope) {
        if self.kept.insert(envelope.id) {
            self.batch.envelopes.push(envelope.clone());
        }
    }

    /// No row without a subscriber.
    fn announce(&mut self, cause: &Event, from: &Envelope, changes: &[Change]) {
        for change in changes {
            let Change::Emit(announcement) = change else { continue };
            let listeners = self.desk.context.subscribers.get(&announce::kind(announcement));
            for to in listeners.into_iter().flatten().cloned() {
                let now = self.batch.processed_at;
                let envelope = announce::envelope(announcement, cause, now, from.trace.clone());
                self.batch.outgoing.push(Outgoing { envelope, to });
            }
        }
    }
}

/// What the ledger is to do for what was earned: one command a fact.
fn commands(settled: &[SettledEvent], now: Timestamp) -> Result<Vec<Command>, StoreError> {
    let earnings = |event: &SettledEvent| {
        let earned = event.changes.iter().filter_map(|change| match change {
            Change::Earn(earning) => Some(&**earning),
            _ => None,
        });
        Command::earning(earned, now)
    };
    let commands = settled.iter().filter_map(|event| earnings(event).transpose());
    commands.collect::<Result<_, _>>().map_err(|malformed| StoreError::Refused(malformed.into()))
}

/// What a final decision leaves behind; the fate of an event that stays open.
fn finish(decision: Decision) -> Result<(Outcome, Option<Reason>, Vec<Change>), Fate> {
    match decision {
        Decision::Apply(changes) => Ok((Outcome::Applied, None, changes)),
        Decision::Ignore(reason) => Ok((Outcome::Ignored, Some(reason), Vec::new())),
        Decision::Reject(reason) => Ok((Outcome::Rejected, Some(reason), Vec::new())),
        Decision::Defer(fault) => Err(Fate::Deferred(fault)),
        Decision::Fail(fault) => Err(Fate::Failed(fault)),
    }
}

fn fate(outcome: Outcome) -> Fate {
    match outcome {
        Outcome::Applied => Fate::Applied,
        Outcome::Ignored => Fate::Ignored,
        Outcome::Rejected => Fate::Rejected,
    }
}
