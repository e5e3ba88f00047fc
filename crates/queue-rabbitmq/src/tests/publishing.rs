//! The publisher against each trap of the library.

use std::collections::BTreeSet;

use lapin::options::{BasicGetOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, ConnectionProperties};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::proxy::Proxy;
use super::*;
use crate::topology::text;

/// The broker seen without any of our code.
async fn bare(broker: &Broker) -> Channel {
    let connection = lapin::Connection::connect(&broker.url, ConnectionProperties::default()).await.unwrap();
    connection.create_channel().await.unwrap()
}

/// Bodies that lie in a queue; they are gone afterwards.
async fn bodies(channel: &Channel, name: &str) -> Vec<u32> {
    let mut bodies = Vec::new();
    let take = BasicGetOptions { no_ack: true };
    while let Some(message) = channel.basic_get(name.into(), take).await.unwrap() {
        let text = String::from_utf8_lossy(&message.delivery.data).into_owned();
        bodies.push(text.strip_prefix("body ").unwrap().parse().unwrap());
    }
    bodies
}

/// Publishes `count` messages from many tasks at once, each to one of these queues in turn, and tells
/// the fate of each.
pub(super) async fn push(
    queue: &RabbitQueue,
    count: u32,
    to: [&'static str; 2],
) -> Vec<(u32, Result<(), PublishError>)> {
    let mut sending = JoinSet::new();
    for first in 0..8 {
        let publisher = queue.publisher();
        sending.spawn(async move {
            let mut running = JoinSet::new();
            for number in (first..count).step_by(8) {
                let (publisher, to) = (Arc::clone(&publisher), to[(number / 8 % 2) as usize]);
                running.spawn(async move { (number, publisher.publish(message(number, &[to])).await) });
            }
            running.join_all().await
        });
    }
    let mut fates: Vec<_> = sending.join_all().await.into_iter().flatten().collect();
    fates.sort_by_key(|(number, _)| *number);
    fates
}

/// Two tasks that share a channel receive each other's confirms, and `wait_for_confirms` hides every
/// refusal. Here each caller of a full queue is told, and no caller of another.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refusal_reaches_its_own_caller() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let (events, full) = (format!("{}.events", options.prefix), format!("{}.full", options.prefix));
    let queue = queue(options).await;
    let channel = bare(&broker).await;
    let mut short = FieldTable::default();
    short.insert("x-queue-type".into(), text("quorum"));
    short.insert("x-overflow".into(), text("reject-publish"));
    short.insert("x-max-length".into(), AMQPValue::LongInt(20));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(full.as_str().into(), durable, short).await.unwrap();
    let bind = QueueBindOptions::default();
    channel.queue_bind(full.as_str().into(), events.into(), "full".into(), bind, FieldTable::default()).await.unwrap();

    let fates = push(&queue, 4_000, ["membership", "full"]).await;
    let stored: BTreeSet<u32> = bodies(&channel, &full).await.into_iter().collect();
    let mut refused = 0;
    for (number, fate) in fates {
        let to_full = number / 8 % 2 == 1;
        let expected = !to_full || stored.contains(&number);
        assert_eq!(
            fate.is_ok(),
            expected,
            "message {number} to {}: {fate:?}",
            if to_full { "full" } else { "membership" }
        );
        refused += u32::from(matches!(fate, Err(PublishError::Full { .. })));
    }
    assert_eq!(refused as usize, 2_000 - stored.len(), "refused and not called full");
    assert_eq!(drain(&mut *consumer(&queue).await, 2_000).await.len(), 2_000);
}

