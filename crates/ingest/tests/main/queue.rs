//! The queue in its moods, and senders who do not wait.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rollbook_ingest::Options;
use rstest::rstest;

use crate::toy::Mood;
use crate::wire::{Wire, exchange, signed};
use crate::world::{World, options, routes};

#[rstest]
#[case(Mood::Full(Duration::from_secs(30)), 503, Some("30"), "full")]
#[case(Mood::Full(Duration::from_millis(1500)), 503, Some("2"), "full")]
#[case(Mood::Full(Duration::ZERO), 503, Some("1"), "full")]
#[case(Mood::Away, 503, Some("5"), "unavailable")]
#[case(Mood::Panics, 500, None, "panicked")]
#[tokio::test]
async fn a_queue_that_does_not_take_it(
    #[case] mood: Mood,
    #[case] status: u16,
    #[case] retry_after: Option<&str>,
    #[case] outcome: &str,
) {
    let world = World::plain();
    world.queue.set(mood);
    let answer = exchange(world.address, signed(&[], b"hello")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (status, retry_after));
    assert_eq!(world.count("toy", outcome), 1);
    assert_eq!(world.count("toy", "durable"), 0);
    world.queue.set(Mood::Fine);
    assert_eq!(exchange(world.address, signed(&[], b"hello")).await.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn a_slow_queue_is_not_waited_for_but_may_finish() {
    let world = World::start(Options { publish_budget: Duration::from_millis(50), ..options() }, routes());
    world.queue.set(Mood::Held);
    let answer = exchange(world.address, signed(&[], b"hello")).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")));
    assert_eq!(world.count("toy", "unavailable"), 1);
    assert!(world.queue.stored().is_empty());
    world.queue.let_go(1);
    world.queue.has_stored(1).await;
    world.stop().await;
}

#[tokio::test]
async fn a_sender_who_hangs_up_does_not_stop_the_publish() {
    let world = World::plain();
    world.queue.set(Mood::Held);
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"hello")).await;
    world.queue.entered().await;
    drop(wire);
    world.queue.let_go(1);
    world.queue.has_stored(1).await;
    world.stop().await;
}

#[tokio::test]
async fn a_sender_who_sends_and_leaves_at_once_is_recorded() {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"hello")).await;
    drop(wire);
    world.queue.has_stored(1).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_senders_at_once() {
    let world = Arc::new(World::plain());
    let senders = (0..200).map(|number| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut wire = Wire::open(world.address).await;
            for round in 0..5 {
                wire.say(signed(&[], format!("{number}/{round}").as_bytes())).await;
                assert_eq!(wire.hear().await.status, 200);
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
    let stored = world.queue.stored();
    let bodies: BTreeSet<_> = stored.iter().map(|message| message.envelope.body.clone()).collect();
    let ids: BTreeSet<_> = stored.iter().map(|message| message.envelope.id).collect();
    assert_eq!((stored.len(), bodies.len(), ids.len()), (1000, 1000, 1000));
    assert_eq!(world.count("toy", "durable"), 1000);
    let Ok(world) = Arc::try_unwrap(world) else { panic!("all senders are gone") };
    world.stop().await;
}
