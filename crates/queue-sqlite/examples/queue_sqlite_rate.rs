//! Prints what the embedded queue does on this machine: callbacks published, claimed and settled a
//! second, how long a publisher waits for its commit, and the memory that a backlog takes.
//!
//! `cargo run --release -p rollbook-queue-sqlite --example queue_sqlite_rate`

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rollbook_queue::{Consumer, Message, Queue, Settled, Settlement};
use rollbook_queue_sqlite::{Options, SqliteQueue};
use tokio::task::JoinSet;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PUBLISHERS: u32 = 32;
const EACH: u32 = 4_000;
const BACKLOG: u32 = 200_000;
const BATCH: usize = 256;

fn message(number: u32) -> Message {
    let mut message = rollbook_queue::conformance::message(number, &["membership"]);
    message.envelope.body = vec![b'x'; 1_024].into();
    message
}

/// Each publisher waits for its commit, as a request does. Returns the waits.
fn publishers(queue: &Arc<SqliteQueue>, each: u32) -> JoinSet<Outcome<Vec<Duration>>> {
    let mut publishers = JoinSet::new();
    for first in 0..PUBLISHERS {
        let publisher = queue.publisher();
        publishers.spawn(async move {
            let mut waits = Vec::new();
            for number in 0..each {
                let began = Instant::now();
                publisher.publish(message(first * each + number)).await?;
                waits.push(began.elapsed());
            }
            Ok(waits)
        });
    }
    publishers
}

async fn waited(mut publishers: JoinSet<Outcome<Vec<Duration>>>) -> Outcome<Vec<Duration>> {
    let mut all = Vec::new();
    while let Some(waits) = publishers.join_next().await {
        all.extend(waits??);
    }
    all.sort_unstable();
    Ok(all)
}

async fn drain(mut consumer: Box<dyn Consumer>, count: u32) -> Outcome<u32> {
    let mut batches = 0;
    let mut left = count as usize;
    while left > 0 {
        let batch = consumer.receive(BATCH, Duration::from_secs(10)).await?;
        left = left.checked_sub(batch.len()).filter(|_| !batch.is_empty()).ok_or("deliveries were lost or doubled")?;
        let settled = batch.iter().map(|one| Settled { tag: one.tag, settlement: Settlement::ack() });
        consumer.settle(settled.collect()).await?;
        batches += 1;
    }
    Ok(batches)
}

fn rate(count: u32, took: Duration) -> f64 {
    f64::from(count) / took.as_secs_f64()
}

/// Resident memory in MiB, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap_or("unknown");
    line.trim_start_matches("VmRSS:").trim().to_owned()
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Outcome<()> {
    let home = tempfile::tempdir()?;
    let started = Instant::now();
    let clock = Arc::new(move || Timestamp::UNIX_EPOCH + started.elapsed());
    let options = Options { path: home.path().join("queue.db"), min_free_disk_bytes: 0, clock };
    let queue = SqliteQueue::open(options).await?;
    let name = "membership".into();

    let began = Instant::now();
    let drained = tokio::spawn(drain(queue.consumer(&name).await?, PUBLISHERS * EACH));
    let waits = waited(publishers(&queue, EACH)).await?;
    let batches = drained.await??;
    let whole = rate(PUBLISHERS * EACH, began.elapsed());
    println!("publish, claim and settle: {whole:.0} a second with {PUBLISHERS} publishers ({batches} batches)");
    println!("a publisher waits: p50 {:?}, p99 {:?}", waits[waits.len() / 2], waits[waits.len() * 99 / 100]);

    let began = Instant::now();
    waited(publishers(&queue, BACKLOG / PUBLISHERS)).await?;
    println!("publish alone: {:.0} a second", rate(BACKLOG, began.elapsed()));
    let began = Instant::now();
    let depth = queue.depths(std::slice::from_ref(&name)).await?.remove(0);
    println!("memory with {} waiting: {}; depths took {:?}", depth.ready, memory(), began.elapsed());
    let began = Instant::now();
    drain(queue.consumer(&name).await?, BACKLOG).await?;
    println!("claim and settle alone: {:.0} a second", rate(BACKLOG, began.elapsed()));
    println!("memory at the end: {}", memory());
    queue.close().await;
    Ok(())
}
