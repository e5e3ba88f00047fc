//! Messages in, deliveries out.

use std::collections::HashSet;
use std::time::Instant;

use rollbook_domain::EnvelopeId;
use tokio::task::JoinSet;

use super::{
    Consumer, Delivery, Duration, Harness, PATIENCE, QUIET, ack, consumer, message, nothing_comes, publish, receive,
    receive_one,
};

pub async fn published_is_received_once(harness: &mut impl Harness) {
    publish(harness, message(1, &["membership"])).await;
    let mut consumer = consumer(harness, "membership").await;
    let delivery = receive_one(&mut consumer).await;
    assert_eq!((delivery.attempts, delivery.redeliveries, delivery.redecide), (0, 0, false));
    assert_eq!(delivery.failure, None);
    nothing_comes(&mut consumer).await;
    ack(&mut consumer, &[delivery]).await;
    nothing_comes(&mut consumer).await;
}

pub async fn each_processor_gets_a_delivery_of_its_own(harness: &mut impl Harness) {
    let sent = message(1, &["membership", "waiver"]);
    publish(harness, sent.clone()).await;
    let mut membership = consumer(harness, "membership").await;
    let mut waiver = consumer(harness, "waiver").await;
    let first = receive_one(&mut membership).await;
    ack(&mut membership, &[first]).await;
    let second = receive_one(&mut waiver).await;
    assert_eq!(second.envelope, sent.envelope);
    ack(&mut waiver, &[second]).await;
    nothing_comes(&mut membership).await;
    nothing_comes(&mut waiver).await;
}

