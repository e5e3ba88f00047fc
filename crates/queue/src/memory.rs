//! The in-memory queue: the port's model, for the tests of everything that consumes.
//!
//! It keeps every promise but durability, and even a crash can be played ([`MemoryQueue::crash`]).
//! It scans all deliveries at each step, which is fine for a test and for nothing else.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{Clock, Envelope, ProcessorName};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::{
    ALONE_FROM_REDELIVERY, Consumer, DEAD_LETTERS, Delivery, DeliveryTag, Failure, Message, PublishError, Publisher,
    Queue, QueueDepth, QueueError, Settled,
};

/// The clock may be set while a consumer waits for a due time, so it looks again this often.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Clones share one queue.
#[derive(Clone)]
pub struct MemoryQueue {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    held: BTreeMap<DeliveryTag, Held>,
    last_tag: u64,
    last_consumer: u64,
    /// Crashes so far. A consumer of an earlier life is answered with an error.
    life: u64,
}

struct Held {
    queue: ProcessorName,
    envelope: Envelope,
    redecide: bool,
    failure: Option<Failure>,
    attempts: u32,
    handed_out: u32,
    due: Timestamp,
    published_at: Timestamp,
    holder: Option<u64>,
}

impl MemoryQueue {
    pub fn new(clock: Clock) -> Self {
        Self { shared: Arc::new(Shared { clock, state: Mutex::default(), arrived: Notify::new() }) }
    }

    /// What a killed process leaves behind: nothing is settled, everything handed out comes again,
    /// and today's consumers are dead.
    pub fn crash(&self) {
        let mut state = self.shared.state();
        state.life += 1;
        state.held.values_mut().for_each(|held| held.holder = None);
        self.shared.arrived.notify_waiters();
    }
}

impl Shared {
    /// A test that panicked while it held the lock has failed already.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self, message: &Message) {
        let now = (self.clock)();
        let mut state = self.state();
        for queue in &message.to {
            state.insert(Held {
                queue: queue.clone(),
                envelope: message.envelope.clone(),
                redecide: message.redecide,
                failure: None,
                attempts: 0,
                handed_out: 0,
                due: now,
                published_at: now,
                holder: None,
            });
        }
        self.arrived.notify_waiters();
    }
}

impl State {
    fn insert(&mut self, held: Held) {
        self.last_tag += 1;
        self.held.insert(DeliveryTag(self.last_tag), held);
    }

    fn claim(&mut self, queue: &ProcessorName, consumer: u64, max: usize, now: Timestamp) -> Vec<Delivery> {
        let free = |held: &Held| held.queue == *queue && held.holder.is_none() && held.due <= now;
        let due = self.held.iter().filter(|(_, held)| free(held));
        let mut due: Vec<_> = due.map(|(tag, held)| (held.due, *tag, held.handed_out)).collect();
        due.sort_unstable();
        due.truncate(max);
        let suspect = due.iter().position(|(.., redeliveries)| *redeliveries >= ALONE_FROM_REDELIVERY);
        due.truncate(suspect.map_or(max, |at| at.max(1)));
        due.into_iter().filter_map(|(_, tag, _)| Some(self.held.get_mut(&tag)?.hand_out(tag, consumer))).collect()
    }

    /// Only what this consumer still holds.
    fn take(&mut self, tag: DeliveryTag, consumer: u64) -> Option<Held> {
        let mine = self.held.get(&tag)?.holder == Some(consumer);
        if mine { self.held.remove(&tag) } else { None }
    }

    fn settle(&mut self, settled: Settled, consumer: u64, now: Timestamp) {
        let Some(held) = self.take(settled.tag, consumer) else { return };
        for failure in settled.settlement.dead_letters {
            self.insert(held.dead_letter(failure, now));
        }
        if let Some(retry) = settled.settlement.retry {
            let after = SignedDuration::try_from(retry.after).unwrap_or(SignedDuration::MAX);
            let due = now.checked_add(after).unwrap_or(Timestamp::MAX);
            let again = Held { attempts: retry.attempts, handed_out: 0, due, holder: None, ..held };
            self.held.insert(settled.tag, again);
        }
    }

    fn depth(&self, queue: &ProcessorName, now: Timestamp) -> QueueDepth {
        let here: Vec<&Held> = self.held.values().filter(|held| held.queue == *queue).collect();
        let count = |matches: &dyn Fn(&Held) -> bool| here.iter().filter(|held| matches(held)).count() as u64;
        let oldest = here.iter().map(|held| held.published_at).min();
        let age_s = oldest.map_or(0, |oldest| now.duration_since(oldest).as_secs());
        QueueDepth {
            processor: queue.to_string(),
            ready: count(&|held| held.holder.is_none() && held.due <= now),
            in_flight: count(&|held| held.holder.is_some()),
            retrying: count(&|held| held.holder.is_none() && held.due > now),
            oldest_age_s: u64::try_from(age_s).unwrap_or(0),
        }
    }
}

