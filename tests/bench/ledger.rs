//! Transfers of points from many callers at once, beside the naive way on the same tables.
//!
//! All callers draw on one account, or each on any of them. A caller asks again once it is answered.
//! What was moved is counted afterwards: nothing may be lost or made.

mod naive;
mod place;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_trait::async_trait;
use hdrhistogram::Histogram;
use jiff::{SignedDuration, Timestamp};
use rollbook_domain::PersonId;
use rollbook_ledger::{Actor, Asset, Command, Destination, Move, Order, Owner, TransactionId, Verdict};
use rollbook_telemetry::Metrics;
use rollbook_teller::Teller;
use uuid::Uuid;

pub use self::place::Kind;
use self::place::Place;
use crate::{rate, row};

pub struct Plan {
    pub stores: Vec<Kind>,
    pub callers: usize,
    pub accounts: usize,
    pub time: Duration,
    /// As many tellers as processes would have, on one store.
    pub tellers: usize,
    /// Every account holds this many lots that expire, and the naive way, which knows no lots, is not
    /// gone; 0: points that never expire.
    pub lots: usize,
}

#[expect(clippy::disallowed_methods, reason = "nobody is above a benchmark to hand it a clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// What each account begins with: more than any run can take.
const AWARD: i64 = 1_000_000_000;

/// Moves one point.
#[async_trait]
trait Way: Send + Sync {
    async fn transfer(&self, id: TransactionId, from: Owner, to: Owner) -> anyhow::Result<()>;
}

/// Ours: callers meet at a teller.
struct Tellers {
    tellers: Vec<Teller>,
    turn: AtomicU64,
}

#[async_trait]
impl Way for Tellers {
    async fn transfer(&self, id: TransactionId, from: Owner, to: Owner) -> anyhow::Result<()> {
        let step = Move::Spend { from, to: Destination::Owner(to), amount: 1 };
        let order = Order::Post { asset: Asset::Points, moves: vec![step] };
        let command = Command::new(id, now(), Actor::System, order)?;
        let turn = usize::try_from(self.turn.fetch_add(1, Ordering::Relaxed))?;
        let answer = self.tellers[turn % self.tellers.len()].execute(command).await?;
        ensure!(answer.verdict == Verdict::Applied && !answer.repeated, "a transfer became {:?}", answer.verdict);
        Ok(())
    }
}

pub async fn run(plan: &Plan) -> anyhow::Result<()> {
    for kind in &plan.stores {
        let place = Place::open(*kind).await?;
        println!("the ledger on {}; {} callers, {} accounts", kind.describe(), plan.callers, plan.accounts);
        fill(plan, &place).await?;
        for (name, hot) in [("one hot account", true), ("any of all accounts", false)] {
            println!("{name}");
            compare(plan, &place, hot).await?;
        }
        audit(plan, &place).await?;
        println!();
        place.close().await?;
    }
    Ok(())
}

async fn compare(plan: &Plan, place: &Place, hot: bool) -> anyhow::Result<()> {
    let mut naive = None;
    if plan.lots == 0 {
        let load = load(plan, place.naive().await?, hot).await?;
        load.print(place.kind().naive());
        naive = Some(load.rate());
    }
    let (tellers, metrics) = tellers(plan, place)?;
    let ours = load(plan, Arc::new(tellers), hot).await?;
    ours.print("teller");
    let batches = &metrics.ledger_batch_commands;
    let commits = usize::try_from(batches.get_sample_count())?;
    row("  commands a transaction", batches.get_sample_sum() / rate(commits, Duration::from_secs(1)), "");
    if let Some(naive) = naive {
        row("times the naive way", ours.rate() / naive, "");
    }
    Ok(())
}

/// With what they tell of their batches.
fn tellers(plan: &Plan, place: &Place) -> anyhow::Result<(Tellers, Arc<Metrics>)> {
    let metrics = Arc::new(Metrics::new("bench")?);
    let tellers = (0..plan.tellers).map(|_| place.teller(&metrics)).collect();
    Ok((Tellers { tellers, turn: AtomicU64::new(0) }, metrics))
}

fn owner(number: usize) -> Owner {
    Owner::Person(PersonId(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("member {number}").as_bytes())))
}

async fn fill(plan: &Plan, place: &Place) -> anyhow::Result<()> {
    let teller = place.teller(&Arc::new(Metrics::new("bench")?));
    let now = now();
    let lots = i64::try_from(plan.lots.max(1))?;
    for lot in 0..lots {
        let day = SignedDuration::from_hours(24 * (lot + 365));
        let expires_at = (plan.lots > 0).then(|| now.checked_add(day)).transpose()?;
        for start in (0..plan.accounts).step_by(100) {
            let award = |n| Move::Award { to: owner(n), amount: AWARD / lots, expires_at };
            let moves = (start..(start + 100).min(plan.accounts)).map(award).collect();
            let id = TransactionId::of_key(&format!("award {lot} {start}"));
            let command = Command::new(id, now, Actor::System, Order::Post { asset: Asset::Points, moves })?;
            ensure!(teller.execute(command).await?.verdict == Verdict::Applied, "an award was refused");
        }
    }
    Ok(())
}

struct Load {
    count: u64,
    time: Duration,
    /// Microseconds from asking to being answered.
    latency: Histogram<u64>,
}

/// The first tenth of the time is not counted.
async fn load(plan: &Plan, way: Arc<dyn Way>, hot: bool) -> anyhow::Result<Load> {
    let (begun, warm) = (Instant::now(), plan.time / 10);
    let run = fastrand::u64(..);
    let callers = (0..plan.callers).map(|caller| {
        let (way, end, accounts) = (Arc::clone(&way), begun + warm + plan.time, plan.accounts);
        tokio::spawn(async move {
            let mut latency = Histogram::<u64>::new(3)?;
            for n in 0_u64.. {
                let asked = Instant::now();
                if asked >= end {
                    break;
                }
                let from = if hot { 0 } else { fastrand::usize(..accounts) };
                let to = (from + fastrand::usize(1..accounts)) % accounts;
                let id = TransactionId::of_key(&format!("{run} {caller} {n}"));
                way.transfer(id, owner(from), owner(to)).await?;
                if asked >= begun + warm {
                    latency.record(u64::try_from(asked.elapsed().as_micros())?)?;
                }
            }
            anyhow::Ok(latency)
        })
    });
    let mut latency = Histogram::new(3)?;
    for caller in callers.collect::<Vec<_>>() {
        latency.add(caller.await??)?;
    }
    let time = begun.elapsed().saturating_sub(warm);
    Ok(Load { count: latency.len(), time, latency })
}

impl Load {
    fn rate(&self) -> f64 {
        rate(usize::try_from(self.count).unwrap_or(usize::MAX), self.time)
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^52")]
    fn print(&self, way: &str) {
        let ms = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1000.0;
        row(way, self.rate(), "transfers/s");
        row("  p50", ms(0.5), "ms");
        row("  p99", ms(0.99), "ms");
    }
}

/// Transfers neither make nor lose a point.
async fn audit(plan: &Plan, place: &Place) -> anyhow::Result<()> {
    let lots = i64::try_from(plan.lots.max(1))?;
    let awarded = i64::try_from(plan.accounts)? * (AWARD / lots) * lots;
    let standing = place.ledger().outstanding(Asset::Points).await?;
    ensure!(standing.sums.posted == awarded, "{} points are left of {awarded}", standing.sums.posted);
    Ok(())
}
