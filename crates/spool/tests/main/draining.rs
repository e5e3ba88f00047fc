//! The way to the broker, once it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use rollbook_queue::Publisher as _;
use rollbook_spool::inspect;

use crate::world::{Draining, Mood, World, message, publish, until};

/// The outage comes and goes under load: whatever was answered `Ok` arrives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_drains_beside_new_traffic() {
    let world = World::new(Mood::Up);
    let spool = world.spool().await;
    let draining = Draining::start(&spool);
    let (sent, enough) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let traffic = {
        let (spool, sent, enough) = (Arc::clone(&spool), Arc::clone(&sent), Arc::clone(&enough));
        tokio::spawn(async move {
            while !enough.load(Ordering::SeqCst) {
                let number = sent.load(Ordering::SeqCst);
                publish(&spool, number..number + 20).await;
                sent.store(number + 20, Ordering::SeqCst);
            }
        })
    };
    for mood in [Mood::Away, Mood::Silent, Mood::Full] {
        world.broker.set(mood);
        until("some are spooled", || spool.depth() >= 300).await;
        world.broker.set(Mood::Up);
        until("the broker is back and all is drained", || spool.depth() == 0 && spool.state().broker).await;
    }
    let (offered, before) = (world.broker.offered(), sent.load(Ordering::SeqCst));
    until("new traffic", || sent.load(Ordering::SeqCst) > before + 100).await;
    assert!(world.broker.offered() > offered + 100 && spool.depth() == 0, "new traffic goes past the file");
    enough.store(true, Ordering::SeqCst);
    traffic.await.unwrap();
    assert!(world.broker.has_all(0..sent.load(Ordering::SeqCst)));
    draining.stop().await;
}

#[tokio::test]
async fn a_message_that_the_broker_never_takes_holds_up_nobody() {
    let world = World::new(Mood::Away);
    let spool = world.spool().await;
    world.broker.poison(0);
    publish(&spool, 0..300).await;
    let draining = Draining::start(&spool);
    world.broker.set(Mood::Up);
    until("its neighbours are through", || spool.depth() == 1 && spool.state().broker).await;
    publish(&spool, 300..350).await;
    until("new traffic, too", || world.broker.has_all(1..350) && spool.depth() == 1).await;
    assert!(!world.broker.has(0));
    draining.stop().await;
    assert_eq!(inspect(&world.path(), &*world.files()).await.unwrap(), 1);
}

/// It arrives at a healthy broker: only it is spooled, again and again offered, and kept.
#[tokio::test]
async fn a_message_that_a_healthy_broker_refuses_is_kept_alone() {
    let world = World::new(Mood::Up);
    let spool = world.spool().await;
    world.broker.poison(7);
    for number in 0..20 {
        spool.publish(message(number)).await.unwrap();
    }
    assert!(spool.state().broker);
    assert_eq!(spool.depth(), 1);
    assert!(world.broker.has_all(0..7) && world.broker.has_all(8..20));
}

/// The drain has offered all it may when it is told to stop.
#[tokio::test]
async fn a_drain_stops_at_once_and_what_it_offered_stays() {
    let world = World::new(Mood::Away);
    let spool = world.spool().await;
    publish(&spool, 0..200).await;
    world.broker.set(Mood::Silent);
    let offered = world.broker.offered();
    let draining = Draining::start(&spool);
    until("it offers", || world.broker.offered() > offered).await;
    draining.stop().await;
    spool.close().await;
    assert_eq!(inspect(&world.path(), &*world.files()).await.unwrap(), 200);

    world.broker.set(Mood::Up);
    let spool = world.spool().await;
    let draining = Draining::start(&spool);
    until("all are handed over", || spool.depth() == 0).await;
    assert!(world.broker.has_all(0..200));
    draining.stop().await;
}

/// What was offered and not confirmed is what an unknown outcome is: it may be there twice, and it
/// is the same envelope.
#[tokio::test]
async fn an_unknown_outcome_comes_again_with_the_same_id() {
    let world = World::new(Mood::Mute);
    let spool = world.spool().await;
    publish(&spool, 1..2).await;
    assert_eq!((world.broker.copies(1).len(), spool.depth()), (1, 1));
    world.broker.set(Mood::Up);
    let draining = Draining::start(&spool);
    until("it is drained", || spool.depth() == 0).await;
    draining.stop().await;
    let ids: Vec<_> = world.broker.copies(1).iter().map(|copy| copy.envelope.id).collect();
    assert_eq!(ids, [message(1).envelope.id; 2]);
}
