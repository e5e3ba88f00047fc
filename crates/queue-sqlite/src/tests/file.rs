//! The file: who may have it, what may be in it, and who may look.

use std::fs::OpenOptions;
use std::time::Duration;

use crate::{OpenError, SqliteQueue};
use rollbook_domain::ProcessorName;
use rollbook_queue::conformance::TestClock;
use rollbook_queue::{Delivery, Queue as _, QueueError, Settled, Settlement};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::{embedded, message, options, run, snapshot};

const WAIT: Duration = Duration::from_secs(20);

async fn count(path: &std::path::Path, table: &str) -> i64 {
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_second_service_on_the_same_file_is_refused() {
    let first = embedded().await;
    let refused = SqliteQueue::open(options(&first.path, &first.clock)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Lock(_)), "{refused}");
    assert!(refused.to_string().contains("another service is running"), "{refused}");
    first.queue.close().await;
    SqliteQueue::open(options(&first.path, &first.clock)).await.unwrap().close().await;
}

#[tokio::test]
async fn a_closed_queue_leaves_one_whole_file_and_answers_nobody() {
    let embedded = embedded().await;
    let publisher = embedded.queue.publisher();
    let mut consumer = embedded.queue.consumer(&"membership".into()).await.unwrap();
    publisher.publish(message(1, &["membership"])).await.unwrap();
    embedded.queue.close().await;
    publisher.publish(message(2, &["membership"])).await.unwrap_err();
    consumer.receive(1, WAIT).await.unwrap_err();
    assert!(!embedded.path.with_extension("db-wal").exists());
    assert_eq!(count(&embedded.path, "delivery").await, 1);
}

#[tokio::test]
async fn what_is_no_queue_is_refused_in_one_sentence() {
    let home = tempfile::tempdir().unwrap();
    let clock = TestClock::default();
    let path = home.path().join("queue.db");

    std::fs::write(&path, "minutes of the annual meeting\n".repeat(200)).unwrap();
    let refused = SqliteQueue::open(options(&path, &clock)).await.unwrap_err();
    assert!(refused.to_string().contains("is damaged or is not a SQLite database"), "{refused}");

    std::fs::File::create(&path).unwrap();
    run(&path, "CREATE TABLE person (id); PRAGMA user_version = 1").await;
    let refused = SqliteQueue::open(options(&path, &clock)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    let refused = SqliteQueue::inspect(&path, &[], &clock.clock()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
}

#[tokio::test]
async fn another_schema_version_is_refused_and_left_alone() {
    let embedded = embedded().await;
    embedded.queue.publisher().publish(message(1, &["membership"])).await.unwrap();
    embedded.queue.close().await;
    run(&embedded.path, "PRAGMA user_version = 2").await;
    let refused = SqliteQueue::open(options(&embedded.path, &embedded.clock)).await.unwrap_err();
    assert!(matches!(refused, OpenError::Version { found: 2, .. }), "{refused}");
    assert_eq!(count(&embedded.path, "delivery").await, 1);
}

#[tokio::test]
async fn a_truncated_file_is_refused() {
    let embedded = embedded().await;
    for number in 0..200 {
        embedded.queue.publisher().publish(message(number, &["membership"])).await.unwrap();
    }
    embedded.queue.close().await;
    let file = OpenOptions::new().write(true).open(&embedded.path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    let refused = SqliteQueue::open(options(&embedded.path, &embedded.clock)).await.unwrap_err();
    assert!(refused.to_string().contains("is damaged"), "{refused}");
}

#[tokio::test]
async fn one_body_serves_all_and_is_gone_with_the_last() {
    let embedded = embedded().await;
    embedded.queue.publisher().publish(message(1, &["membership", "waiver"])).await.unwrap();
    for (name, bodies, deliveries) in [("membership", 1, 1), ("waiver", 0, 0)] {
        let mut consumer = embedded.queue.consumer(&name.into()).await.unwrap();
        let tag = consumer.receive(1, WAIT).await.unwrap()[0].tag;
        consumer.settle(vec![Settled { tag, settlement: Settlement::ack() }]).await.unwrap();
        assert_eq!(count(&embedded.path, "body").await, bodies);
        assert_eq!(count(&embedded.path, "delivery").await, deliveries);
    }
}

/// It is reported, and put off.
#[tokio::test]
async fn an_unreadable_delivery_does_not_hold_up_the_others() {
    let embedded = embedded().await;
    for number in 0..3 {
        embedded.queue.publisher().publish(message(number, &["membership"])).await.unwrap();
    }
    run(&embedded.path, "UPDATE body SET headers = '[\"secret' WHERE delivery_key = 'key-0'").await;
    let queue: ProcessorName = "membership".into();
    let mut one_by_one = embedded.queue.consumer(&queue).await.unwrap();
    let error = one_by_one.receive(1, WAIT).await.unwrap_err();
    assert!(matches!(error, QueueError::Corrupt(_)) && !error.to_string().contains("secret"), "{error}");
    let second = one_by_one.receive(1, WAIT).await.unwrap().remove(0);
    assert_eq!(second.envelope.delivery_key.as_str(), "key-1");
    one_by_one.release(vec![second.tag]).await.unwrap();

    embedded.clock.advance(Duration::from_mins(2));
    let mut together = embedded.queue.consumer(&queue).await.unwrap();
    let keys = |batch: Vec<Delivery>| -> Vec<String> {
        batch.iter().map(|delivery| delivery.envelope.delivery_key.to_string()).collect()
    };
    let batch = together.receive(3, WAIT).await.unwrap();
    let settled = batch.iter().map(|one| Settled { tag: one.tag, settlement: Settlement::ack() });
    together.settle(settled.collect()).await.unwrap();
    let mut read = keys(batch);
    read.sort();
    assert_eq!(read, ["key-1", "key-2"]);
    let depth = &embedded.queue.depths(&[queue]).await.unwrap()[0];
    assert_eq!((depth.in_flight, depth.ready, depth.retrying), (0, 0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn depths_can_be_seen_beside_a_writing_service() {
    let embedded = embedded().await;
    let publisher = embedded.queue.publisher();
    let writes = tokio::spawn(async move {
        for number in 0..300 {
            publisher.publish(message(number, &["membership"])).await.unwrap();
        }
    });
    let queues: [ProcessorName; 2] = ["membership".into(), "nobody".into()];
    let clock = embedded.clock.clock();
    let mut last = 0;
    while last < 300 {
        let depths = SqliteQueue::inspect(&embedded.path, &queues, &clock).await.unwrap();
        assert!(depths[0].ready >= last, "{} after {last}", depths[0].ready);
        assert_eq!((depths.len(), depths[1].ready, depths[1].oldest_age_s), (2, 0, 0));
        last = depths[0].ready;
    }
    writes.await.unwrap();
    let mut consumer = embedded.queue.consumer(&"membership".into()).await.unwrap();
    let held = consumer.receive(5, WAIT).await.unwrap().len() as u64;
    let (_home, copy) = snapshot(&embedded.path);
    for path in [&embedded.path, &copy] {
        let depth = &SqliteQueue::inspect(path, &queues, &clock).await.unwrap()[0];
        assert_eq!((depth.ready, depth.in_flight, depth.retrying), (300 - held, held, 0));
    }
}

#[tokio::test]
async fn a_missing_file_is_told_and_not_made() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("queue.db");
    let refused = SqliteQueue::inspect(&path, &[], &TestClock::default().clock()).await.unwrap_err();
    assert!(refused.to_string().starts_with("there is no file"), "{refused}");
    assert!(!path.exists());
}