impl Held {
    fn hand_out(&mut self, tag: DeliveryTag, consumer: u64) -> Delivery {
        self.holder = Some(consumer);
        self.handed_out += 1;
        Delivery {
            tag,
            envelope: self.envelope.clone(),
            attempts: self.attempts,
            redeliveries: self.handed_out - 1,
            redecide: self.redecide,
            failure: self.failure.clone(),
        }
    }

    fn dead_letter(&self, failure: Failure, now: Timestamp) -> Self {
        Self {
            queue: DEAD_LETTERS.into(),
            envelope: self.envelope.clone(),
            redecide: self.redecide,
            failure: Some(failure),
            attempts: 0,
            handed_out: 0,
            due: now,
            published_at: now,
            holder: None,
        }
    }
}

struct MemoryPublisher {
    shared: Arc<Shared>,
}

#[async_trait]
impl Publisher for MemoryPublisher {
    async fn publish(&self, message: Message) -> Result<(), PublishError> {
        self.shared.store(&message);
        Ok(())
    }
}

struct MemoryConsumer {
    shared: Arc<Shared>,
    queue: ProcessorName,
    number: u64,
    life: u64,
}

impl MemoryConsumer {
    /// The state, unless a crash ended this consumer.
    fn alive(&self) -> Result<MutexGuard<'_, State>, QueueError> {
        let state = self.shared.state();
        if state.life == self.life { Ok(state) } else { Err(QueueError::Unavailable(crashed())) }
    }
}

fn crashed() -> Box<dyn Error + Send + Sync> {
    "this consumer died in a crash".into()
}

#[async_trait]
impl Consumer for MemoryConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let until = Instant::now() + wait;
        loop {
            let mut arrived = std::pin::pin!(self.shared.arrived.notified());
            arrived.as_mut().enable();
            let claimed = self.alive()?.claim(&self.queue, self.number, max, (self.shared.clock)());
            if !claimed.is_empty() || Instant::now() >= until {
                return Ok(claimed);
            }
            tokio::select! {
                () = arrived => {}
                () = sleep_until(until.min(Instant::now() + LOOK_AGAIN)) => {}
            }
        }
    }

    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), QueueError> {
        let now = (self.shared.clock)();
        let mut state = self.alive()?;
        for one in settled {
            state.settle(one, self.number, now);
        }
        self.shared.arrived.notify_waiters();
        Ok(())
    }

    async fn release(&mut self, tags: Vec<DeliveryTag>) -> Result<(), QueueError> {
        let mut state = self.alive()?;
        for tag in tags {
            let held = state.held.get_mut(&tag).filter(|held| held.holder == Some(self.number));
            if let Some(held) = held {
                held.holder = None;
                held.handed_out -= 1;
            }
        }
        self.shared.arrived.notify_waiters();
        Ok(())
    }
}

impl Drop for MemoryConsumer {
    fn drop(&mut self) {
        let Ok(mut state) = self.alive() else { return };
        for held in state.held.values_mut().filter(|held| held.holder == Some(self.number)) {
            held.holder = None;
        }
        self.shared.arrived.notify_waiters();
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(MemoryPublisher { shared: Arc::clone(&self.shared) })
    }

    async fn consumer(&self, queue: &ProcessorName) -> Result<Box<dyn Consumer>, QueueError> {
        let mut state = self.shared.state();
        state.last_consumer += 1;
        let (number, life) = (state.last_consumer, state.life);
        Ok(Box::new(MemoryConsumer { shared: Arc::clone(&self.shared), queue: queue.clone(), number, life }))
    }

    async fn depths(&self, queues: &[ProcessorName]) -> Result<Vec<QueueDepth>, QueueError> {
        let now = (self.shared.clock)();
        let state = self.shared.state();
        Ok(queues.iter().map(|queue| state.depth(queue, now)).collect())
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{Harness, TestClock};

    struct Memory {
        queue: MemoryQueue,
        clock: TestClock,
    }

    #[async_trait]
    impl Harness for Memory {
        fn queue(&self) -> Arc<dyn Queue> {
            Arc::new(self.queue.clone())
        }

        async fn crash(&mut self) {
            self.queue.crash();
        }

        fn now(&self) -> Timestamp {
            self.clock.now()
        }

        async fn advance(&mut self, by: Duration) {
            self.clock.advance(by);
        }
    }

    async fn memory() -> Memory {
        let clock = TestClock::default();
        Memory { queue: MemoryQueue::new(clock.clock()), clock }
    }

    crate::queue_conformance!(memory);
}
