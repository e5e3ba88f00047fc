//! The keeper against a store that refuses or is away.

use std::collections::HashSet;
use std::time::Duration;

use rollbook_queue::Failure;
use tokio::task::JoinHandle;

use super::*;
use crate::fakes::{self, FakeQueue, FakeStore, delivery};

struct World {
    queue: FakeQueue,
    store: FakeStore,
    context: Arc<Context>,
    shutdown: CancellationToken,
    keeper: JoinHandle<()>,
}

impl World {
    fn new(deliveries: Vec<Delivery>, script: impl FnOnce(&mut fakes::Script)) -> Self {
        let (queue, store, shutdown) = (FakeQueue::default(), FakeStore::default(), CancellationToken::new());
        for delivery in deliveries {
            queue.put(DEAD_LETTERS, delivery);
        }
        store.script(script);
        let (probed, letters) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let context = Arc::new(fakes::context());
        let keeper =
            tokio::spawn(run_keeper(Arc::new(queue.clone()), probed, letters, Arc::clone(&context), shutdown.clone()));
        Self { queue, store, context, shutdown, keeper }
    }

    async fn stop(self) -> Vec<String> {
        self.shutdown.cancel();
        self.keeper.await.unwrap();
        assert!(self.queue.look().held.is_empty(), "nothing may stay unsettled");
        let inner = self.store.look();
        inner.kept.iter().map(|kept| format!("{} {} {}", kept.processor, kept.event_key, kept.reason)).collect()
    }
}

fn failed(key: &str) -> Delivery {
    let failure = Failure {
        processor: "membership".into(),
        account: "merchant".into(),
        event_key: key.into(),
        reason: reasons::MISSING_FIELD,
        detail: "no amount".to_owned(),
        amount: Some("15.00".to_owned()),
        currency: Some("USD".to_owned()),
        attempts: 3,
        failed_at: fakes::noon(),
    };
    Delivery { failure: Some(failure), ..delivery(0, key) }
}

#[tokio::test(start_paused = true)]
async fn letters_are_kept_before_they_are_acknowledged() {
    let world = World::new(vec![failed("a"), failed("b")], |_| {});
    world.queue.empty(DEAD_LETTERS).await;
    assert_eq!(world.store.look().kept[0].amount.as_deref(), Some("15.00"));
    assert_eq!(world.stop().await, ["membership a missing_field", "membership b missing_field"]);
}

#[tokio::test(start_paused = true)]
async fn a_letter_that_lost_its_headers_is_kept_too() {
    let world = World::new(vec![delivery(0, "x")], |_| {});
    world.queue.empty(DEAD_LETTERS).await;
    assert_eq!(world.stop().await, ["unknown other:delivery x broker_dead_lettered"]);
}

#[tokio::test(start_paused = true)]
async fn an_odd_letter_waits_alone_and_is_not_lost() {
    let letters = ["a", "odd", "c", "d"].map(failed).to_vec();
    let world = World::new(letters, |script| script.refused = HashSet::from(["odd".to_owned()]));
    world.queue.until(|held| held.settlements.len() == 4).await;
    assert_eq!(world.store.look().kept.len(), 3);
    let retried: Vec<Duration> = {
        let held = world.queue.look();
        held.settlements.iter().filter_map(|(_, settlement)| settlement.retry).map(|retry| retry.after).collect()
    };
    assert_eq!(retried, [Duration::from_mins(1)]);
    world.store.script(|script| script.refused.clear());
    world.queue.empty(DEAD_LETTERS).await;
    assert_eq!(world.stop().await.last().unwrap(), "membership odd missing_field");
}

#[tokio::test(start_paused = true)]
async fn letters_wait_in_the_queue_while_the_store_is_away() {
    let world = World::new(vec![failed("a"), failed("b")], |script| script.away = true);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.context.in_flight.figures(), [(DEAD_LETTERS.into(), 2)], "held like any other delivery");
    world.queue.until(|held| held.released == 2).await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(world.queue.look().settlements.len(), 0);
    world.store.script(|script| script.away = false);
    world.queue.empty(DEAD_LETTERS).await;
    assert_eq!(world.stop().await, ["membership a missing_field", "membership b missing_field"]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_a_store_that_is_locked() {
    let world = World::new(vec![failed("a")], |script| script.stuck = true);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let (queue, began) = (world.queue.clone(), tokio::time::Instant::now());
    assert!(world.stop().await.is_empty());
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(queue.look().released, 1);
}
