//! No room, and commands that spoil it for their neighbours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::open::open;
use crate::{Options, SqliteQueue};
use jiff::Timestamp;
use rollbook_domain::Reason;
use rollbook_queue::{Failure, PublishError, Queue as _, Retry, Settled, Settlement};
use tokio::task::JoinSet;

use super::{Embedded, embedded, message, options, run};

const WAIT: Duration = Duration::from_secs(20);

async fn reopened(embedded: &Embedded, min_free_disk_bytes: u64) -> Arc<SqliteQueue> {
    embedded.queue.close().await;
    let options = Options { min_free_disk_bytes, ..options(&embedded.path, &embedded.clock) };
    SqliteQueue::open(options).await.unwrap()
}

/// Work at hand goes on while new work is refused.
#[tokio::test]
async fn a_low_disk_refuses_new_work_and_finishes_the_old() {
    let embedded = embedded().await;
    for number in 0..2 {
        embedded.queue.publisher().publish(message(number, &["membership"])).await.unwrap();
    }
    let queue = reopened(&embedded, u64::MAX).await;
    let refused = queue.publisher().publish(message(9, &["membership"])).await.unwrap_err();
    let PublishError::Full { detail, retry_after } = refused else { panic!("{refused}") };
    assert!(detail.contains("must stay free"), "{detail}");
    assert_eq!(retry_after, Duration::from_secs(30));

    let mut consumer = queue.consumer(&"membership".into()).await.unwrap();
    let held = consumer.receive(2, WAIT).await.unwrap();
    let retry = Some(Retry { after: Duration::from_mins(1), attempts: 1 });
    let settlements = [Settlement::ack(), Settlement { retry, ..Settlement::default() }];
    let settled = held.iter().zip(settlements).map(|(one, settlement)| Settled { tag: one.tag, settlement });
    consumer.settle(settled.collect()).await.unwrap();
    let depth = &queue.depths(&["membership".into()]).await.unwrap()[0];
    assert_eq!((depth.ready, depth.in_flight, depth.retrying), (0, 0, 1));
}

/// The file may not grow (`max_page_count` fails as a full disk does): a refusal and no loss, and
/// what is drained makes room again.
#[tokio::test]
async fn a_full_disk_refuses_and_recovers() {
    let embedded = embedded().await;
    embedded.queue.close().await;
    let mut opened = open(&embedded.path).await.unwrap();
    sqlx::raw_sql("PRAGMA max_page_count = 600").execute(&mut opened.database.writer).await.unwrap();
    let queue = SqliteQueue::start(opened, options(&embedded.path, &embedded.clock));
    let large = |number| {
        let mut large = message(number, &["membership"]);
        large.envelope.body = vec![7; 1 << 20].into();
        large
    };
    queue.publisher().publish(large(1)).await.unwrap();
    queue.publisher().publish(large(2)).await.unwrap();
    let refused = queue.publisher().publish(large(3)).await.unwrap_err();
    assert!(matches!(refused, PublishError::Full { .. }), "{refused}");

    let mut consumer = queue.consumer(&"membership".into()).await.unwrap();
    for batch in [consumer.receive(1, WAIT).await.unwrap(), consumer.receive(1, WAIT).await.unwrap()] {
        consumer.settle(vec![Settled { tag: batch[0].tag, settlement: Settlement::ack() }]).await.unwrap();
    }
    let began = Instant::now();
    while queue.publisher().publish(large(3)).await.is_err() {
        assert!(began.elapsed() < WAIT, "no room although the queue is empty");
        tokio::task::yield_now().await;
    }
    assert_eq!(consumer.receive(9, WAIT).await.unwrap().len(), 1);
}

/// Commands that share a commit do not share its failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_command_spoils_nothing_for_the_others() {
    let embedded = embedded().await;
    run(
        &embedded.path,
        "CREATE TRIGGER poison BEFORE INSERT ON body WHEN NEW.delivery_key = 'key-13' \
         BEGIN SELECT RAISE(ABORT, 'refused'); END",
    )
    .await;
    let mut sending = JoinSet::new();
    for number in 0..200 {
        let publisher = embedded.queue.publisher();
        sending.spawn(async move { (number, publisher.publish(message(number, &["membership"])).await) });
    }
    let mut refused = Vec::new();
    while let Some(published) = sending.join_next().await {
        match published.unwrap() {
            (_, Ok(())) => {}
            (number, Err(error)) => {
                assert!(matches!(error, PublishError::Unavailable(_)), "{error}");
                refused.push(number);
            }
        }
    }
    assert_eq!(refused, [13]);
    assert_eq!(embedded.queue.depths(&["membership".into()]).await.unwrap()[0].ready, 199);
}

