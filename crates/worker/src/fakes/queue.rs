//! A queue in memory, on the paused clock of the tests.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;
use rollbook_queue::{
    ALONE_FROM_REDELIVERY, Consumer, DEAD_LETTERS, Delivery, DeliveryTag, Failure, Message, PublishError, Publisher,
    Queue, QueueDepth, QueueError, Settled, Settlement,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

#[derive(Clone, Default)]
pub(crate) struct FakeQueue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<Contents>,
    changed: Notify,
}

#[derive(Default)]
pub(crate) struct Contents {
    tags: u64,
    waiting: Vec<(ProcessorName, Instant, Delivery)>,
    pub held: BTreeMap<DeliveryTag, (ProcessorName, Delivery)>,
    pub settlements: Vec<(Delivery, Settlement)>,
    pub released: usize,
    pub published: Vec<Message>,
    /// Envelope bodies that cannot be published.
    pub unpublishable: HashSet<String>,
    /// How many calls of each consumer-side kind are still to fail.
    pub failing: u32,
    /// How many settlements are lost before anything of them is done.
    pub failing_settlements: u32,
    pub consumers: u32,
}

impl FakeQueue {
    pub(crate) fn look(&self) -> MutexGuard<'_, Contents> {
        self.0.state.lock().unwrap()
    }

    /// Puts a delivery into the queue `to`, due now.
    pub(crate) fn put(&self, to: &str, delivery: Delivery) {
        self.look().waiting.push((to.into(), Instant::now(), delivery));
        self.0.changed.notify_waiters();
    }

    /// Waits for a state, without polling. Nothing takes half a day on the clock of the tests.
    pub(crate) async fn until(&self, reached: impl Fn(&Contents) -> bool) {
        let waiting = async {
            loop {
                let changed = self.0.changed.notified();
                if reached(&self.look()) {
                    return;
                }
                changed.await;
            }
        };
        timeout(Duration::from_hours(12), waiting).await.expect("the queue never got there");
    }

    /// Waits until nothing of `queue` waits or is held.
    pub(crate) async fn empty(&self, queue: &str) {
        self.until(|held| {
            let here = |name: &ProcessorName| name.as_str() == queue;
            !held.waiting.iter().any(|(name, ..)| here(name)) && !held.held.values().any(|(name, _)| here(name))
        })
        .await;
    }

    pub(crate) fn dead_letters(&self) -> Vec<Failure> {
        self.look().settlements.iter().flat_map(|(_, settlement)| settlement.dead_letters.clone()).collect()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        let result = change(&mut self.look());
        self.0.changed.notify_waiters();
        result
    }

    fn fail(&self) -> Result<(), QueueError> {
        let mut held = self.look();
        if held.failing > 0 {
            held.failing -= 1;
            return Err(QueueError::Unavailable("on purpose".into()));
        }
        Ok(())
    }
}

impl Contents {
    fn take(&mut self, queue: &ProcessorName, max: usize) -> Vec<Delivery> {
        let mut taken: Vec<Delivery> = Vec::new();
        let now = Instant::now();
        let mut index = 0;
        while index < self.waiting.len() && taken.len() < max {
            let (name, due, delivery) = &self.waiting[index];
            let alone = delivery.redeliveries >= ALONE_FROM_REDELIVERY;
            if name != queue || *due > now || (alone && !taken.is_empty()) {
                index += 1;
                continue;
            }
            let (_, _, mut delivery) = self.waiting.remove(index);
            self.tags += 1;
            delivery.tag = DeliveryTag(self.tags);
            self.held.insert(delivery.tag, (queue.clone(), delivery.clone()));
            taken.push(delivery);
            if alone {
                break;
            }
        }
        taken
    }

    fn next_due(&self, queue: &ProcessorName) -> Option<Instant> {
        self.waiting.iter().filter(|(name, ..)| name == queue).map(|(_, due, _)| *due).min()
    }

