//! What a killed process leaves behind.

use super::{Harness, PATIENCE, ack, consumer, message, nothing_comes, publish, receive, receive_one};
use crate::{ALONE_FROM_REDELIVERY, Settled, Settlement};

pub async fn unsettled_comes_again_after_a_crash(harness: &mut impl Harness) {
    publish(harness, message(1, &["membership"])).await;
    for redeliveries in 0..3 {
        let mut consumer = consumer(harness, "membership").await;
        let delivery = receive_one(&mut consumer).await;
        assert_eq!((delivery.redeliveries, delivery.attempts), (redeliveries, 0));
        assert_eq!(delivery.envelope, message(1, &[]).envelope);
        harness.crash().await;
        // A dead consumer may hear anything, but what it settles is not settled.
        let late = Settled { tag: delivery.tag, settlement: Settlement::ack() };
        drop(consumer.settle(vec![late]).await);
    }
}

pub async fn settled_stays_settled_after_a_crash(harness: &mut impl Harness) {
    for number in 0..5 {
        publish(harness, message(number, &["membership", "waiver"])).await;
    }
    let mut membership = consumer(harness, "membership").await;
    let received = receive(&mut membership, 5).await;
    ack(&mut membership, &received[..3]).await;
    harness.crash().await;
    let mut membership = consumer(harness, "membership").await;
    let again = receive(&mut membership, 2).await;
    assert!(again.iter().all(|delivery| received[3..].iter().any(|held| held.envelope == delivery.envelope)));
    nothing_comes(&mut membership).await;
    let mut waiver = consumer(harness, "waiver").await;
    let others = receive(&mut waiver, 5).await;
    assert!(others.iter().all(|delivery| delivery.redeliveries == 0));
}

/// What kills the process must be found, and must not take its neighbours along.
pub async fn a_suspect_comes_alone_and_its_neighbours_are_not_counted(harness: &mut impl Harness) {
    publish(harness, message(0, &["membership"])).await;
    for _ in 0..ALONE_FROM_REDELIVERY {
        receive_one(&mut consumer(harness, "membership").await).await;
        harness.crash().await;
    }
    for number in 1..5 {
        publish(harness, message(number, &["membership"])).await;
    }
    let suspect = message(0, &[]).envelope.id;
    let mut before = 0;
    let mut first = consumer(harness, "membership").await;
    loop {
        let batch = first.receive(10, PATIENCE).await.expect("received");
        assert!(!batch.is_empty(), "the suspect never came");
        if batch.iter().any(|delivery| delivery.envelope.id == suspect) {
            assert_eq!((batch.len(), batch[0].redeliveries), (1, ALONE_FROM_REDELIVERY));
            break;
        }
        before += batch.len();
        ack(&mut first, &batch).await;
    }
    harness.crash().await;
    let mut second = consumer(harness, "membership").await;
    let mut after = 0;
    while before + after < 5 {
        // One by one: while a suspect is unsettled, nothing else need come.
        let delivery = receive_one(&mut second).await;
        let expected = if delivery.envelope.id == suspect { ALONE_FROM_REDELIVERY + 1 } else { 0 };
        assert_eq!(delivery.redeliveries, expected);
        ack(&mut second, &[delivery]).await;
        after += 1;
    }
}
