//! The benchmark: a program of its own, not a timed test.
//!
//! Prints, beside the raw cost of SQLite inserts in the same run: acknowledged callbacks a second
//! and their latency, applied events a second, and the service's memory with a long backlog.
//! Everything is on loopback, bounded by `--callbacks` and `--backlog`, and stops by itself.

mod load;
mod raw;
mod service;

use std::time::Instant;

use anyhow::Context as _;

use crate::load::{Load, prepare};
use crate::service::Service;

/// What is measured, and how much of it.
struct Plan {
    callbacks: usize,
    backlog: usize,
    connections: usize,
}

fn argument(name: &str, otherwise: usize) -> anyhow::Result<usize> {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(otherwise) };
    let value = arguments.get(at + 1).with_context(|| format!("{name} needs a number"))?;
    value.parse().with_context(|| format!("{name} needs a number, not `{value}`"))
}

fn main() -> anyhow::Result<()> {
    let plan = Plan {
        callbacks: argument("--callbacks", 40_000)?,
        backlog: argument("--backlog", 200_000)?,
        connections: argument("--connections", 32)?,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(run(&plan))
}

async fn run(plan: &Plan) -> anyhow::Result<()> {
    println!(
        "embedded size: one process, SQLite queue and store; {} connections, all on this machine\n",
        plan.connections
    );
    raw::print().await?;
    live(plan).await?;
    backlog(plan).await
}

/// Acknowledging and applying at once, as in real life.
async fn live(plan: &Plan) -> anyhow::Result<()> {
    let service = Service::start().await?;
    let bodies = prepare(&service, 0..plan.callbacks);
    let begun = Instant::now();
    let load = Load::send(&service, bodies, plan.connections).await?;
    service.wait_applied(plan.callbacks).await?;
    let all = begun.elapsed();
    println!("live, {} payments of {} people", plan.callbacks, plan.callbacks);
    load.print();
    row("applied while acknowledging, first to last", rate(plan.callbacks, all), "events/s");
    row("peak memory", service.peak_memory_mb()?, "MB");
    println!();
    service.stop().await
}

/// With the store held back a backlog builds up; then it is worked off with nothing else to do.
async fn backlog(plan: &Plan) -> anyhow::Result<()> {
    let service = Service::start().await?;
    let held = service.hold_store().await?;
    let mut acknowledged = None;
    for start in (0..plan.backlog).step_by(20_000) {
        let bodies = prepare(&service, start..(start + 20_000).min(plan.backlog));
        acknowledged = Some(Load::send(&service, bodies, plan.connections).await?);
    }
    println!("the store held back, {} callbacks waiting", plan.backlog);
    if let Some(load) = acknowledged {
        load.print();
    }
    row("peak memory", service.peak_memory_mb()?, "MB");
    drop(held);
    let begun = Instant::now();
    service.wait_applied(plan.backlog).await?;
    row("then applied", rate(plan.backlog, begun.elapsed()), "events/s");
    row("peak memory", service.peak_memory_mb()?, "MB");
    service.stop().await
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub fn rate(count: usize, time: std::time::Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

pub fn row(name: &str, value: f64, unit: &str) {
    println!("  {name:<46} {value:>10.1} {unit}");
}
