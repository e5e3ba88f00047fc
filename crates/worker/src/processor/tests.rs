//! A worker against a queue and a store that fail on command, on a paused clock.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rollbook_domain::{Outcome, PersonId};
use rollbook_queue::{Delivery, Retry};
use rollbook_store::Batch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::*;
use crate::RetrySchedule;
use crate::fakes::{self, FakeProcessor, FakeQueue, FakeStore, delivery};

mod earnings;
mod store_faults;

struct World {
    queue: FakeQueue,
    store: FakeStore,
    processor: Arc<FakeProcessor>,
    context: Arc<Context>,
    shutdown: CancellationToken,
}

const QUEUE: &str = "membership";

impl World {
    fn new() -> Self {
        Self::of(fakes::context())
    }

    fn of(context: Context) -> Self {
        let (queue, store, processor) = (FakeQueue::default(), FakeStore::default(), Arc::default());
        Self { queue, store, processor, context: Arc::new(context), shutdown: CancellationToken::new() }
    }

    fn with(bodies: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let world = Self::new();
        for body in bodies {
            world.put(body.as_ref());
        }
        world
    }

    fn put(&self, body: &str) {
        self.queue.put(QUEUE, delivery(0, body));
    }

    fn start(&self) -> JoinHandle<()> {
        let (queue, store) = (Arc::new(self.queue.clone()), Arc::new(self.store.clone()));
        let (context, shutdown) = (Arc::clone(&self.context), self.shutdown.clone());
        tokio::spawn(run_processor(Arc::clone(&self.processor) as _, queue, store, context, shutdown))
    }

    async fn stop(&self, worker: JoinHandle<()>) {
        self.shutdown.cancel();
        worker.await.unwrap();
        assert!(self.queue.look().held.is_empty(), "nothing may stay unsettled");
    }

    /// Until every delivery is settled for good.
    async fn run(&self) {
        let worker = self.start();
        self.queue.empty(QUEUE).await;
        self.stop(worker).await;
    }

    fn applied(&self) -> usize {
        self.store.look().processed.values().filter(|seen| seen.outcome == Outcome::Applied).count()
    }

    /// Reason and attempts of each dead letter.
    fn dead(&self) -> Vec<(String, u32)> {
        self.queue.dead_letters().iter().map(|letter| (letter.reason.to_string(), letter.attempts)).collect()
    }

    fn retries(&self) -> Vec<Retry> {
        self.queue.look().settlements.iter().filter_map(|(_, settlement)| settlement.retry).collect()
    }

