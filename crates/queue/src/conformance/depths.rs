//! What waits, as `status` prints it.

use std::time::Instant;

use super::{Duration, Harness, PATIENCE, Settlement, consumer, failure, message, publish, receive, settle, to};
use crate::{DEAD_LETTERS, QueueDepth, Retry};

async fn depths(harness: &impl Harness) -> Vec<(String, [u64; 3])> {
    let queues = to(&["membership", "waiver", DEAD_LETTERS]);
    let depths = harness.queue().depths(&queues).await.expect("depths");
    let counts = |depth: QueueDepth| (depth.processor, [depth.ready, depth.in_flight, depth.retrying]);
    depths.into_iter().map(counts).collect()
}

async fn expect(harness: &impl Harness, membership: [u64; 3], waiver: [u64; 3], dead_letters: [u64; 3]) {
    let expected = [("membership", membership), ("waiver", waiver), (DEAD_LETTERS, dead_letters)];
    let expected = expected.map(|(name, counts)| (name.to_owned(), counts));
    if harness.tells_every_depth() {
        assert_eq!(depths(harness).await, expected);
        return;
    }
    // A broker knows what is ready, and a moment later than its consumers do.
    let ready =
        |depths: &[(String, [u64; 3])]| depths.iter().map(|(name, [ready, ..])| (name.clone(), *ready)).collect();
    let expected: Vec<(String, u64)> = ready(&expected);
    let until = Instant::now() + PATIENCE / 4;
    loop {
        let told: Vec<(String, u64)> = ready(&depths(harness).await);
        if told == expected {
            return;
        }
        assert!(Instant::now() < until, "told {told:?} for {expected:?}");
    }
}

async fn oldest_age_s(harness: &impl Harness) -> u64 {
    harness.queue().depths(&to(&["membership"])).await.expect("depths")[0].oldest_age_s
}

pub async fn depths_are_exact(harness: &mut impl Harness) {
    const RETRY: Duration = Duration::from_secs(5);
    expect(harness, [0; 3], [0; 3], [0; 3]).await;
    assert_eq!(oldest_age_s(harness).await, 0);
    for number in 0..6 {
        publish(harness, message(number, &["membership", "waiver"])).await;
    }
    expect(harness, [6, 0, 0], [6, 0, 0], [0; 3]).await;
    harness.advance(RETRY).await;
    publish(harness, message(6, &["membership"])).await;
    let mut consumer = consumer(harness, "membership").await;
    let batch = receive(&mut consumer, 4).await;
    expect(harness, [3, 4, 0], [6, 0, 0], [0; 3]).await;
    settle(&mut consumer, batch[0].tag, Settlement::ack()).await;
    let dead = Settlement { dead_letters: vec![failure(1), failure(2)], retry: None };
    settle(&mut consumer, batch[1].tag, dead).await;
    let retry = Settlement { retry: Some(Retry { after: RETRY, attempts: 1 }), ..Settlement::default() };
    settle(&mut consumer, batch[2].tag, retry).await;
    expect(harness, [3, 1, 1], [6, 0, 0], [2, 0, 0]).await;
    consumer.release(vec![batch[3].tag]).await.expect("released");
    expect(harness, [4, 0, 1], [6, 0, 0], [2, 0, 0]).await;
    if harness.tells_every_depth() {
        let age_s = oldest_age_s(harness).await;
        assert!((RETRY.as_secs()..RETRY.as_secs() + 5).contains(&age_s), "{age_s} s");
    }
    harness.advance(RETRY).await;
    expect(harness, [5, 0, 0], [6, 0, 0], [2, 0, 0]).await;
}
