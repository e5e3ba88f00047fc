//! The reporter on a paused clock, against a store that counts what it is told.

use rollbook_domain::ProcessorName;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use super::*;
use crate::fakes::{self, FakeStore};
use crate::in_flight::Tally;

const WORKER: WorkerId = WorkerId(Uuid::from_u128(7));

/// Longer than nothing, shorter than any beat.
const MOMENT: Duration = Duration::from_millis(10);

struct World {
    store: FakeStore,
    context: Arc<Context>,
    shutdown: CancellationToken,
    reporter: JoinHandle<()>,
}

impl World {
    fn new() -> (Self, Tally) {
        let (store, context, shutdown) = (FakeStore::default(), Arc::new(fakes::context()), CancellationToken::new());
        let tally = context.in_flight.tally(&"membership".into());
        let workers = Arc::new(store.clone());
        let reporter = tokio::spawn(run_reporter(workers, WORKER, Arc::clone(&context), shutdown.clone()));
        (Self { store, context, shutdown, reporter }, tally)
    }

    fn row(&self, queue: &str) -> Option<u64> {
        self.store.look().workers.get(&(WORKER, ProcessorName::new(queue))).copied()
    }

    /// How many reports there were meanwhile.
    async fn reports(&self, time: Duration) -> u32 {
        let before = self.store.look().told;
        sleep(time).await;
        self.store.look().told - before
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_worker_tells_each_second_and_an_idle_one_now_and_then() {
    let (world, mut tally) = World::new();
    sleep(MOMENT).await;
    assert_eq!(world.row("membership"), Some(0), "who is idle lives");
    assert_eq!(world.reports(Duration::from_secs(20)).await, 4);
    tally.received(5);
    sleep(MOMENT).await;
    assert_eq!(world.row("membership"), Some(5), "at once");
    tally.gathered(3);
    assert_eq!(world.reports(Duration::from_secs(20)).await, 20);
    assert_eq!(world.row("membership"), Some(8));
    tally.settled(8);
    tally.received(0);
    sleep(MOMENT).await;
    assert_eq!(world.row("membership"), Some(0), "at once");
    assert_eq!(world.reports(Duration::from_secs(20)).await, 4);
    let keep = world.context.options.outage_bound + DEATH_IS_NOTICED;
    assert_eq!(world.store.look().kept_for, keep, "longer than a worker without a store holds anything");
}

#[tokio::test(start_paused = true)]
async fn much_work_is_told_no_more_often_than_little() {
    let (world, mut tally) = World::new();
    sleep(MOMENT).await;
    let before = world.store.look().told;
    for _ in 0..1_000 {
        tally.received(256);
        sleep(Duration::from_millis(5)).await;
        tally.settled(256);
    }
    let told = world.store.look().told - before;
    assert!(told <= 7, "{told} reports in five seconds");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_is_told_when_it_is_back() {
    let (world, mut tally) = World::new();
    sleep(MOMENT).await;
    world.store.script(|script| script.away = true);
    tally.received(5);
    sleep(Duration::from_mins(10)).await;
    tally.received(0);
    assert_eq!(world.row("membership"), Some(0), "its last figure");
    tally.received(9);
    world.store.script(|script| script.away = false);
    sleep(Duration::from_secs(6)).await;
    assert_eq!(world.row("membership"), Some(9));
}

#[tokio::test(start_paused = true)]
async fn the_goodbye_comes_after_the_last_loop() {
    let (world, mut tally) = World::new();
    tally.received(5);
    world.shutdown.cancel();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(world.row("membership"), Some(5), "the batch in hand is being finished");
    tally.settled(2);
    sleep(Duration::from_secs(2)).await;
    assert_eq!(world.row("membership"), Some(3));
    tally.settled(3);
    tally.stopped();
    drop(tally);
    world.reporter.await.unwrap();
    assert!(world.store.look().workers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_handed_back_is_no_goodbye() {
    let (world, mut tally) = World::new();
    tally.received(5);
    tally.settled(1);
    tally.stopped();
    drop(tally);
    world.shutdown.cancel();
    world.reporter.await.unwrap();
    let rows: Vec<u64> = world.store.look().workers.values().copied().collect();
    assert_eq!(rows, [4]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_answers_nothing_keeps_nobody() {
    let (world, tally) = World::new();
    world.store.script(|script| script.stuck = true);
    sleep(Duration::from_mins(1)).await;
    drop(tally);
    let began = Instant::now();
    world.shutdown.cancel();
    world.reporter.await.unwrap();
    assert!(began.elapsed() <= PATIENCE * 2, "{:?}", began.elapsed());
}