pub async fn all_of_the_envelope_is_kept(harness: &mut impl Harness) {
    let mut sent = message(7, &["membership"]);
    sent.redecide = true;
    sent.envelope.source = "stripe".into();
    sent.envelope.delivery_key = "evt_ß'\"; --".into();
    sent.envelope.trace = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    sent.envelope.headers =
        [("x-b", "2"), ("x-a", ""), ("x-b", "ü, \"quoted\"\t")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let mut bare = message(8, &["membership"]);
    bare.envelope.headers.clear();
    publish(harness, sent.clone()).await;
    publish(harness, bare.clone()).await;
    let mut consumer = consumer(harness, "membership").await;
    for delivery in receive(&mut consumer, 2).await {
        let expected = if delivery.envelope.id == sent.envelope.id { &sent } else { &bare };
        assert!(delivery.envelope == expected.envelope, "{:?} came for {:?}", delivery.envelope, expected.envelope);
        assert_eq!(delivery.redecide, expected.redecide);
    }
}

pub async fn max_and_wait_are_respected(harness: &mut impl Harness) {
    let mut consumer = consumer(harness, "membership").await;
    let began = Instant::now();
    nothing_comes(&mut consumer).await;
    assert!(began.elapsed() >= QUIET, "did not wait: {:?}", began.elapsed());
    assert!(began.elapsed() < PATIENCE);
    assert!(consumer.receive(3, Duration::ZERO).await.expect("received").is_empty());
    for number in 0..7 {
        publish(harness, message(number, &["membership"])).await;
    }
    let mut ids = HashSet::new();
    while ids.len() < 7 {
        let batch = consumer.receive(3, PATIENCE).await.expect("received");
        assert!((1..=3).contains(&batch.len()), "{} came", batch.len());
        ids.extend(batch.iter().map(|delivery| delivery.envelope.id));
    }
}

pub async fn a_waiting_consumer_is_woken_by_a_message(harness: &mut impl Harness) {
    let mut waiting = consumer(harness, "membership").await;
    let waits = tokio::spawn(async move { receive_one(&mut waiting).await });
    tokio::task::yield_now().await;
    let began = Instant::now();
    publish(harness, message(1, &["membership"])).await;
    waits.await.expect("woken");
    assert!(began.elapsed() < PATIENCE / 2);
}

pub async fn released_comes_again_without_being_counted(harness: &mut impl Harness) {
    publish(harness, message(1, &["membership"])).await;
    let mut first = consumer(harness, "membership").await;
    let mut second = consumer(harness, "membership").await;
    for round in 0..5 {
        let (holder, other) = if round % 2 == 0 { (&mut first, &mut second) } else { (&mut second, &mut first) };
        let delivery = receive_one(holder).await;
        assert!(delivery.redeliveries == 0 || harness.counts_released(), "counted: {}", delivery.redeliveries);
        holder.release(vec![delivery.tag]).await.expect("released");
        let again = receive_one(other).await;
        other.release(vec![again.tag]).await.expect("released");
    }
}

pub async fn what_a_dropped_consumer_held_comes_again(harness: &mut impl Harness) {
    publish(harness, message(1, &["membership"])).await;
    let mut first = consumer(harness, "membership").await;
    receive_one(&mut first).await;
    let mut second = consumer(harness, "membership").await;
    nothing_comes(&mut second).await;
    drop(first);
    let delivery = receive_one(&mut second).await;
    assert_eq!((delivery.redeliveries, delivery.attempts), (1, 0));
}

/// A worker that stops drops its `receive` half-way; it may go on receiving afterwards.
pub async fn a_cancelled_receive_loses_nothing(harness: &mut impl Harness) {
    const COUNT: u32 = 200;
    let mut consumer = consumer(harness, "membership").await;
    let publisher = harness.queue().publisher();
    let sending = tokio::spawn(async move {
        for number in 0..COUNT {
            publisher.publish(message(number, &["membership"])).await.expect("published");
        }
    });
    let mut ids = HashSet::new();
    let mut patience_us = 1;
    while ids.len() < COUNT as usize {
        let limit = Duration::from_micros(patience_us);
        let Ok(batch) = tokio::time::timeout(limit, consumer.receive(3, PATIENCE)).await else {
            patience_us = (patience_us * 2).min(2_000_000);
            continue;
        };
        let batch = batch.expect("received");
        ids.extend(batch.iter().map(|delivery| delivery.envelope.id));
        ack(&mut consumer, &batch).await;
        patience_us = 1;
    }
    sending.await.expect("published");
    nothing_comes(&mut consumer).await;
}

pub async fn two_consumers_never_hold_one_delivery(harness: &mut impl Harness) {
    const PUBLISHERS: u32 = 4;
    const EACH: u32 = 100;
    let mut sending = JoinSet::new();
    for publisher in 0..PUBLISHERS {
        let queue = harness.queue();
        sending.spawn(async move {
            for number in 0..EACH {
                let message = message(publisher * EACH + number, &["membership", "waiver"]);
                queue.publisher().publish(message).await.expect("published");
            }
        });
    }
    let one = tokio::spawn(drain(consumer(harness, "membership").await, PATIENCE / 20));
    let two = tokio::spawn(drain(consumer(harness, "membership").await, PATIENCE / 20));
    while let Some(published) = sending.join_next().await {
        published.expect("published");
    }
    let mut received = one.await.expect("drained");
    received.extend(two.await.expect("drained"));
    let ids: HashSet<EnvelopeId> = received.iter().copied().collect();
    assert_eq!((received.len(), ids.len()), ((PUBLISHERS * EACH) as usize, (PUBLISHERS * EACH) as usize));
}

/// Receives and settles until nothing has come for `quiet`.
async fn drain(mut consumer: Box<dyn Consumer>, quiet: Duration) -> Vec<EnvelopeId> {
    let mut received = Vec::new();
    loop {
        let batch: Vec<Delivery> = consumer.receive(7, quiet).await.expect("received");
        if batch.is_empty() {
            return received;
        }
        assert!(batch.iter().all(|delivery| delivery.redeliveries == 0));
        received.extend(batch.iter().map(|delivery| delivery.envelope.id));
        ack(&mut consumer, &batch).await;
    }
}

pub async fn two_thousand_pushed_at_once_all_arrive(harness: &mut impl Harness) {
    const COUNT: u32 = 2_000;
    let mut sending = JoinSet::new();
    for number in 0..COUNT {
        let publisher = harness.queue().publisher();
        sending.spawn(async move { publisher.publish(message(number, &["membership"])).await });
    }
    while let Some(published) = sending.join_next().await {
        published.expect("not cancelled").expect("published");
    }
    harness.crash().await;
    let mut consumer = consumer(harness, "membership").await;
    let received = receive(&mut consumer, COUNT as usize).await;
    let ids: HashSet<EnvelopeId> = received.iter().map(|delivery| delivery.envelope.id).collect();
    assert_eq!(ids.len(), COUNT as usize);
    ack(&mut consumer, &received).await;
    nothing_comes(&mut consumer).await;
}
