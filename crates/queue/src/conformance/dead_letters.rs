//! Deliveries that we stopped trying.

use bytes::Bytes;

use super::{
    Duration, Harness, Settlement, ack, consumer, failure, message, nothing_comes, publish, receive, receive_one,
    settle,
};
use crate::{DEAD_LETTERS, Retry};

fn dead(numbers: &[u32]) -> Settlement {
    Settlement { dead_letters: numbers.iter().map(|number| failure(*number)).collect(), retry: None }
}

pub async fn a_dead_letter_carries_everything(harness: &mut impl Harness) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let bodies = [Bytes::new(), Bytes::from(vec![0xA5; 1 << 20]), Bytes::from(every_byte)];
    let mut membership = consumer(harness, "membership").await;
    let mut keeper = consumer(harness, DEAD_LETTERS).await;
    for (number, body) in (0..).zip(bodies) {
        let mut sent = message(number, &["membership"]);
        sent.envelope.body = body;
        sent.envelope.trace = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
        publish(harness, sent.clone()).await;
        let delivery = receive_one(&mut membership).await;
        assert!(delivery.envelope == sent.envelope, "not what was sent: {:?}", delivery.envelope);
        settle(&mut membership, delivery.tag, dead(&[number])).await;
        let letter = receive_one(&mut keeper).await;
        assert!(letter.envelope == sent.envelope, "not what was sent: {:?}", letter.envelope);
        assert_eq!((letter.failure, letter.redeliveries), (Some(failure(number)), 0));
        settle(&mut keeper, letter.tag, Settlement::ack()).await;
    }
    nothing_comes(&mut membership).await;
    nothing_comes(&mut keeper).await;
}

pub async fn several_failures_are_several_dead_letters(harness: &mut impl Harness) {
    publish(harness, message(1, &["membership"])).await;
    let mut membership = consumer(harness, "membership").await;
    let delivery = receive_one(&mut membership).await;
    settle(&mut membership, delivery.tag, dead(&[1, 2, 3])).await;
    let mut keeper = consumer(harness, DEAD_LETTERS).await;
    let letters = receive(&mut keeper, 3).await;
    let mut keys: Vec<_> =
        letters.iter().filter_map(|letter| Some(letter.failure.as_ref()?.event_key.clone())).collect();
    keys.sort();
    assert_eq!(keys, [1, 2, 3].map(|number| failure(number).event_key));
    ack(&mut keeper, &letters[..2]).await;
    harness.crash().await;
    let mut keeper = consumer(harness, DEAD_LETTERS).await;
    let last = receive_one(&mut keeper).await;
    assert_eq!((last.failure, last.envelope), (letters[2].failure.clone(), message(1, &[]).envelope));
}

/// One envelope of several events: one failed, one is to be tried again.
pub async fn ack_dead_letters_and_retry_at_once(harness: &mut impl Harness) {
    const AFTER: Duration = Duration::from_secs(2);
    for number in 0..3 {
        publish(harness, message(number, &["membership"])).await;
    }
    let mut membership = consumer(harness, "membership").await;
    let batch = receive(&mut membership, 3).await;
    let mixed = Settlement { retry: Some(Retry { after: AFTER, attempts: 1 }), ..dead(&[7]) };
    let settlements = [Settlement::ack(), dead(&[8]), mixed];
    let settled =
        batch.iter().zip(settlements).map(|(delivery, settlement)| crate::Settled { tag: delivery.tag, settlement });
    membership.settle(settled.collect()).await.expect("settled");
    let mut keeper = consumer(harness, DEAD_LETTERS).await;
    for letter in receive(&mut keeper, 2).await {
        let of = if letter.failure == Some(failure(8)) { &batch[1] } else { &batch[2] };
        assert_eq!(letter.envelope, of.envelope);
    }
    harness.advance(AFTER).await;
    let again = receive_one(&mut membership).await;
    assert_eq!((again.attempts, &again.envelope), (1, &batch[2].envelope));
    nothing_comes(&mut membership).await;
}

pub async fn a_dead_letter_outlives_its_delivery_and_a_crash(harness: &mut impl Harness) {
    publish(harness, message(1, &["membership", "waiver"])).await;
    let mut membership = consumer(harness, "membership").await;
    let delivery = receive_one(&mut membership).await;
    settle(&mut membership, delivery.tag, dead(&[1])).await;
    let mut waiver = consumer(harness, "waiver").await;
    let other = receive_one(&mut waiver).await;
    ack(&mut waiver, &[other]).await;
    harness.crash().await;
    let mut keeper = consumer(harness, DEAD_LETTERS).await;
    let letter = receive_one(&mut keeper).await;
    assert_eq!((letter.envelope, letter.failure), (message(1, &[]).envelope, Some(failure(1))));
    let mut membership = consumer(harness, "membership").await;
    nothing_comes(&mut membership).await;
}