    fn counted(&self, metric: &str) -> u64 {
        let text = self.context.metrics.render().unwrap();
        let line = text.lines().find(|line| line.starts_with(metric)).unwrap_or_else(|| panic!("{metric}\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

fn dead(letters: &[(&str, u32)]) -> Vec<(String, u32)> {
    letters.iter().map(|(reason, attempts)| ((*reason).to_owned(), *attempts)).collect()
}

fn numbered(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| format!("p{n}"))
}

#[tokio::test(start_paused = true)]
async fn every_outcome_has_its_end() {
    let world = World::with(["a", "ignore-b", "reject-c", "fail-d", "garbage", ""]);
    world.run().await;
    assert_eq!(world.store.outcome("payment:a:captured"), Some(Outcome::Applied));
    assert_eq!(world.store.outcome("payment:ignore-b:captured"), Some(Outcome::Ignored));
    assert_eq!(world.store.outcome("payment:reject-c:captured"), Some(Outcome::Rejected));
    assert_eq!(world.store.outcome("payment:fail-d:captured"), None);
    assert_eq!(world.store.outcome("other:delivery "), Some(Outcome::Ignored));
    let mut letters = world.dead();
    letters.sort();
    assert_eq!(letters, dead(&[("unparseable", 1), ("wrong_amount", 1)]));
    assert_eq!(world.store.look().envelopes.len(), 4, "what was settled can be replayed");
    assert_eq!(world.counted("rollbook_delivery_attempts_total{outcome=\"acked\",processor=\"membership\"}"), 4);
    assert_eq!(
        world.counted("rollbook_delivery_attempts_total{outcome=\"dead_lettered\",processor=\"membership\"}"),
        2
    );
    assert_eq!(world.counted("rollbook_event_outcomes_total{outcome=\"failed\",processor=\"membership\"}"), 2);
}

/// The bodies whose envelopes were told to be settled, a list a batch.
fn settled(world: &World) -> Vec<Vec<String>> {
    let bodies = ["a", "a b", "a refund-x", "garbage", "fail-d e", "ignore-b", "", "a bad c"];
    let body = |id: &_| bodies.iter().find(|body| fakes::envelope("shop", body).id == *id).unwrap().to_string();
    let store = world.store.look();
    store.batches.iter().map(|batch| batch.settled_envelopes.iter().map(body).collect()).collect()
}

#[tokio::test(start_paused = true)]
async fn an_envelope_is_settled_when_all_of_its_events_are() {
    let world = World::with(["a b", "a", "garbage", "fail-d e", "ignore-b", "", "a refund-x"]);
    let worker = world.start();
    world.queue.until(|held| held.settlements.len() == 7).await;
    assert_eq!(settled(&world), [["a b", "a", "ignore-b", ""]]);
    world.put("x");
    world.queue.empty(QUEUE).await;
    world.stop(worker).await;
    let last = world.store.look().batches.last().unwrap().settled_envelopes.clone();
    assert_eq!(last, [fakes::envelope("shop", "a refund-x").id], "what was a duplicate counts");
}

#[tokio::test(start_paused = true)]
async fn an_envelope_may_be_settled_by_several_transactions() {
    let world = World::with(["a bad c"]);
    world.store.script(|script| script.conflicts = 11);
    world.run().await;
    let told = settled(&world);
    assert!(told.len() > 1, "it was written in parts");
    assert_eq!(told.concat(), ["a bad c"]);
    assert_eq!(told.last().map(Vec::len), Some(1), "by the last part");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_one_transaction() {
    let world = World::with(numbered(256));
    world.run().await;
    assert_eq!((world.applied(), world.store.look().batches.len()), (256, 1));
    let rules = |batch: &Batch| (batch.rules.clone(), batch.processed_at);
    assert_eq!(rules(&world.store.look().batches[0]), ("rules".to_owned(), fakes::noon()));
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_one_event() {
    let world = World::with(["a", "b panic-1 c", "reads-panic", "translator-panic", "d"]);
    world.run().await;
    assert_eq!(world.applied(), 4);
    assert_eq!(world.dead(), dead(&[("panicked", 1), ("panicked", 1), ("panicked", 1)]));
    assert_eq!(world.retries(), []);
}

#[tokio::test(start_paused = true)]
async fn a_deferred_refund_goes_through_the_whole_schedule() {
    let options = crate::Options { receive_wait: Duration::from_secs(10), ..crate::Options::default() };
    let world = World::of(Context { schedule: RetrySchedule::default(), options, ..fakes::context() });
    world.put("refund-a");
    let began = Instant::now();
    world.run().await;
    assert_eq!(world.retries().iter().map(|retry| retry.attempts).collect::<Vec<_>>(), (1..=7).collect::<Vec<_>>());
    assert_eq!(world.dead(), dead(&[("payment_unknown", 8)]));
    let whole = Duration::from_secs(1 + 5 + 30 + 120 + 600 + 3600 + 21_600);
    assert!(began.elapsed() >= whole && began.elapsed() < whole + Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(world.applied(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_deferred_refund_finds_its_payment() {
    let world = World::with(["refund-a"]);
    let worker = world.start();
    world.queue.until(|held| !held.settlements.is_empty()).await;
    world.put("a");
    world.queue.empty(QUEUE).await;
    world.stop(worker).await;
    assert_eq!(world.store.outcome("payment:a:refunded:1500"), Some(Outcome::Applied));
    assert_eq!(world.dead(), []);
}

#[tokio::test(start_paused = true)]
async fn a_later_event_of_a_batch_sees_an_earlier_one() {
    let world = World::with(["a", "refund-a"]);
    world.run().await;
    assert_eq!((world.applied(), world.retries().len()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn duplicates_are_acknowledged() {
    let world = World::with(["a", "a", "a a", "b"]);
    world.run().await;
    world.put("a");
    let world = World { shutdown: CancellationToken::new(), ..world };
    world.run().await;
    assert_eq!((world.applied(), world.dead()), (2, vec![]));
    assert_eq!(world.processor.decided.load(Ordering::SeqCst), 2);
    let duplicates = world.store.look().batches.iter().map(|batch| batch.duplicates.len()).collect::<Vec<_>>();
    assert_eq!(duplicates, [3, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_same_fact_with_other_contents_is_no_duplicate() {
    let world = World::with(["a", "a=20", "ignore-b", "ignore-b=20"]);
    world.run().await;
    assert_eq!(world.applied(), 1);
    assert_eq!(world.dead(), dead(&[("conflicting_duplicate", 1)]));
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_after_its_commit_is_applied_once() {
    let world = World::with(["a", "b"]);
    world.queue.look().failing_settlements = 1;
    world.run().await;
    let settlements: Vec<u32> = world.queue.look().settlements.iter().map(|(again, _)| again.redeliveries).collect();
    assert_eq!(settlements, [1, 1], "they came again");
    assert_eq!((world.applied(), world.processor.decided.load(Ordering::SeqCst)), (2, 2));
    assert_eq!(world.queue.look().consumers, 2, "the consumer was made anew");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_away_is_come_back_to() {
    let world = World::with(["a"]);
    world.queue.look().failing = 30;
    world.run().await;
    assert_eq!(world.applied(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_finishes_what_is_begun_and_releases_the_rest() {
    let world = World::new();
    // The second is a suspect and would be handled after the first.
    world.queue.put(QUEUE, delivery(0, "a"));
    world.queue.put(QUEUE, Delivery { redeliveries: 3, ..delivery(0, "b") });
    let shutdown = world.shutdown.clone();
    let clock = move || {
        // The clock is read while a batch is in hand.
        shutdown.cancel();
        fakes::noon()
    };
    let context = Context { clock: Arc::new(clock), ..fakes::context() };
    let world = World { context: Arc::new(context), ..world };
    world.start().await.unwrap();
    assert_eq!(world.store.outcome("payment:a:captured"), Some(Outcome::Applied));
    assert_eq!(world.store.outcome("payment:b:captured"), None);
    let held = world.queue.look();
    assert_eq!((held.settlements.len(), held.held.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_kills_the_process_is_not_even_looked_at() {
    let world = World::new();
    world.queue.put(QUEUE, Delivery { redeliveries: 20, ..delivery(0, "a") });
    world.queue.put(QUEUE, Delivery { redeliveries: 19, ..delivery(0, "b") });
    world.run().await;
    assert_eq!(world.dead(), dead(&[("kills_worker", 1)]));
    assert_eq!(world.queue.dead_letters()[0].event_key.as_str(), "other:delivery a");
    assert_eq!(world.applied(), 1);
}

#[tokio::test(start_paused = true)]
async fn deciding_anew_replaces_only_what_was_ignored() {
    let world = World::with(["ignore-a", "b", "reject-c"]);
    world.run().await;
    world.processor.mended.store(true, Ordering::SeqCst);
    let decided = world.processor.decided.load(Ordering::SeqCst);
    for body in ["ignore-a", "ignore-a", "b", "reject-c"] {
        world.queue.put(QUEUE, Delivery { redecide: true, ..delivery(0, body) });
    }
    let world = World { shutdown: CancellationToken::new(), ..world };
    world.run().await;
    assert_eq!(world.store.outcome("payment:ignore-a:captured"), Some(Outcome::Applied));
    assert_eq!(world.store.outcome("payment:reject-c:captured"), Some(Outcome::Rejected));
    assert_eq!(world.processor.decided.load(Ordering::SeqCst), decided + 1);
}

#[tokio::test(start_paused = true)]
async fn two_wishes_for_one_fact_write_one_row() {
    let world = World::with(["ignore-a"]);
    world.run().await;
    for _ in 0..2 {
        world.queue.put(QUEUE, Delivery { redecide: true, ..delivery(0, "ignore-a") });
    }
    let world = World { shutdown: CancellationToken::new(), ..world };
    world.run().await;
    let written = world
        .store
        .look()
        .batches
        .iter()
        .map(|batch| (batch.settled.len(), batch.duplicates.len()))
        .collect::<Vec<_>>();
    assert_eq!(written, [(1, 0), (1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn without_the_wish_ignored_stays_ignored() {
    let world = World::with(["ignore-a"]);
    world.run().await;
    world.processor.mended.store(true, Ordering::SeqCst);
    world.put("ignore-a");
    let world = World { shutdown: CancellationToken::new(), ..world };
    world.run().await;
    assert_eq!(world.store.outcome("payment:ignore-a:captured"), Some(Outcome::Ignored));
}

#[tokio::test(start_paused = true)]
async fn registrations_are_announced_to_subscribers_alone() {
    let world = World::with(["join-a", "join-b", "c"]);
    world.run().await;
    let outbox = world.store.look().outbox.clone();
    assert_eq!(outbox.iter().map(|item| item.to.as_str()).collect::<Vec<_>>(), ["points", "points"]);
    let email = rollbook_domain::Email::parse("join-a@example.org").unwrap();
    let heard = world.context.sources.translate(&outbox[0].envelope).unwrap();
    let person = PersonId::of_first_address(&email);
    assert_eq!(heard[0].fact, rollbook_domain::Fact::MemberRegistered { person });

    let deaf = World::of(Context { subscribers: crate::Subscribers::new(), ..fakes::context() });
    deaf.put("join-a");
    deaf.run().await;
    assert_eq!((deaf.applied(), deaf.store.look().outbox.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn two_workers_share_one_queue() {
    let context = Context { options: crate::Options { batch_max: 8, ..crate::Options::default() }, ..fakes::context() };
    let world = World::of(context);
    numbered(100).chain(numbered(100)).for_each(|body| world.put(&body));
    let workers = [world.start(), world.start()];
    world.queue.empty(QUEUE).await;
    for worker in workers {
        world.stop(worker).await;
    }
    assert_eq!((world.applied(), world.processor.decided.load(Ordering::SeqCst)), (100, 100));
}

/// What the loop of `queue` is told to hold.
fn held(context: &Context, queue: &str) -> Option<u64> {
    let figures = context.in_flight.figures();
    figures.into_iter().find(|(name, _)| name.as_str() == queue).map(|(_, held)| held)
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_in_place_is_held() {
    let world = World::with(["a", "b", "c"]);
    world.store.script(|script| script.away = true);
    let worker = world.start();
    let outage = world.context.options.outage_bound;
    tokio::time::sleep(outage / 2).await;
    assert_eq!(held(&world.context, QUEUE), Some(3));
    tokio::time::sleep(outage).await;
    assert_eq!(world.queue.look().released, 3);
    assert_eq!(held(&world.context, QUEUE), Some(1), "more may have been on its way to us");
    world.store.script(|script| script.away = false);
    world.queue.empty(QUEUE).await;
    tokio::time::sleep(world.context.options.receive_wait * 2).await;
    assert_eq!(held(&world.context, QUEUE), Some(0));
    world.stop(worker).await;
    assert_eq!((held(&world.context, QUEUE), world.applied()), (Some(0), 3));
}

#[tokio::test(start_paused = true)]
async fn a_lost_queue_keeps_the_figure_until_it_is_back_and_empty() {
    let world = World::with(["a", "b"]);
    world.store.script(|script| script.slow = Duration::from_secs(1));
    let worker = world.start();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.queue.look().held.len(), 2, "they are being committed");
    world.queue.look().failing_settlements = 1;
    world.queue.look().failing = 20;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(held(&world.context, QUEUE), Some(2), "the queue may not have missed us yet");
    world.queue.empty(QUEUE).await;
    world.stop(worker).await;
    assert_eq!(held(&world.context, QUEUE), Some(0));
}
