//! The broker hurt as a whole. These run alone.

use std::collections::BTreeSet;
use std::sync::Mutex;

use rollbook_queue::Retry;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::publishing::until_published;
use super::*;

/// Somebody who publishes without a pause and keeps what was answered for.
struct Traffic {
    stop: CancellationToken,
    answered: Arc<Mutex<BTreeSet<String>>>,
    sending: JoinHandle<()>,
}

impl Traffic {
    fn begin(queue: &Arc<RabbitQueue>) -> Self {
        let (stop, answered) = (CancellationToken::new(), Arc::<Mutex<BTreeSet<String>>>::default());
        let (queue, stopped, kept) = (Arc::clone(queue), stop.clone(), Arc::clone(&answered));
        let sending = tokio::spawn(async move {
            for number in 1_000.. {
                if stopped.is_cancelled() {
                    return;
                }
                match publish(&queue, number).await {
                    Ok(()) => drop(kept.lock().unwrap().insert(format!("body {number}"))),
                    Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
                }
            }
        });
        Self { stop, answered, sending }
    }

    async fn end(self) -> BTreeSet<String> {
        self.stop.cancel();
        self.sending.await.unwrap();
        self.answered.lock().unwrap().clone()
    }
}

/// Everything that was answered for comes, although the connections broke while it was sent.
async fn heals(hurt: impl AsyncFn(&Broker)) {
    let (broker, queue) = world().await;
    let traffic = Traffic::begin(&queue);
    let mut consumer = consumer(&queue).await;
    let mut came: BTreeSet<String> = drain(&mut *consumer, 20).await.into_iter().collect();
    hurt(&broker).await;
    let healed = Instant::now();
    until_published(&queue, 1).await;
    came.extend(drain(&mut *consumer, 1).await);
    assert!(healed.elapsed() < HEALED, "{:?}", healed.elapsed());
    let answered = traffic.end().await;
    let until = Instant::now() + PATIENCE;
    while !answered.is_subset(&came) {
        assert!(Instant::now() < until, "lost: {:?}", answered.difference(&came).collect::<Vec<_>>());
        // What was not acknowledged in time comes twice.
        let batch = receive(&mut *consumer).await;
        came.extend(batch.iter().map(|one| String::from_utf8_lossy(&one.envelope.body).into_owned()));
        ack(&mut *consumer, &batch).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closed_connections_heal() {
    heals(async |broker| drop(broker.ctl(&["close_all_connections", "a test"]).await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_stopped_and_started_heals() {
    heals(async |broker| {
        broker.ctl(&["stop_app"]).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        broker.ctl(&["start_app"]).await;
    })
    .await;
}

/// Ends the alarm however the test ends.
struct Alarm<'a>(&'a Broker);

impl<'a> Alarm<'a> {
    async fn raise(broker: &'a Broker) -> Self {
        broker.ctl(&["set_vm_memory_high_watermark", "absolute", "1MB"]).await;
        Self(broker)
    }

    async fn end(self) {
        self.0.ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        self.0.ctl_now(&["set_vm_memory_high_watermark", "0.4"]);
    }
}

/// Whoever only looks sees the alarm too, and leaves nothing behind by looking.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_seen_by_an_examination() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let alarm = Alarm::raise(&broker).await;
    let began = Instant::now();
    let found = crate::examine(&options, &names(&["membership"])).await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
    let inside = found.inside.expect("a node lets us in").unwrap();
    assert!(inside.blocked && inside.rights.publish == Some(true), "{inside:?}");
    alarm.end().await;
    let calm = crate::examine(&options, &names(&["membership"])).await.unwrap().inside.unwrap().unwrap();
    assert!(!calm.blocked && calm.unrouted == 0, "{calm:?}");
}

/// While a connection is blocked the library writes nothing at all, for as long as it lasts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_is_answered_in_time_and_heals_by_itself() {
    let (broker, queue) = world().await;
    for number in 0..20 {
        publish(&queue, number).await.unwrap();
    }
    let alarm = Alarm::raise(&broker).await;
    let began = Instant::now();
    assert!(publish(&queue, 100).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let began = Instant::now();
    let told = publish(&queue, 101).await;
    assert!(matches!(told, Err(PublishError::Full { .. })), "{told:?}");
    assert!(began.elapsed() < Duration::from_millis(200), "{:?}", began.elapsed());
    // The other connection goes on: what is there is worked off.
    let mut consumer = consumer(&queue).await;
    assert_eq!(drain(&mut *consumer, 20).await.len(), 20);
    alarm.end().await;
    until_published(&queue, 102).await;
    let mut came = BTreeSet::new();
    while !came.contains("body 102") {
        came.extend(drain(&mut *consumer, 1).await);
    }
}

/// The broker closes the channel for a message that is too long, and with it all that was under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_the_broker_cannot_take_harms_no_other() {
    let broker = Broker::of_environment();
    broker.ctl(&["eval", "application:set_env(rabbit, max_message_size, 100000)."]).await;
    let queue = queue(broker.options(broker.url.clone())).await;
    let mut long = message(7, &["membership"]);
    long.envelope.body = vec![7; 200_000].into();
    let publisher = queue.publisher();
    let refused = tokio::spawn(async move { publisher.publish(long).await });
    let fates = super::publishing::push(&queue, 400, ["membership", "membership"]).await;
    let refused = refused.await.unwrap();
    broker.ctl(&["eval", "application:set_env(rabbit, max_message_size, 134217728)."]).await;
    assert!(matches!(refused, Err(PublishError::Unavailable(_))), "{refused:?}");
    assert!(fates.iter().all(|(_, fate)| fate.is_ok()), "{:?}", fates.iter().find(|(_, fate)| fate.is_err()));
}

/// What must be tried later waits in hand, and is not taken for a killer afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_outlasts_an_alarm() {
    let (broker, queue) = world().await;
    for number in 0..2 {
        publish(&queue, number).await.unwrap();
    }
    let mut consumer = consumer(&queue).await;
    let mut batch = receive(&mut *consumer).await;
    while batch.len() < 2 {
        batch.extend(receive(&mut *consumer).await);
    }
    let alarm = Alarm::raise(&broker).await;
    assert!(publish(&queue, 100).await.is_err());
    let retry = Some(Retry { after: Duration::from_millis(250), attempts: 1 });
    let later = Settlement { dead_letters: vec![], retry };
    let settled = batch.iter().map(|one| Settled { tag: one.tag, settlement: later.clone() }).collect();
    let settling = tokio::spawn(async move {
        consumer.settle(settled).await.unwrap();
        consumer
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!settling.is_finished());
    alarm.end().await;
    let mut consumer = settling.await.unwrap();
    let mut again = BTreeSet::new();
    while again.len() < 2 {
        let batch = receive(&mut *consumer).await;
        let retried = batch.iter().filter(|one| *one.envelope.body != *b"body 100");
        again.extend(retried.map(|one| (one.envelope.id, one.attempts, one.redeliveries)));
        ack(&mut *consumer, &batch).await;
    }
    assert!(again.iter().all(|(_, attempts, redeliveries)| (*attempts, *redeliveries) == (1, 0)), "{again:?}");
}
