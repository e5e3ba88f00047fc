//! What commands of the ledger cost by the size of a commit. Not a test: figures are for people, and
//! each adapter has an example that prints them.

use std::time::{Duration, Instant};

use rollbook_ledger::{Command, Order, Owner};

use super::ledger_samples::{POINTS, award, hold, member, redeem, settle, transfer};
use super::samples::at;
use crate::{Database, HistoryFilter, StoreError};

const OWNERS: u32 = 10_000;

/// A kind of work: how its `n`-th command looks.
type Work = (&'static str, fn(u32) -> Order);

const WORKS: [Work; 6] = [
    ("one hot account, undated", |_| redeem(hot(), 1)),
    ("one hot account, dated lots", |_| redeem(dated(), 1)),
    ("one hot account, refused", |_| redeem(member(0), 1)),
    ("holds and settles on one hot account", |n| if n % 2 == 0 { hold(hot(), 2, None) } else { settle(n - 1, 1) }),
    ("transfers between 10,000, undated", |n| transfer(owner(n), owner(n + 1 + n % 7), 1)),
    ("awards with a date to 10,000", |n| award(owner(n), 5, Some(2_000_000 + n % 700))),
];

fn hot() -> Owner {
    member(1_000_001)
}

fn dated() -> Owner {
    member(1_000_002)
}

fn owner(n: u32) -> Owner {
    member(1 + n.wrapping_mul(2_654_435_769) % OWNERS)
}

/// Runs `commands` of each work at each size of a commit, and says a line for each.
pub async fn ledger_rate(store: &dyn Database, commands: u32, say: impl Fn(&str)) -> Result<(), StoreError> {
    let mut next = prepare(store).await?;
    for (name, order) in WORKS {
        say(name);
        for size in [1, 16, 64, 256, 500] {
            let count = commands.clamp(size, size * 200) / size * size;
            let all: Vec<_> = (next..next + count).map(|n| super::ledger_samples::command(n, 10, order(n))).collect();
            next += count + count % 2;
            say(&line(size, run(store, &all, size).await?));
        }
    }
    read(store, say).await
}

/// What it takes to look at the hot account, and at everything.
async fn read(store: &dyn Database, say: impl Fn(&str)) -> Result<(), StoreError> {
    let filter = HistoryFilter { asset: POINTS, owner: hot(), since: None, until: None, limit: None };
    let begun = Instant::now();
    let rows = store.history(&HistoryFilter { limit: Some(50), ..filter }).await?.len();
    say(&format!("the last {rows} rows of the hot account: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3));
    let begun = Instant::now();
    let rows = store.history(&filter).await?.len();
    say(&format!("all {rows} rows of the hot account: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3));
    let begun = Instant::now();
    let checks = store.snapshot().await?.checks().await?;
    let legs = checks.iter().find(|check| check.name == "legs_move_one_asset").map_or(0, |check| check.checked);
    say(&format!("every check over {legs} legs: {:.1} s", begun.elapsed().as_secs_f64()));
    Ok(())
}

/// Everybody has something; tells the number of the next command, an even one.
async fn prepare(store: &dyn Database) -> Result<u32, StoreError> {
    let mut orders = vec![award(hot(), 1_000_000_000, None)];
    orders.extend((0..5_000).map(|n| award(dated(), 1_000, Some(1_000_000 + n))));
    orders.extend((1..=OWNERS).map(|n| award(member(n), 1_000_000, None)));
    let commands: Vec<_> = (0..).zip(orders).map(|(n, order)| super::ledger_samples::command(n, 1, order)).collect();
    for batch in commands.chunks(1_000) {
        store.execute(batch, at(1)).await?;
    }
    Ok(20_000)
}

/// How long each commit took.
async fn run(store: &dyn Database, commands: &[Command], size: u32) -> Result<Vec<Duration>, StoreError> {
    let mut took = Vec::new();
    for batch in commands.chunks(usize::try_from(size).unwrap_or(usize::MAX)) {
        let begun = Instant::now();
        store.execute(batch, at(2)).await?;
        took.push(begun.elapsed());
    }
    Ok(took)
}

fn line(size: u32, mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let (all, middle) = (took.iter().sum::<Duration>().as_secs_f64(), took[took.len() / 2].as_secs_f64() * 1e3);
    let worst = took[took.len() * 99 / 100].as_secs_f64() * 1e3;
    let commits = u32::try_from(took.len()).unwrap_or(u32::MAX);
    let rate = f64::from(size) * f64::from(commits) / all;
    format!("{size:>5} a commit: {rate:>8.0} commands/s, a commit {middle:>7.2} ms (p99 {worst:>7.2} ms)")
}
