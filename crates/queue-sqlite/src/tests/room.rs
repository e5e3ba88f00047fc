//! No room, and commands that spoil it for their neighbours.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::open::open;
use crate::{Options, SqliteQueue};
use rollbook_queue::{PublishError, Queue as _, Retry, Settled, Settlement};
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
