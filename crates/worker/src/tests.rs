//! All loops together on the queue port's own model, which is crashed again and again: what the
//! loops ask of a queue is what the port promises.

use std::sync::Arc;
use std::time::Duration;

use rollbook_domain::{Clock, Outcome, ProcessorName};
use rollbook_queue::{DEAD_LETTERS, MemoryQueue, Message, Queue};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::fakes::{self, FakeProcessor, FakeStore, envelope};
use crate::{Context, Options, run_keeper, run_processor, run_relay};

const QUEUES: [&str; 2] = ["membership", DEAD_LETTERS];

fn clock() -> Clock {
    let began = Instant::now();
    Arc::new(move || fakes::noon() + began.elapsed())
}

fn bodies() -> Vec<String> {
    let joins = (0..200).map(|n| format!("join-{n}"));
    let refunds = (0..40).map(|n| format!("refund-join-{n}"));
    let orphans = (0..10).map(|n| format!("refund-nobody-{n} x{n}"));
    let odd = ["garbage", "fail-a", "panic-b", "ignore-c", "reject-d", ""].map(str::to_owned);
    let once: Vec<String> = refunds.chain(joins).chain(orphans).chain(odd).collect();
    [once.clone(), once].concat()
}

async fn waiting(queue: &MemoryQueue) -> u64 {
    let depths = queue.depths(&QUEUES.map(ProcessorName::new)).await.unwrap();
    depths.iter().map(|depth| depth.ready + depth.in_flight + depth.retrying).sum()
}

#[tokio::test(start_paused = true)]
async fn crashes_of_the_queue_lose_nothing_and_double_nothing() {
    let calm = play(0).await;
    let crashed = play(20).await;
    assert!(crashed > calm, "a crash between commit and settlement gives again what was applied");
}

/// Works off everything under that many crashes, audits it and returns how many events were met
/// again.
async fn play(crashes: u32) -> usize {
    let (queue, store, shutdown) = (MemoryQueue::new(clock()), FakeStore::default(), CancellationToken::new());
    store.script(|script| script.slow = Duration::from_millis(2));
    fill(&queue).await;
    let loops = start(&queue, &store, &shutdown);
    for _ in 0..crashes {
        sleep(Duration::from_millis(5)).await;
        queue.crash();
    }
    while waiting(&queue).await > 0 {
        sleep(Duration::from_millis(100)).await;
    }
    shutdown.cancel();
    loops.join_all().await;
    let points = queue.depths(&["points".into()]).await.unwrap();
    assert_eq!(points[0].ready, 200, "each registration is announced");
    audit(&store);
    store.look().batches.iter().map(|batch| batch.duplicates.len()).sum()
}

async fn fill(queue: &MemoryQueue) {
    let publisher = queue.publisher();
    for body in bodies() {
        let message = Message { envelope: envelope("shop", &body), to: vec!["membership".into()], redecide: false };
        publisher.publish(message).await.unwrap();
    }
}

/// Two workers, a keeper and a relay.
fn start(queue: &MemoryQueue, store: &FakeStore, shutdown: &CancellationToken) -> JoinSet<()> {
    let options = Options { batch_max: 32, ..Options::default() };
    let context = Arc::new(Context { clock: clock(), options, ..fakes::context() });
    let given = || (Arc::new(queue.clone()), Arc::new(store.clone()), Arc::clone(&context), shutdown.clone());
    let mut loops = JoinSet::new();
    for _ in 0..2 {
        let (queue, store, context, shutdown) = given();
        loops.spawn(run_processor(Arc::new(FakeProcessor::default()), queue, store, context, shutdown));
    }
    let (keepers_queue, letters, keepers_context, token) = given();
    loops.spawn(run_keeper(keepers_queue, Arc::new(store.clone()), letters, keepers_context, token));
    let (relays_queue, outbox, relays_context, token) = given();
    loops.spawn(run_relay(outbox, relays_queue, relays_context, token));
    loops
}

fn audit(store: &FakeStore) {
    let inner = store.look();
    let count = |outcome| inner.processed.values().filter(|seen| seen.outcome == outcome).count();
    assert_eq!(count(Outcome::Applied), 200 + 40 + 10);
    assert_eq!((count(Outcome::Ignored), count(Outcome::Rejected)), (2, 1));
    let mut letters: Vec<_> = inner.kept.iter().map(|kept| (kept.reason.as_str(), kept.event_key.as_str())).collect();
    letters.sort_unstable();
    letters.dedup();
    let of = |reason| letters.iter().filter(|(is, _)| *is == reason).count();
    let reasons = ["payment_unknown", "unparseable", "wrong_amount", "panicked"].map(of);
    assert_eq!((reasons, letters.len()), ([10, 1, 1, 1], 13));
    assert_eq!(inner.outbox.len(), 0);
}
