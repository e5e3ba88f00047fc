//! The relay against failures between publishing and removing.

use std::collections::HashSet;

use rollbook_queue::PublishError;

use super::*;
use crate::fakes::{self, FakeQueue, FakeStore, envelope};

fn filled(bodies: &[&str]) -> FakeStore {
    let store = FakeStore::default();
    for (id, body) in (0_i64..).zip(bodies) {
        let item = OutboxItem { id, envelope: envelope("shop", body), to: "membership".into(), redecide: true };
        store.look().outbox.push(item);
    }
    store
}

fn published(queue: &FakeQueue) -> Vec<String> {
    queue.look().published.iter().map(|m| String::from_utf8_lossy(&m.envelope.body).into_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn rows_go_to_their_processor_and_then_away() {
    let (store, queue, context) = (filled(&["a", "b"]), FakeQueue::default(), Arc::new(fakes::context()));
    let internal = OutboxItem { id: 9, envelope: envelope("rollbook", "c"), to: "points".into(), redecide: false };
    store.look().outbox.push(internal);
    let shutdown = CancellationToken::new();
    let outbox = Arc::new(store.clone());
    let relay = tokio::spawn(run_relay(outbox, Arc::new(queue.clone()), Arc::clone(&context), shutdown.clone()));
    queue.until(|held| held.published.len() == 3).await;
    shutdown.cancel();
    relay.await.unwrap();
    assert_eq!(store.look().outbox.len(), 0);
    let held = queue.look();
    let sent: Vec<_> = held.published.iter().map(|m| (m.to[0].as_str(), m.to.len(), m.redecide)).collect();
    assert_eq!(sent, [("membership", 1, true), ("membership", 1, true), ("points", 1, false)]);
    assert_eq!(context.metrics.replays.with_label_values(&["published"]).get(), 2, "an announcement is no replay");
}

#[tokio::test(start_paused = true)]
async fn a_fault_between_publishing_and_removing_publishes_again() {
    let (store, queue, context) = (filled(&["a"]), FakeQueue::default(), fakes::context());
    store.script(|script| script.failing_done = 1);
    let first = round(&store, &queue, &context).await;
    assert!(matches!(first, Err(RelayError::Store(StoreError::Unavailable(_)))));
    assert_eq!(round(&store, &queue, &context).await.unwrap(), 1);
    assert_eq!(published(&queue), ["a", "a"]);
    assert_eq!(store.look().outbox.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_message_that_is_not_taken_stays_alone() {
    let (store, queue, context) = (filled(&["a", "b", "c"]), FakeQueue::default(), fakes::context());
    queue.look().unpublishable = HashSet::from(["b".to_owned()]);
    let result = round(&store, &queue, &context).await;
    assert!(matches!(result, Err(RelayError::Queue(PublishError::Unavailable(_)))));
    assert_eq!(published(&queue), ["a", "c"]);
    assert_eq!(store.look().outbox.iter().map(|item| item.id).collect::<Vec<_>>(), [1]);
}
