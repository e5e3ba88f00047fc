//! A store that refuses, is beaten, cannot be read or is away.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::{QUEUE, World, dead, numbered};

#[tokio::test(start_paused = true)]
async fn one_refused_event_of_a_batch_fails_alone() {
    let world = World::with(numbered(64));
    world.store.script(|script| script.refused = HashSet::from(["payment:p37:captured".to_owned()]));
    world.run().await;
    assert_eq!(world.applied(), 63);
    assert_eq!(world.retries().iter().map(|retry| retry.attempts).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(world.dead(), dead(&[("store_refused", 3)]));
    assert_eq!(world.queue.dead_letters()[0].event_key.as_str(), "payment:p37:captured");
    // Halving finds it in two tries a level, and lets nothing go on the way.
    let (tries, released) = (world.store.look().begun, world.queue.look().released);
    assert_eq!((tries, released), (1 + 2 * 6 + 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_does_not_hold_up_the_others_of_its_envelope() {
    let world = World::with(["a bad c"]);
    world.store.script(|script| script.refused = HashSet::from(["payment:bad:captured".to_owned()]));
    world.run().await;
    assert_eq!(world.applied(), 2);
    assert_eq!(world.dead(), dead(&[("store_refused", 3)]));
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_no_attempt_and_lets_go_at_its_bound() {
    let world = World::with(["a", "b"]);
    world.store.script(|script| script.away = true);
    let began = Instant::now();
    let worker = world.start();
    world.queue.until(|held| held.released == 2).await;
    assert!(began.elapsed() > Duration::from_secs(50) && began.elapsed() <= Duration::from_secs(61));
    let tries = world.store.look().begun;
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(world.store.look().begun, tries, "only probes, while the store is away");
    assert_eq!(world.queue.look().released, 2, "handed back once");
    world.store.script(|script| script.away = false);
    world.queue.empty(QUEUE).await;
    world.stop(worker).await;
    assert_eq!((world.applied(), world.retries(), world.dead()), (2, vec![], vec![]));
    assert!(world.queue.look().settlements.iter().all(|(delivery, _)| delivery.attempts == 0));
    assert_eq!(world.counted("rollbook_delivery_attempts_total{outcome=\"released\",processor=\"membership\"}"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_short_outage_is_sat_out_in_place() {
    let world = World::with(["a"]);
    world.store.script(|script| script.away = true);
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(30)).await;
    world.store.script(|script| script.away = false);
    world.queue.empty(QUEUE).await;
    world.stop(worker).await;
    assert_eq!((world.applied(), world.queue.look().released), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_store_is_settled_in_an_outage() {
    let world = World::with(["a", "garbage"]);
    world.store.script(|script| script.away = true);
    let worker = world.start();
    world.queue.until(|held| held.released == 1).await;
    world.stop(worker).await;
    assert_eq!(world.dead(), dead(&[("unparseable", 1)]));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_schema_is_an_outage() {
    let world = World::with(["a"]);
    world.store.script(|script| script.schema = true);
    let worker = world.start();
    world.queue.until(|held| held.released == 1).await;
    world.store.script(|script| script.schema = false);
    world.queue.empty(QUEUE).await;
    world.stop(worker).await;
    assert_eq!((world.applied(), world.retries()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_tried_again_in_place() {
    let world = World::with(["a", "b"]);
    world.store.script(|script| script.conflicts = 10);
    world.run().await;
    assert_eq!((world.applied(), world.retries()), (2, vec![]));
    assert_eq!(world.store.look().begun, 11);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_always_loses_costs_its_attempts_alone() {
    let world = World::with(["a", "bad", "c"]);
    // The probe answers, so this is the event's fault and not the store's.
    world.store.script(|script| script.unanswered = HashSet::from(["payment:bad:captured".to_owned()]));
    world.run().await;
    assert_eq!((world.applied(), world.dead()), (2, dead(&[("store_refused", 3)])));
    assert!(world.store.look().probed > 0);
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_record_stops_only_who_needs_it() {
    let world = World::with(["a", "bad", "c"]);
    world.store.script(|script| script.corrupt = HashSet::from(["bad".to_owned()]));
    world.run().await;
    assert_eq!((world.applied(), world.dead()), (2, dead(&[("store_refused", 3)])));
    assert!(world.queue.dead_letters()[0].detail.contains("payment.amount"));
}

#[tokio::test(start_paused = true)]
async fn a_drain_in_an_outage_lets_go_at_once() {
    let world = World::with(["a"]);
    world.store.script(|script| script.away = true);
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    world.stop(worker).await;
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(world.queue.look().released, 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_store_that_is_locked() {
    let world = World::with(["a", "b"]);
    world.store.script(|script| script.stuck = true);
    let worker = world.start();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let began = Instant::now();
    world.stop(worker).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!((world.queue.look().released, world.applied()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_locked_store_is_let_go_at_the_same_bound() {
    let world = World::with(["a", "b"]);
    world.store.script(|script| script.stuck = true);
    let began = Instant::now();
    let worker = world.start();
    world.queue.until(|held| held.released == 2).await;
    assert!(began.elapsed() > Duration::from_secs(50) && began.elapsed() <= Duration::from_secs(61));
    world.store.script(|script| script.stuck = false);
    world.queue.empty(QUEUE).await;
    world.stop(worker).await;
    assert_eq!((world.applied(), world.retries(), world.dead()), (2, vec![], vec![]));
}
