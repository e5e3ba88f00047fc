//! The same envelope again, after a while.

use super::{Duration, Harness, Settlement, consumer, message, nothing_comes, publish, receive_one, settle};
use crate::Retry;

fn later(after: Duration, attempts: u32) -> Settlement {
    Settlement { retry: Some(Retry { after, attempts }), ..Settlement::default() }
}

pub async fn a_retry_comes_at_its_time(harness: &mut impl Harness) {
    const AFTER: Duration = Duration::from_secs(5);
    let mut sent = message(1, &["membership"]);
    sent.redecide = true;
    publish(harness, sent.clone()).await;
    let mut consumer = consumer(harness, "membership").await;
    for attempts in 1..4 {
        let delivery = receive_one(&mut consumer).await;
        assert_eq!((delivery.attempts, delivery.redeliveries, delivery.redecide), (attempts - 1, 0, true));
        assert_eq!(delivery.envelope, sent.envelope);
        settle(&mut consumer, delivery.tag, later(AFTER, attempts)).await;
        nothing_comes(&mut consumer).await;
        harness.advance(AFTER / 2).await;
        nothing_comes(&mut consumer).await;
        harness.advance(AFTER / 2).await;
    }
    assert_eq!(receive_one(&mut consumer).await.attempts, 3);
}

pub async fn a_waiting_consumer_is_woken_at_the_due_time(harness: &mut impl Harness) {
    const AFTER: Duration = Duration::from_millis(250);
    publish(harness, message(1, &["membership"])).await;
    let mut consumer = consumer(harness, "membership").await;
    let delivery = receive_one(&mut consumer).await;
    let earliest = harness.now() + AFTER;
    settle(&mut consumer, delivery.tag, later(AFTER, 1)).await;
    let again = receive_one(&mut consumer).await;
    assert!(harness.now() >= earliest, "came before its time");
    assert_eq!(again.attempts, 1);
}

pub async fn a_retry_survives_a_crash_and_resets_redeliveries(harness: &mut impl Harness) {
    const AFTER: Duration = Duration::from_secs(3);
    publish(harness, message(1, &["membership"])).await;
    receive_one(&mut consumer(harness, "membership").await).await;
    harness.crash().await;
    let mut first = consumer(harness, "membership").await;
    let delivery = receive_one(&mut first).await;
    assert_eq!(delivery.redeliveries, 1);
    settle(&mut first, delivery.tag, later(AFTER, 1)).await;
    harness.crash().await;
    let mut second = consumer(harness, "membership").await;
    nothing_comes(&mut second).await;
    harness.advance(AFTER).await;
    let again = receive_one(&mut second).await;
    assert_eq!((again.attempts, again.redeliveries), (1, 0));
}