    fn settle(&mut self, Settled { tag, settlement }: Settled) {
        let (queue, delivery) = self.held.remove(&tag).expect("only what is held can be settled");
        if let Some(retry) = settlement.retry {
            let again = Delivery { attempts: retry.attempts, redeliveries: 0, ..delivery.clone() };
            self.waiting.push((queue, Instant::now() + retry.after, again));
        }
        for failure in &settlement.dead_letters {
            let letter = Delivery { failure: Some(failure.clone()), attempts: 0, ..delivery.clone() };
            self.waiting.push((DEAD_LETTERS.into(), Instant::now(), letter));
        }
        self.settlements.push((delivery, settlement));
    }

    /// As after a crash or a lost connection: what was handed out comes again and is counted.
    fn hand_back(&mut self) {
        for (_, (queue, delivery)) in std::mem::take(&mut self.held) {
            let again = Delivery { redeliveries: delivery.redeliveries + 1, ..delivery };
            self.waiting.push((queue, Instant::now(), again));
        }
    }
}

struct FakeConsumer(FakeQueue, ProcessorName);

#[async_trait]
impl Consumer for FakeConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let until = Instant::now() + wait;
        loop {
            self.0.fail()?;
            let changed = self.0.0.changed.notified();
            let (taken, due) = self.0.change_quietly(|held| (held.take(&self.1, max), held.next_due(&self.1)));
            if !taken.is_empty() || Instant::now() >= until {
                return Ok(taken);
            }
            let wake = due.map_or(until, |due| due.min(until));
            tokio::select! {
                () = changed => {}
                () = sleep_until(wake) => {}
            }
        }
    }

    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), QueueError> {
        let lost = self.0.change(|held| {
            let lost = held.failing_settlements > 0;
            held.failing_settlements = held.failing_settlements.saturating_sub(1);
            if lost {
                held.hand_back();
            }
            lost
        });
        if lost {
            return Err(QueueError::Unavailable("on purpose".into()));
        }
        self.0.change(|held| settled.into_iter().for_each(|one| held.settle(one)));
        Ok(())
    }

    async fn release(&mut self, tags: Vec<DeliveryTag>) -> Result<(), QueueError> {
        self.0.change(|held| {
            for tag in tags {
                let (queue, delivery) = held.held.remove(&tag).expect("only what is held can be released");
                held.released += 1;
                held.waiting.push((queue, Instant::now(), delivery));
            }
        });
        Ok(())
    }
}

impl FakeQueue {
    /// Taking wakes nobody, or two consumers would wake each other for ever.
    fn change_quietly<T>(&self, change: impl FnOnce(&mut Contents) -> T) -> T {
        change(&mut self.look())
    }
}

#[async_trait]
impl Publisher for FakeQueue {
    async fn publish(&self, message: Message) -> Result<(), PublishError> {
        let body = String::from_utf8_lossy(&message.envelope.body).into_owned();
        if self.look().unpublishable.contains(&body) {
            return Err(PublishError::Unavailable("on purpose".into()));
        }
        self.change(|held| {
            for to in &message.to {
                let blank = super::delivery(0, "");
                let delivery = Delivery { envelope: message.envelope.clone(), redecide: message.redecide, ..blank };
                held.waiting.push((to.clone(), Instant::now(), delivery));
            }
            held.published.push(message);
        });
        Ok(())
    }
}

#[async_trait]
impl Queue for FakeQueue {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(self.clone())
    }

    async fn consumer(&self, queue: &ProcessorName) -> Result<Box<dyn Consumer>, QueueError> {
        self.fail()?;
        self.look().consumers += 1;
        Ok(Box::new(FakeConsumer(self.clone(), queue.clone())))
    }

    async fn depths(&self, queues: &[ProcessorName]) -> Result<Vec<QueueDepth>, QueueError> {
        let held = self.look();
        let depth = |name: &ProcessorName| QueueDepth {
            processor: name.to_string(),
            ready: held.waiting.iter().filter(|(queue, ..)| queue == name).count() as u64,
            in_flight: 0,
            retrying: 0,
            oldest_age_s: 7,
        };
        Ok(queues.iter().map(depth).collect())
    }

    async fn close(&self) {}
}
