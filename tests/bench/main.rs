//! The benchmark: a program of its own, not a timed test.
//!
//! Prints, for each size, beside the raw cost of what it stands on in the same run: acknowledged
//! callbacks a second and their latency, applied events a second, and memory, with an empty store and
//! with a full one. With `--ledger`: transfers of points, beside the naive way. Everything is on loopback, bounded by its arguments, and stops by itself.

mod ledger;
mod load;
mod raw;
mod raw_fleet;
mod service;

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::ledger::Kind;
use crate::load::{Load, prepare};
use crate::service::{Service, Size};

/// What is measured, and how much of it.
struct Plan {
    sizes: Vec<Size>,
    callbacks: usize,
    backlog: usize,
    connections: usize,
    per_processor: usize,
    /// Measure again over a store with this many payments.
    records: usize,
    /// Measure again with points for all of it.
    points: bool,
}

const USAGE: &str = "bench [--size embedded|fleet|both] [--callbacks N] [--backlog N] [--connections N]
      [--per-processor N] [--records N] [--points]
bench --ledger sqlite|postgres|both [--callers N] [--accounts N] [--seconds N] [--tellers N] [--lots N]
the fleet and PostgreSQL need servers: tests/services run -- cargo run --release -p rollbook-tests --bin bench -- --size both";

fn text(name: &str) -> anyhow::Result<Option<String>> {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == name) else { return Ok(None) };
    arguments.get(at + 1).cloned().map(Some).with_context(|| format!("{name} needs a value\n{USAGE}"))
}

fn number(name: &str, otherwise: usize) -> anyhow::Result<usize> {
    let Some(value) = text(name)? else { return Ok(otherwise) };
    value.parse().with_context(|| format!("{name} needs a number, not `{value}`\n{USAGE}"))
}

fn sizes() -> anyhow::Result<Vec<Size>> {
    match text("--size")?.as_deref() {
        None | Some("embedded") => Ok(vec![Size::Embedded]),
        Some("fleet") => Ok(vec![Size::Fleet]),
        Some("both") => Ok(vec![Size::Embedded, Size::Fleet]),
        Some(other) => bail!("there is no size `{other}`\n{USAGE}"),
    }
}

/// None unless `--ledger` is given: then nothing else is measured.
fn ledger_plan() -> anyhow::Result<Option<ledger::Plan>> {
    let stores = match text("--ledger")?.as_deref() {
        None => return Ok(None),
        Some("sqlite") => vec![Kind::Sqlite],
        Some("postgres") => vec![Kind::Postgres],
        Some("both") => vec![Kind::Sqlite, Kind::Postgres],
        Some(other) => bail!("there is no ledger on `{other}`\n{USAGE}"),
    };
    Ok(Some(ledger::Plan {
        stores,
        callers: number("--callers", 64)?,
        accounts: number("--accounts", 10_000)?.max(2),
        time: Duration::from_secs(u64::try_from(number("--seconds", 10)?)?),
        tellers: number("--tellers", 1)?.max(1),
        lots: number("--lots", 0)?,
    }))
}

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    if let Some(plan) = ledger_plan()? {
        return runtime.block_on(ledger::run(&plan));
    }
    let plan = Plan {
        sizes: sizes()?,
        callbacks: number("--callbacks", 40_000)?,
        backlog: number("--backlog", 200_000)?,
        connections: number("--connections", 32)?,
        per_processor: number("--per-processor", 0)?,
        records: number("--records", 0)?,
        points: std::env::args().any(|argument| argument == "--points"),
    };
    runtime.block_on(run(&plan))
}

async fn run(plan: &Plan) -> anyhow::Result<()> {
    for size in &plan.sizes {
        println!("{}; {} connections, all on this machine\n", size.describe(), plan.connections);
        match size {
            Size::Embedded => raw::print().await?,
            Size::Fleet => raw_fleet::print().await?,
        }
        let applied = live(plan, *size).await?;
        if plan.points {
            let earning = earning(plan, *size).await?;
            row("an event takes so many times as long", applied / earning, "");
        }
        if plan.backlog > 0 {
            backlog(plan, *size).await?;
        }
    }
    Ok(())
}

/// Acknowledging and applying at once, as in real life; with `--records`, again over a full store.
/// Returns the events applied a second over the empty one.
async fn live(plan: &Plan, size: Size) -> anyhow::Result<f64> {
    let service = Service::start(size, plan.per_processor, false).await?;
    println!("live, {0} payments of {0} people", plan.callbacks);
    let empty = measure(plan, &service, 0, 1).await?;
    let mut count = plan.callbacks;
    if plan.records > count {
        while count < plan.records {
            let next = (count + 20_000).min(plan.records);
            Load::send(&service, prepare(count..next), plan.connections).await?;
            service.wait_applied(next).await?;
            count = next;
        }
        println!("live, as many again beside {count} records");
        let full = measure(plan, &service, count, 1).await?;
        row("times slower than over the empty store", empty / full, "");
    }
    println!();
    service.stop().await?;
    Ok(empty)
}

/// The same, while every payment and every registration earns points: three events a payment.
async fn earning(plan: &Plan, size: Size) -> anyhow::Result<f64> {
    let service = Service::start(size, plan.per_processor, true).await?;
    println!(
        "live, {0} payments of {0} people, until each has its points for paying and for registering",
        plan.callbacks
    );
    let applied = measure(plan, &service, 0, 3).await?;
    service.stop().await?;
    Ok(applied)
}

/// Sends as many payments as are asked for and prints what that took; events applied a second, where a
/// payment leads to so many.
async fn measure(plan: &Plan, service: &Service, from: usize, events: usize) -> anyhow::Result<f64> {
    let bodies = prepare(from..from + plan.callbacks);
    let begun = Instant::now();
    let load = Load::send(service, bodies, plan.connections).await?;
    service.wait_applied(from + plan.callbacks).await?;
    let applied = rate(plan.callbacks * events, begun.elapsed());
    load.print();
    row("applied while acknowledging, first to last", applied, "events/s");
    service.print_memory()?;
    Ok(applied)
}

/// With nobody applying a backlog builds up; then it is worked off with nothing else to do.
async fn backlog(plan: &Plan, size: Size) -> anyhow::Result<()> {
    let mut service = Service::start(size, plan.per_processor, false).await?;
    let held = service.hold_back().await?;
    let mut acknowledged = None;
    for start in (0..plan.backlog).step_by(20_000) {
        let bodies = prepare(start..(start + 20_000).min(plan.backlog));
        acknowledged = Some(Load::send(&service, bodies, plan.connections).await?);
    }
    println!("nobody applying, {} callbacks waiting", plan.backlog);
    if let Some(load) = acknowledged {
        load.print();
    }
    service.print_memory()?;
    tokio::task::block_in_place(|| service.let_go(held));
    let begun = Instant::now();
    service.wait_applied(plan.backlog).await?;
    row("then applied", rate(plan.backlog, begun.elapsed()), "events/s");
    service.print_memory()?;
    println!();
    service.stop().await
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

pub fn row(name: &str, value: f64, unit: &str) {
    println!("  {name:<46} {value:>10.1} {unit}");
}
