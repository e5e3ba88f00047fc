//! What found no queue.

use super::*;

#[tokio::test]
async fn a_deleted_queue_is_declared_anew_and_its_messages_come_back() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let name = format!("{}.membership", options.prefix);
    let queue = queue(options).await;
    let mut consumer = consumer(&queue).await;
    publish(&queue, 1).await.unwrap();
    assert_eq!(drain(&mut *consumer, 1).await, ["body 1"]);
    broker.ctl(&["delete_queue", &name]).await;
    publish(&queue, 2).await.unwrap();
    let began = Instant::now();
    assert!(consumer.receive(1, HEALED).await.is_err(), "nobody was told");
    assert!(consumer.receive(1, Duration::ZERO).await.unwrap().is_empty());
    assert!(began.elapsed() < HEALED);
    publish(&queue, 3).await.unwrap();
    assert_eq!(drain(&mut *consumer, 1).await, ["body 3"]);
    assert_eq!(queue.recover_unrouted().await.unwrap(), 1);
    assert_eq!(drain(&mut *consumer, 1).await, ["body 2"]);
}

/// What is still unwanted stays, and hides nothing that stands behind it.
#[tokio::test]
async fn the_unwanted_hide_nobody() {
    let (_broker, queue) = world().await;
    for number in 0..310 {
        let to = if number < 300 { "nobody" } else { "waiver" };
        queue.publisher().publish(message(number, &[to])).await.unwrap();
    }
    queue.declare(&names(&["waiver"])).await.unwrap();
    assert_eq!(queue.recover_unrouted().await.unwrap(), 10);
    let mut waiver = queue.consumer(&"waiver".into()).await.unwrap();
    assert_eq!(drain(&mut *waiver, 10).await.len(), 10);
    assert_eq!(queue.recover_unrouted().await.unwrap(), 0);
    queue.declare(&names(&["nobody"])).await.unwrap();
    assert_eq!(queue.recover_unrouted().await.unwrap(), 300);
    assert_eq!(drain(&mut *queue.consumer(&"nobody".into()).await.unwrap(), 300).await.len(), 300);
}
