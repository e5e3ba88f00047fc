//! What found no queue.

use lapin::ConnectionProperties;
use lapin::options::{BasicGetOptions, BasicNackOptions};

use super::*;
use crate::unrouted::WORN;
use crate::wire::brokers_count;

#[tokio::test]
async fn a_deleted_queue_is_declared_anew_and_its_messages_come_back() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let name = format!("{}.membership", options.prefix);
    let queue = queue(options).await;
    let mut consumer = consumer(&queue).await;
    publish(&queue, 1).await.unwrap();
    assert_eq!(drain(&mut *consumer, 1).await, ["body 1"]);
    broker.ctl(&["delete_queue", &name]).await;
    publish(&queue, 2).await.unwrap();
    let began = Instant::now();
    assert!(consumer.receive(1, HEALED).await.is_err(), "nobody was told");
    assert!(consumer.receive(1, Duration::ZERO).await.unwrap().is_empty());
    assert!(began.elapsed() < HEALED);
    publish(&queue, 3).await.unwrap();
    assert_eq!(drain(&mut *consumer, 1).await, ["body 3"]);
    recover(&queue, 1).await;
    assert_eq!(drain(&mut *consumer, 1).await, ["body 2"]);
}

fn bodies(numbers: std::ops::Range<u32>) -> Vec<String> {
    let mut bodies: Vec<_> = numbers.map(|number| format!("body {number}")).collect();
    bodies.sort();
    bodies
}

/// What is still unwanted stays, hides nothing that stands behind it, and comes once when it is wanted.
#[tokio::test]
async fn the_unwanted_hide_nobody() {
    let (_broker, queue) = world().await;
    for number in 0..310 {
        let to = if number < 300 { "nobody" } else { "waiver" };
        queue.publisher().publish(message(number, &[to])).await.unwrap();
    }
    queue.declare(&names(&["waiver"])).await.unwrap();
    recover(&queue, 10).await;
    let mut waiver = queue.consumer(&"waiver".into()).await.unwrap();
    assert_eq!(drain(&mut *waiver, 10).await, bodies(300..310));
    for _ in 0..3 {
        assert_eq!(queue.recover_unrouted().await.unwrap(), 0, "moved twice");
    }
    queue.declare(&names(&["nobody"])).await.unwrap();
    recover(&queue, 300).await;
    assert_eq!(drain(&mut *queue.consumer(&"nobody".into()).await.unwrap(), 300).await, bodies(0..300));
    assert_eq!(queue.recover_unrouted().await.unwrap(), 0, "moved twice");
    let left = queue.depths(&names(&["unrouted", "nobody", "waiver"])).await.unwrap();
    assert!(left.iter().all(|depth| depth.ready == 0), "{left:?}");
}

/// The broker drops what was handed back too often, so nothing waits under one count for ever.
#[tokio::test]
async fn who_waits_long_is_counted_from_zero_again() {
    let (broker, queue) = world().await;
    queue.publisher().publish(message(1, &["nobody"])).await.unwrap();
    let name = queue.shared.topology.unrouted();
    let connection = lapin::Connection::connect(&broker.url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let hand_back = async || {
        let until = Instant::now() + PATIENCE;
        loop {
            let found = channel.basic_get(name.as_str().into(), BasicGetOptions::default()).await.unwrap();
            if let Some(found) = found {
                let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                channel.basic_nack(found.delivery.delivery_tag, requeue).await.unwrap();
                return brokers_count(&found.delivery);
            }
            assert!(Instant::now() < until, "it is gone");
        }
    };
    while hand_back().await < WORN {}
    let until = Instant::now() + PATIENCE;
    while hand_back().await >= WORN {
        assert!(Instant::now() < until, "it is still counted");
        assert_eq!(queue.recover_unrouted().await.unwrap(), 0);
    }
}
