//! The end of the service.

use std::time::{Duration, Instant};

use rollbook_ingest::Options;
use tokio::net::TcpStream;

use crate::toy::Mood;
use crate::wire::{Wire, signed};
use crate::world::{World, options, routes};

#[tokio::test]
async fn requests_in_flight_are_finished_and_nothing_new_is_taken() {
    let world = World::plain();
    let mut resting = Wire::open(world.address).await;
    resting.say(signed(&[], b"before")).await;
    assert_eq!(resting.hear().await.status, 200);
    world.queue.entered().await;
    world.queue.set(Mood::Held);
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"hello")).await;
    world.queue.entered().await;
    world.shutdown.cancel();
    assert!(resting.ends().await, "a resting connection is closed at once");
    assert!(TcpStream::connect(world.address).await.is_err(), "nobody listens any more");
    assert!(!world.running.is_finished());
    world.queue.let_go(1);
    assert_eq!(wire.hear().await.status, 200);
    assert!(wire.ends().await);
    drop(wire);
    world.running.await.unwrap();
    assert_eq!(world.queue.stored().len(), 2);
}

#[tokio::test]
async fn a_publish_whose_sender_is_gone_is_waited_for() {
    let world = World::plain();
    world.queue.set(Mood::Held);
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"hello")).await;
    world.queue.entered().await;
    drop(wire);
    world.shutdown.cancel();
    tokio::task::yield_now().await;
    world.queue.let_go(1);
    world.running.await.unwrap();
    assert_eq!(world.queue.stored().len(), 1);
}

#[tokio::test]
async fn the_end_comes_even_if_the_queue_never_answers() {
    let bound = Duration::from_millis(200);
    let world = World::start(Options { drain_timeout: bound, ..options() }, routes());
    world.queue.set(Mood::Held);
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"hello")).await;
    world.queue.entered().await;
    let half = Wire::open(world.address).await;
    let started = Instant::now();
    world.shutdown.cancel();
    world.running.await.unwrap();
    assert!(started.elapsed() >= bound && started.elapsed() < bound * 20, "{:?}", started.elapsed());
    assert!(wire.hear_or_end().await.is_none(), "no success that is not one");
    drop(half);
}
