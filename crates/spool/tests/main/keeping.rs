//! What is answered, and what is kept.

use std::time::{Duration, Instant};

use rollbook_queue::{PublishError, Publisher as _};
use rollbook_spool::Options;

use crate::world::{Draining, Mood, PATIENCE, World, gauge, message, publish, until};

#[tokio::test]
async fn a_healthy_broker_gets_everything_and_the_file_nothing() {
    let world = World::new(Mood::Up);
    let spool = world.spool().await;
    publish(&spool, 0..100).await;
    assert!(world.broker.has_all(0..100));
    let state = spool.state();
    assert_eq!((state.broker, state.full, state.waiting, state.ready()), (true, false, 0, true));
}

#[tokio::test]
async fn what_the_broker_does_not_confirm_is_kept_whole_over_a_kill() {
    for mood in [Mood::Away, Mood::Full, Mood::Silent] {
        let world = World::new(mood);
        let spool = world.spool().await;
        let mut again = message(50);
        again.redecide = true;
        spool.publish(again).await.unwrap();
        publish(&spool, 0..50).await;
        assert_eq!((spool.depth(), world.broker.has(0)), (51, false), "{mood:?}");
        assert!(spool.state().ready() && !spool.state().broker, "{mood:?}");

        let after = world.killed();
        after.broker.set(Mood::Up);
        let spool = after.spool().await;
        assert_eq!(spool.depth(), 51);
        let draining = Draining::start(&spool);
        until("all are handed over", || spool.depth() == 0).await;
        draining.stop().await;
        for number in 0..=50 {
            let (copies, sent) = (after.broker.copies(number), message(number));
            assert!(copies.iter().all(|copy| copy.envelope == sent.envelope && copy.to == sent.to), "{number}");
            assert!(!copies.is_empty() && copies.iter().all(|copy| copy.redecide == (number == 50)), "{number}");
        }
    }
}

/// After the first wait nobody asks a silent broker, so nobody waits for it.
#[tokio::test]
async fn a_silent_broker_is_waited_for_once() {
    let world = World::new(Mood::Silent);
    let budget = Duration::from_millis(300);
    let spool = world.spool_with(Options { budget, ..world.options() }).await;
    let began = Instant::now();
    publish(&spool, 0..1).await;
    assert!(began.elapsed() >= budget);
    for number in 1..200 {
        publish(&spool, number..number + 1).await;
    }
    assert_eq!((world.broker.offered(), spool.depth()), (1, 200));
}

#[tokio::test]
async fn a_broker_that_says_no_is_not_asked_for_each_callback() {
    for mood in [Mood::Away, Mood::Full] {
        let world = World::new(mood);
        let spool = world.spool().await;
        for number in 0..50 {
            publish(&spool, number..number + 1).await;
        }
        assert_eq!((world.broker.offered(), spool.depth()), (3, 50), "{mood:?}");
    }
}

#[tokio::test]
async fn a_full_spool_says_when_to_come_again_and_has_room_after_draining() {
    let world = World::new(Mood::Away);
    let depth = gauge();
    let bounds = [(10, u64::MAX), (u64::MAX, 10 * (1_024 + 12))];
    for (max_callbacks, max_bytes) in bounds {
        world.broker.set(Mood::Away);
        let options = Options { max_callbacks, max_bytes, depth: depth.clone(), ..world.options() };
        let spool = world.spool_with(options).await;
        publish(&spool, 0..10).await;
        let refused = spool.publish(message(10)).await.unwrap_err();
        let PublishError::Full { retry_after, .. } = refused else { panic!("{refused}") };
        assert_eq!((retry_after, depth.get()), (Duration::from_secs(30), 10));
        assert!(spool.state().full && !spool.state().ready());

        let draining = Draining::start(&spool);
        world.broker.set(Mood::Up);
        until("there is room", || spool.depth() == 0 && spool.state().ready()).await;
        publish(&spool, 10..20).await;
        assert!(world.broker.has_all(0..20));
        assert_eq!(depth.get(), 0);
        draining.stop().await;
        spool.close().await;
    }
}

/// Also those of an earlier process.
#[tokio::test]
async fn large_bodies_fill_it_with_few_callbacks() {
    let world = World::new(Mood::Away);
    let options = Options { max_bytes: 150_000, ..world.options() };
    let large = |number| {
        let mut large = message(number);
        large.envelope.body = vec![7; 60_000].into();
        large
    };
    let spool = world.spool_with(options.clone()).await;
    for number in 0..2 {
        spool.publish(large(number)).await.unwrap();
    }
    spool.publish(large(2)).await.unwrap_err();
    spool.close().await;
    let spool = world.spool_with(options).await;
    spool.publish(large(2)).await.unwrap_err();
    spool.publish(message(3)).await.unwrap();
    assert_eq!(spool.depth(), 3);
}

#[tokio::test]
async fn a_low_disk_refuses_only_what_the_broker_does_not_take() {
    let world = World::new(Mood::Away);
    let broker = std::sync::Arc::new(world.broker.clone());
    let spool = rollbook_spool::Spool::open(world.options(), world.files_on_a_disk_with(u64::MAX), broker).await;
    let spool = spool.unwrap();
    assert!(spool.state().full && spool.state().ready());
    for _ in 0..4 {
        let refused = spool.publish(message(0)).await.unwrap_err();
        assert!(matches!(refused, PublishError::Full { .. }), "{refused}");
    }
    assert!(!spool.state().ready());
    assert_eq!(spool.depth(), 0);

    // Nothing waits that could be offered, so the next callback is.
    let draining = Draining::start(&spool);
    world.broker.set(Mood::Up);
    until("the broker is given another chance", || spool.state().ready()).await;
    publish(&spool, 0..1).await;
    assert!(world.broker.has(0));
    draining.stop().await;
}

#[tokio::test]
async fn a_message_for_nobody_is_refused_and_not_kept() {
    let world = World::new(Mood::Away);
    let spool = world.spool().await;
    let mut nobody = message(1);
    nobody.to.clear();
    spool.publish(nobody).await.unwrap_err();
    assert_eq!(spool.depth(), 0);
}

#[tokio::test]
async fn a_closed_spool_keeps_nothing_and_says_so() {
    let world = World::new(Mood::Away);
    let spool = world.spool().await;
    tokio::time::timeout(PATIENCE, spool.close()).await.unwrap();
    let refused = spool.publish(message(1)).await.unwrap_err();
    assert!(matches!(refused, PublishError::Unavailable(_)), "{refused}");
    assert_eq!(spool.depth(), 0);
}
