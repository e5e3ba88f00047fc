//! How long an answer takes while the broker is away, and how quickly the spool drains into one that
//! answers at once: `cargo run --release -p rollbook-spool --example outage [FOLDER]`.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use prometheus::IntGauge;
use rollbook_queue::{Message, PublishError, Publisher};
use rollbook_queue_sqlite::SqliteFiles;
use rollbook_spool::{Options, Spool};
use tokio_util::sync::CancellationToken;

const CALLBACKS: u32 = 20_000;
const SENDERS: u32 = 64;

struct Broker {
    up: AtomicBool,
}

#[async_trait]
impl Publisher for Broker {
    async fn publish(&self, _: Message) -> Result<(), PublishError> {
        if self.up.load(Ordering::SeqCst) { Ok(()) } else { Err(PublishError::Unavailable("away".into())) }
    }
}

fn message(number: u32) -> Message {
    let mut message = rollbook_queue::conformance::message(number, &["membership", "waiver"]);
    message.envelope.body = vec![b'x'; 2_000].into();
    message
}

/// Each sender waits for its answer before it sends again.
async fn send(spool: &Arc<Spool>) -> Vec<Duration> {
    let senders = (0..SENDERS).map(|sender| {
        let spool = Arc::clone(spool);
        tokio::spawn(async move {
            let mut waits = Vec::new();
            for number in (sender..CALLBACKS).step_by(SENDERS as usize) {
                let began = Instant::now();
                spool.publish(message(number)).await.expect("the spool has room");
                waits.push(began.elapsed());
            }
            waits
        })
    });
    let mut waits = Vec::new();
    for sender in senders.collect::<Vec<_>>() {
        waits.extend(sender.await.expect("a sender ends"));
    }
    waits.sort();
    waits
}

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).map_or_else(|| tempfile::tempdir().expect("a folder").keep(), PathBuf::from);
    let depth = IntGauge::new("depth", "Callbacks.").expect("a gauge");
    let broker = Arc::new(Broker { up: AtomicBool::new(false) });
    let files =
        Arc::new(SqliteFiles { min_free_disk_bytes: 0, clock: Arc::new(|| Timestamp::UNIX_EPOCH + since_start()) });
    let options = Options::new(folder.join("spool.db"), depth);
    let spool = Spool::open(options, files, Arc::<Broker>::clone(&broker)).await.expect("a spool");

    let stop = CancellationToken::new();
    let draining = tokio::spawn({
        let (spool, stop) = (Arc::clone(&spool), stop.clone());
        async move { spool.drain(stop).await }
    });
    let began = Instant::now();
    let waits = send(&spool).await;
    let at = |share: usize| waits[(waits.len() - 1) * share / 1_000];
    println!("{CALLBACKS} spooled by {SENDERS} senders in {:?}", began.elapsed());
    println!("answers: p50 {:?}, p99 {:?}, p99.9 {:?}, most {:?}", at(500), at(990), at(999), at(1_000));

    let began = Instant::now();
    broker.up.store(true, Ordering::SeqCst);
    while spool.depth() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("drained in {:?}", began.elapsed());
    stop.cancel();
    draining.await.expect("the drain ends");
    spool.close().await;
    std::fs::remove_dir_all(folder).expect("the folder goes");
}

fn since_start() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