/// The library gives a returned message to another's confirm. With the alternate exchange nothing is
/// returned, and what no queue wants waits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_no_queue_wants_waits_and_comes_back() {
    let (_broker, queue) = world().await;
    let fates = push(&queue, 2_000, ["membership", "waiver"]).await;
    assert!(fates.iter().all(|(_, fate)| fate.is_ok()));
    let depths = queue.depths(&names(&["membership", "unrouted", "waiver"])).await.unwrap();
    assert_eq!(depths.iter().map(|depth| depth.ready).collect::<Vec<_>>(), [1_000, 1_000, 0]);
    queue.declare(&names(&["waiver"])).await.unwrap();
    recover(&queue, 1_000).await;
    let came = drain(&mut *queue.consumer(&"waiver".into()).await.unwrap(), 1_000).await;
    let expected: BTreeSet<String> = (0..2_000).filter(|n| n / 8 % 2 == 1).map(|n| format!("body {n}")).collect();
    assert_eq!(came.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(drain(&mut *consumer(&queue).await, 1_000).await.len(), 1_000);
}

/// Even when an operator deletes the queue of the unroutable under running publishers.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_answered_for_that_was_returned() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let unrouted = format!("{}.unrouted", options.prefix);
    let queue = queue(options).await;
    let channel = bare(&broker).await;
    let mut answered = BTreeSet::new();
    let mut there: Vec<u32> = Vec::new();
    for _ in 0..3 {
        there.extend(bodies(&channel, &unrouted).await);
        channel.queue_delete(unrouted.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        let fates = push(&queue, 2_000, ["membership", "nobody"]).await;
        answered.extend(fates.iter().filter(|(n, fate)| n / 8 % 2 == 1 && fate.is_ok()).map(|(n, _)| *n));
        assert!(fates.iter().all(|(_, fate)| fate.is_ok()), "it was not declared anew in time");
        there.extend(bodies(&channel, &unrouted).await);
        let found: BTreeSet<u32> = there.drain(..).collect();
        assert!(answered.is_subset(&found), "{} answered, {} found", answered.len(), found.len());
    }
}

#[tokio::test]
async fn a_broker_that_is_away_is_told_at_once_and_found_when_it_is_back() {
    let broker = Broker::of_environment();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let began = Instant::now();
    let queue = RabbitQueue::connect(broker.options(broker.url_at(&free))).await.unwrap();
    assert!(matches!(publish(&queue, 1).await, Err(PublishError::Unavailable(_))));
    assert!(queue.consumer(&"membership".into()).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let _proxy = Proxy::at(&free, broker.address()).await;
    until_published(&queue, 2).await;
    // The other connection may need a moment more.
    let began = Instant::now();
    while let Err(error) = queue.declare(&names(&["membership"])).await {
        assert!(began.elapsed() < HEALED, "{error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    recover(&queue, 1).await;
    assert_eq!(drain(&mut *consumer(&queue).await, 1).await, ["body 2"]);
}

#[tokio::test]
async fn a_dead_node_is_passed_over() {
    let broker = Broker::of_environment();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let urls = vec![broker.url_at(&free), broker.url.clone()];
    let queue = queue(Options { urls, ..broker.options(String::new()) }).await;
    publish(&queue, 1).await.unwrap();
    assert_eq!(drain(&mut *consumer(&queue).await, 1).await, ["body 1"]);
}

/// A broker that says nothing keeps its connection; only a time limit tells.
#[tokio::test]
async fn a_silent_broker_is_answered_for_in_time() {
    let broker = Broker::of_environment();
    let proxy = Proxy::to(broker.address()).await;
    let url = broker.url_at(&proxy.address.to_string());
    let queue = queue(Options { patience: Duration::from_secs(1), ..broker.options(url) }).await;
    publish(&queue, 1).await.unwrap();
    let mut idle = consumer(&queue).await;
    assert_eq!(drain(&mut *idle, 1).await, ["body 1"]);
    proxy.silence(true);
    let began = Instant::now();
    assert!(matches!(publish(&queue, 2).await, Err(PublishError::Unavailable(_))));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    proxy.silence(false);
    until_published(&queue, 3).await;
    // The other one came through, or not: its outcome was unknown.
    while !drain(&mut *idle, 1).await.contains(&"body 3".to_owned()) {}
}

/// Until the queue takes messages again.
pub(super) async fn until_published(queue: &RabbitQueue, number: u32) {
    let began = Instant::now();
    while let Err(error) = publish(queue, number).await {
        assert!(began.elapsed() < HEALED, "still {error:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
