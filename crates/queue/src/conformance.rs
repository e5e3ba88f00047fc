//! What every queue must do, as cases that know the port alone.
//!
//! An adapter implements [`Harness`] and calls [`queue_conformance!`](crate::queue_conformance) in
//! its tests; each case becomes a test of its own. A case waits for what must come, and uses a short
//! quiet time only to show that something does not.

mod crashes;
mod dead_letters;
mod deliveries;
mod depths;
mod retries;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use rollbook_domain::{Clock, Envelope, EnvelopeId, EventKey, ProcessorName, Reason};

pub use crashes::*;
pub use dead_letters::*;
pub use deliveries::*;
pub use depths::*;
pub use retries::*;

use crate::{Consumer, Delivery, DeliveryTag, Failure, Message, Queue, Settled, Settlement};

/// One queue under test; empty when it is made.
#[async_trait]
pub trait Harness: Send {
    fn queue(&self) -> Arc<dyn Queue>;

    /// Kills the queue and opens it again on what was durable. Consumers made before are dead and
    /// can settle nothing any more.
    async fn crash(&mut self);

    fn now(&self) -> Timestamp;

    /// Lets time pass. A queue whose clock cannot be set sleeps.
    async fn advance(&mut self, by: Duration);

    /// A broker may count a delivery that was handed back as a redelivery.
    fn counts_released(&self) -> bool {
        false
    }

    /// A broker may know only what is ready.
    fn tells_every_depth(&self) -> bool {
        true
    }
}

/// Makes a test of each case. `$make` is an async function without arguments that returns a fresh
/// [`Harness`](crate::conformance::Harness).
#[macro_export]
macro_rules! queue_conformance {
    ($make:path) => {
        $crate::queue_conformance! { @cases $make:
            published_is_received_once
            each_processor_gets_a_delivery_of_its_own
            all_of_the_envelope_is_kept
            max_and_wait_are_respected
            a_waiting_consumer_is_woken_by_a_message
            released_comes_again_without_being_counted
            what_a_dropped_consumer_held_comes_again
            a_cancelled_receive_loses_nothing
            two_consumers_never_hold_one_delivery
            two_thousand_pushed_at_once_all_arrive
            unsettled_comes_again_after_a_crash
            settled_stays_settled_after_a_crash
            a_suspect_comes_alone_and_its_neighbours_are_not_counted
            a_retry_comes_at_its_time
            a_waiting_consumer_is_woken_at_the_due_time
            a_retry_survives_a_crash_and_resets_redeliveries
            a_dead_letter_carries_everything
            several_failures_are_several_dead_letters
            ack_dead_letters_and_retry_at_once
            a_dead_letter_outlives_its_delivery_and_a_crash
            depths_are_exact
        }
    };
    (@cases $make:path: $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$case(&mut $make().await).await;
            }
        )*
    };
}

/// A clock that runs with real time and can be moved on. It starts at a fixed instant.
#[derive(Clone)]
pub struct TestClock {
    started: Instant,
    moved_us: Arc<AtomicU64>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { started: Instant::now(), moved_us: Arc::default() }
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestClock({})", self.now())
    }
}

impl TestClock {
    pub fn now(&self) -> Timestamp {
        let moved = Duration::from_micros(self.moved_us.load(Ordering::SeqCst));
        start() + (self.started.elapsed() + moved)
    }

    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.moved_us.fetch_add(by, Ordering::SeqCst);
    }

    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }
}

/// To the microsecond, which is what every queue keeps.
fn start() -> Timestamp {
    Timestamp::constant(1_793_491_200, 123_456_000)
}

/// Long enough for any queue on a busy machine; a case that passes never waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long nothing must come.
const QUIET: Duration = Duration::from_millis(60);

fn to(names: &[&str]) -> Vec<ProcessorName> {
    names.iter().map(ProcessorName::new).collect()
}

/// A message to tell from others: its id, key and body hold `number`.
pub fn message(number: u32, names: &[&str]) -> Message {
    let mut random = [0; 10];
    random[..4].copy_from_slice(&number.to_be_bytes());
    let envelope = Envelope {
        id: EnvelopeId::at(start(), random),
        source: "cybersource".into(),
        delivery_key: format!("key-{number}").into(),
        received_at: start(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        trace: None,
        body: Bytes::from(format!("body {number}")),
    };
    Message { envelope, to: to(names), redecide: false }
}

fn failure(number: u32) -> Failure {
    Failure {
        processor: "membership".into(),
        account: "outing-club".into(),
        event_key: EventKey::captured(&format!("t-{number}")),
        reason: Reason::read("wrong_amount".to_owned()),
        detail: "The plan costs 15.00, „not“ 14.99.".to_owned(),
        amount: Some("14.99".to_owned()),
        currency: Some("USD".to_owned()),
        attempts: 3,
        failed_at: start(),
    }
}

async fn publish(harness: &impl Harness, message: Message) {
    harness.queue().publisher().publish(message).await.expect("published");
}

async fn consumer(harness: &impl Harness, name: &str) -> Box<dyn Consumer> {
    harness.queue().consumer(&name.into()).await.expect("a consumer")
}

/// Exactly `count` deliveries, in as many batches as it takes, and no more after them.
async fn receive(consumer: &mut Box<dyn Consumer>, count: usize) -> Vec<Delivery> {
    let mut received = Vec::new();
    while received.len() < count {
        let batch = consumer.receive(count - received.len(), PATIENCE).await.expect("received");
        assert!(!batch.is_empty(), "only {} of {count} deliveries came", received.len());
        received.extend(batch);
    }
    received
}

async fn receive_one(consumer: &mut Box<dyn Consumer>) -> Delivery {
    receive(consumer, 1).await.remove(0)
}

async fn nothing_comes(consumer: &mut Box<dyn Consumer>) {
    let batch = consumer.receive(10, QUIET).await.expect("received");
    assert!(batch.is_empty(), "came unexpectedly: {batch:?}");
}

async fn settle(consumer: &mut Box<dyn Consumer>, tag: DeliveryTag, settlement: Settlement) {
    consumer.settle(vec![Settled { tag, settlement }]).await.expect("settled");
}

async fn ack(consumer: &mut Box<dyn Consumer>, deliveries: &[Delivery]) {
    let settled = deliveries.iter().map(|delivery| Settled { tag: delivery.tag, settlement: Settlement::ack() });
    consumer.settle(settled.collect()).await.expect("settled");
}
