//! What a consumer leaves behind, and what may be the cause of its death.

use std::collections::BTreeMap;

use rollbook_domain::{EnvelopeId, EventKey, Reason};
use rollbook_queue::{DEAD_LETTERS, Failure};

use super::proxy::Proxy;
use super::*;
use crate::wire::Parcel;

/// A worker process: it dies with its connections.
struct Process {
    proxy: Proxy,
    queue: Arc<RabbitQueue>,
}

impl Process {
    async fn start(broker: &Broker, prefix: &str) -> Self {
        let proxy = Proxy::to(broker.address()).await;
        let url = broker.url_at(&proxy.address.to_string());
        let (prefix, levels) = (prefix.to_owned(), vec![Duration::from_millis(250)]);
        let options = Options { prefix, levels, ..Options::new(vec![url], clock()) };
        let queue = RabbitQueue::connect(options).await.unwrap();
        Self { proxy, queue }
    }

    fn die(self) {
        self.proxy.cut();
        self.queue.leave();
    }
}

/// What was settled, and how often each had been handed out before. What was acknowledged just before a
/// death may come again; only the first time counts.
#[derive(Default)]
struct Done(BTreeMap<EnvelopeId, u32>);

impl Done {
    fn add(&mut self, batch: &[Delivery]) {
        for delivery in batch {
            self.0.entry(delivery.envelope.id).or_insert(delivery.redeliveries);
        }
    }
}

/// A worker that dies of one body, until the killer was handed out unsettled `deaths` times; then it gives up
/// on the killer and works off the `others`. Tells how often it died.
///
/// It goes on where it gave up: whatever ends then costs what it has prefetched a redelivery.
async fn work_beside_a_killer(broker: &Broker, prefix: &str, deaths: u32, others: usize, done: &mut Done) -> u32 {
    for died in 0.. {
        let process = Process::start(broker, prefix).await;
        let mut consumer = consumer(&process.queue).await;
        let mut gave_up = false;
        while !gave_up || done.0.len() < others {
            let batch = receive(&mut *consumer).await;
            match batch.iter().find(|delivery| *delivery.envelope.body == *b"body 7") {
                Some(killer) if killer.redeliveries >= deaths => {
                    let settlement = Settlement { dead_letters: vec![killed(&batch[0])], retry: None };
                    consumer.settle(vec![Settled { tag: batch[0].tag, settlement }]).await.unwrap();
                    gave_up = true;
                }
                Some(_) => break,
                None => {
                    ack(&mut *consumer, &batch).await;
                    done.add(&batch);
                }
            }
        }
        if gave_up {
            return died;
        }
        process.die();
    }
    unreachable!("it goes on for ever")
}

fn killed(delivery: &Delivery) -> Failure {
    Failure {
        processor: "membership".into(),
        account: "club".into(),
        event_key: EventKey::captured("t"),
        reason: Reason::read("kills_worker".to_owned()),
        detail: String::new(),
        amount: None,
        currency: None,
        attempts: delivery.attempts,
        failed_at: clock()(),
    }
}

#[tokio::test]
async fn a_killer_takes_no_neighbour_along() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let prefix = options.prefix.clone();
    let queue = queue(options).await;
    for number in 0..60 {
        publish(&queue, number).await.unwrap();
    }
    let mut done = Done::default();
    assert_eq!(work_beside_a_killer(&broker, &prefix, 20, 60 - 1, &mut done).await, 20);
    assert_eq!(done.0.len(), 60 - 1);
    let most = done.0.values().max();
    assert!(most <= Some(&3), "a neighbour was handed out {most:?} times");
    let mut keeper = queue.consumer(&DEAD_LETTERS.into()).await.unwrap();
    let letters = receive(&mut *keeper).await;
    let told: Vec<_> = letters.iter().map(|letter| (&*letter.envelope.body, letter.failure.is_some())).collect();
    assert_eq!(told, [(&b"body 7"[..], true)]);
}

/// Should no worker live long enough to give up on it, the broker does.
#[tokio::test]
async fn the_brokers_own_limit_stands_behind() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let prefix = options.prefix.clone();
    let queue = queue(options).await;
    publish(&queue, 7).await.unwrap();
    let mut keeper = queue.consumer(&DEAD_LETTERS.into()).await.unwrap();
    for redeliveries in 0..=30 {
        let process = Process::start(&broker, &prefix).await;
        let mut consumer = consumer(&process.queue).await;
        assert_eq!(receive(&mut *consumer).await[0].redeliveries, redeliveries);
        process.die();
    }
    let letter = receive(&mut *keeper).await.remove(0);
    assert_eq!((letter.envelope, letter.failure), (message(7, &[]).envelope, None));
}

/// Suspects in the middle of a stream are parted from each other and from their neighbours without
/// being counted.
#[tokio::test]
async fn suspects_among_others_come_alone_and_are_not_counted() {
    let (_broker, queue) = world().await;
    for number in 0..120 {
        let suspicious = (50..60).contains(&number) || number == 110;
        let parcel = Parcel::new(message(number, &[]).envelope, false, clock()());
        let parcel = Parcel { redeliveries: if suspicious { 3 } else { 0 }, ..parcel };
        let fates = queue.shared.publishing.publish(vec![parcel.outgoing("membership".to_owned())]).await;
        assert!(fates.iter().all(Result::is_ok));
    }
    let mut consumer = consumer(&queue).await;
    let (mut alone, mut others) = (0, 0);
    while alone + others < 120 {
        let batch = receive(&mut *consumer).await;
        if batch[0].redeliveries > 0 {
            assert_eq!((batch.len(), batch[0].redeliveries), (1, 3));
            alone += 1;
        } else {
            assert!(batch.iter().all(|delivery| delivery.redeliveries == 0));
            others += batch.len();
        }
        ack(&mut *consumer, &batch).await;
    }
    assert_eq!((alone, others), (11, 109));
    assert!(consumer.receive(1, Duration::from_millis(300)).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_a_dropped_consumer_had_prefetched_comes_again() {
    let broker = Broker::of_environment();
    let queue = queue(Options { prefetch: 32, ..broker.options(broker.url.clone()) }).await;
    for number in 0..100 {
        publish(&queue, number).await.unwrap();
    }
    let mut first = consumer(&queue).await;
    let mut held = 0;
    while held < 32 {
        held += receive(&mut *first).await.len();
    }
    drop(first);
    assert_eq!(drain(&mut *consumer(&queue).await, 100).await.len(), 100);
}

/// A worker that gives back what it cannot do now keeps nothing from the others.
#[tokio::test]
async fn who_releases_keeps_nothing() {
    let (_broker, queue) = world().await;
    for number in 0..100 {
        publish(&queue, number).await.unwrap();
    }
    let mut first = consumer(&queue).await;
    let kept = receive(&mut *first).await;
    let batch = receive(&mut *first).await;
    first.release(batch.iter().map(|delivery| delivery.tag).collect()).await.unwrap();
    let others = 100 - kept.len();
    assert_eq!(drain(&mut *consumer(&queue).await, others).await.len(), others);
    // It goes on, with what it kept still in hand.
    publish(&queue, 100).await.unwrap();
    assert_eq!(drain(&mut *first, 1).await, ["body 100"]);
    ack(&mut *first, &kept).await;
}
