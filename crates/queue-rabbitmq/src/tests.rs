//! The broker against the port's suite, and against all that the library and the broker do wrong.
//!
//! Every world has a prefix of its own, so tests share one broker. Those that hurt the broker itself
//! stand in `faults`, and run while nothing else does.

mod broker;
mod consuming;
mod examining;
mod faults;
mod proxy;
mod publishing;
mod suite;

mod topology;
mod unrouted;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rollbook_domain::{Clock, ProcessorName};
use rollbook_queue::conformance::message;
use rollbook_queue::{Consumer, Delivery, PublishError, Queue as _, Settled, Settlement};

use crate::tests::broker::Broker;
use crate::{Options, RabbitQueue};

/// Long enough for any broker on a busy machine; a test that passes never waits so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// What comes back must be back by then.
const HEALED: Duration = Duration::from_secs(15);

fn clock() -> Clock {
    Arc::new(|| Timestamp::constant(1_793_491_200, 0))
}

async fn queue(options: Options) -> Arc<RabbitQueue> {
    let queue = RabbitQueue::connect(options).await.unwrap();
    queue.declare(&names(&["membership"])).await.unwrap();
    queue
}

async fn world() -> (Broker, Arc<RabbitQueue>) {
    let broker = Broker::of_environment();
    let queue = queue(broker.options(broker.url.clone())).await;
    (broker, queue)
}

fn names(names: &[&str]) -> Vec<ProcessorName> {
    names.iter().map(ProcessorName::new).collect()
}

async fn publish(queue: &RabbitQueue, number: u32) -> Result<(), PublishError> {
    queue.publisher().publish(message(number, &["membership"])).await
}

async fn consumer(queue: &RabbitQueue) -> Box<dyn Consumer> {
    queue.consumer(&"membership".into()).await.unwrap()
}

/// The next batch, through whatever breaks meanwhile.
async fn receive(consumer: &mut dyn Consumer) -> Vec<Delivery> {
    let until = Instant::now() + PATIENCE;
    loop {
        match consumer.receive(10, PATIENCE).await {
            Ok(batch) if !batch.is_empty() => return batch,
            Ok(_) => panic!("nothing came"),
            Err(error) => assert!(Instant::now() < until, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Receives and settles until `count` have come, and tells their bodies.
async fn drain(consumer: &mut dyn Consumer, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.len() < count {
        let batch = receive(consumer).await;
        bodies.extend(batch.iter().map(|delivery| String::from_utf8_lossy(&delivery.envelope.body).into_owned()));
        ack(consumer, &batch).await;
    }
    bodies.sort();
    bodies
}

/// Moves `count` messages back that found no queue, in as many passes as that takes: what the broker has
/// not given back yet from an earlier one waits for the next.
async fn recover(queue: &RabbitQueue, count: u64) {
    let (until, mut moved) = (Instant::now() + PATIENCE, 0);
    while moved < count {
        assert!(Instant::now() < until, "{moved} of {count} moved");
        moved += queue.recover_unrouted().await.unwrap();
    }
    assert_eq!(moved, count, "something was moved twice");
}

async fn ack(consumer: &mut dyn Consumer, batch: &[Delivery]) {
    let settled = batch.iter().map(|delivery| Settled { tag: delivery.tag, settlement: Settlement::ack() });
    consumer.settle(settled.collect()).await.unwrap();
}