fn dead(detail: String) -> Settlement {
    let failure = Failure {
        processor: "membership".into(),
        account: "club".into(),
        event_key: "other:key".into(),
        reason: Reason::read("wrong_amount".to_owned()),
        detail,
        amount: None,
        currency: None,
        attempts: 1,
        failed_at: Timestamp::UNIX_EPOCH,
    };
    Settlement { dead_letters: vec![failure], retry: None }
}

/// For a cramped queue.
fn too_long() -> Settlement {
    dead("long ".repeat(50_000))
}

/// A queue with room for a few messages.
async fn cramped() -> (Embedded, Arc<SqliteQueue>) {
    let embedded = embedded().await;
    embedded.queue.close().await;
    let mut opened = open(&embedded.path).await.unwrap();
    sqlx::raw_sql("PRAGMA max_page_count = 40").execute(&mut opened.database.writer).await.unwrap();
    let queue = SqliteQueue::start(opened, options(&embedded.path, &embedded.clock));
    (embedded, queue)
}

/// How often each of 25 consumers, which cannot settle what they hold and give up, was told that it
/// was handed out before.
async fn rounds(queue: &SqliteQueue, settlement: &Settlement) -> Vec<u32> {
    let mut told = Vec::new();
    for _ in 0..25 {
        let mut consumer = queue.consumer(&"membership".into()).await.unwrap();
        let held = consumer.receive(1, WAIT).await.unwrap().remove(0);
        told.push(held.redeliveries);
        let settled = Settled { tag: held.tag, settlement: settlement.clone() };
        consumer.settle(vec![settled]).await.unwrap_err();
    }
    told
}

/// The fault is the disk's. The process lives, so nothing that it held can have killed it.
#[tokio::test]
async fn what_a_full_disk_did_not_let_settle_is_not_counted() {
    let (_embedded, queue) = cramped().await;
    queue.publisher().publish(message(1, &["membership"])).await.unwrap();
    assert_eq!(rounds(&queue, &too_long()).await, [0; 25]);

    // Who dies with it, and does not only fail, is counted as ever.
    let mut dying = queue.consumer(&"membership".into()).await.unwrap();
    let held = dying.receive(1, WAIT).await.unwrap().remove(0);
    let settled = vec![Settled { tag: held.tag, settlement: too_long() }];
    let died = tokio::spawn(async move {
        dying.settle(settled).await.unwrap_err();
        let _in_hand = dying;
        panic!("on purpose");
    });
    assert!(died.await.unwrap_err().is_panic());
    let mut last = queue.consumer(&"membership".into()).await.unwrap();
    let held = last.receive(1, WAIT).await.unwrap().remove(0);
    assert_eq!(held.redeliveries, 1);
    last.settle(vec![Settled { tag: held.tag, settlement: dead("short".to_owned()) }]).await.unwrap();
}

/// It makes room, and must not be kept by a neighbour that needs some.
#[tokio::test]
async fn what_only_goes_away_goes_even_from_a_full_disk() {
    let (_embedded, queue) = cramped().await;
    for number in 0..3 {
        queue.publisher().publish(message(number, &["membership"])).await.unwrap();
    }
    let mut consumer = queue.consumer(&"membership".into()).await.unwrap();
    let held = consumer.receive(3, WAIT).await.unwrap();
    let settlements = [Settlement::ack(), too_long(), Settlement::ack()];
    let settled = held.iter().zip(settlements).map(|(one, settlement)| Settled { tag: one.tag, settlement });
    consumer.settle(settled.collect()).await.unwrap_err();
    drop(consumer);
    let mut next = queue.consumer(&"membership".into()).await.unwrap();
    let left = next.receive(3, WAIT).await.unwrap();
    let told: Vec<_> = left.iter().map(|one| (one.envelope.id, one.redeliveries)).collect();
    assert_eq!(told, [(held[1].envelope.id, 0)]);
}

/// Counting is what brings a delivery to stand alone, away from neighbours that can be settled.
#[tokio::test]
async fn what_is_refused_for_its_own_sake_is_counted() {
    let embedded = embedded().await;
    embedded.queue.publisher().publish(message(1, &["membership"])).await.unwrap();
    run(&embedded.path, "CREATE TRIGGER poison BEFORE DELETE ON delivery BEGIN SELECT RAISE(ABORT, 'refused'); END")
        .await;
    assert_eq!(rounds(&embedded.queue, &Settlement::ack()).await, (0..25).collect::<Vec<_>>());
}
