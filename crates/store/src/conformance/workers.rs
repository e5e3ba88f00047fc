//! What workers say of themselves.

use std::time::Duration;

use rollbook_domain::ProcessorName;
use uuid::Uuid;

use super::Harness;
use super::samples::nothing_is_broken;
use crate::{Database, WorkerId};

const LONG: Duration = Duration::from_hours(1);

fn worker(number: u128) -> WorkerId {
    WorkerId(Uuid::from_u128(number))
}

async fn tell(store: &dyn Database, number: u128, held: &[(&str, u64)], keep: Duration) {
    let held: Vec<(ProcessorName, u64)> = held.iter().map(|(name, count)| ((*name).into(), *count)).collect();
    store.tell(worker(number), &held, keep).await.expect("told");
}

/// Worker, processor and figure of each row.
async fn told(store: &dyn Database) -> Vec<(u128, String, u64)> {
    let rows = store.workers().await.expect("listed");
    assert!(rows.iter().all(|row| row.last_seen_s < 60), "{rows:?}");
    rows.into_iter().map(|row| (row.worker.0.as_u128(), row.processor, row.in_flight)).collect()
}

fn rows(rows: &[(u128, &str, u64)]) -> Vec<(u128, String, u64)> {
    rows.iter().map(|(worker, processor, count)| (*worker, (*processor).to_owned(), *count)).collect()
}

pub async fn a_worker_is_known_by_what_it_said_last(harness: &impl Harness) {
    let store = harness.store();
    assert!(told(&*store).await.is_empty());
    tell(&*store, 2, &[("waiver", 1), ("membership", 256)], LONG).await;
    tell(&*store, 1, &[("membership", 7)], LONG).await;
    tell(&*store, 1, &[], LONG).await;
    assert_eq!(told(&*store).await, rows(&[(1, "membership", 7), (2, "membership", 256), (2, "waiver", 1)]));

    // Its own rows alone, and a queue that it does not name keeps its figure.
    tell(&*store, 2, &[("dead-letters", 3), ("membership", 0)], LONG).await;
    let expected = [(2, "dead-letters", 3), (1, "membership", 7), (2, "membership", 0), (2, "waiver", 1)];
    assert_eq!(told(&*store).await, rows(&expected));
    nothing_is_broken(harness).await;
}

pub async fn a_goodbye_removes_the_worker_and_nobody_else(harness: &impl Harness) {
    let store = harness.store();
    tell(&*store, 1, &[("membership", 7), ("waiver", 0)], LONG).await;
    tell(&*store, 2, &[("membership", 2)], LONG).await;
    store.goodbye(worker(1)).await.expect("gone");
    store.goodbye(worker(1)).await.expect("gone already");
    store.goodbye(worker(9)).await.expect("never there");
    assert_eq!(told(&*store).await, rows(&[(2, "membership", 2)]));
}

/// Time passes between two calls, and an hour does not.
pub async fn the_silent_are_forgotten_when_they_said_and_by_others(harness: &impl Harness) {
    let store = harness.store();
    tell(&*store, 1, &[("membership", 5)], LONG).await;
    tell(&*store, 2, &[("membership", 6)], Duration::ZERO).await;
    assert_eq!(told(&*store).await.len(), 2, "looking at it forgets nothing");

    // Whose time is over and who comes back is no stranger to itself.
    tell(&*store, 2, &[("waiver", 1)], Duration::ZERO).await;
    let expected = [(1, "membership", 5), (2, "membership", 6), (2, "waiver", 1)];
    assert_eq!(told(&*store).await, rows(&expected));

    tell(&*store, 3, &[("waiver", 0)], LONG).await;
    assert_eq!(told(&*store).await, rows(&[(1, "membership", 5), (3, "waiver", 0)]));
}

/// Silence is measured, and takes nothing from the figure. A clock that was set back makes nobody
/// older than the beginning.
pub async fn a_silent_worker_keeps_its_figure(harness: &impl Harness) {
    let store = harness.store();
    tell(&*store, 1, &[("membership", 5)], LONG).await;
    harness.tamper("UPDATE worker SET written_at = written_at - (forget_at - written_at)").await;
    let silent = store.workers().await.expect("listed").remove(0);
    assert!((3_600..3_660).contains(&silent.last_seen_s), "{silent:?}");
    assert_eq!(silent.in_flight, 5);
    harness.tamper("UPDATE worker SET written_at = forget_at").await;
    assert_eq!(store.workers().await.expect("listed")[0].last_seen_s, 0);
    tell(&*store, 2, &[("membership", 1)], LONG).await;
    assert_eq!(told(&*store).await, rows(&[(1, "membership", 5), (2, "membership", 1)]));
}

pub async fn many_workers_tell_at_once(harness: &impl Harness) {
    let store = harness.store();
    let telling: Vec<_> = (0..8)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move {
                for count in 0..20 {
                    // Each is forgotten again and again by the others.
                    tell(&*store, number, &[("waiver", count), ("membership", count)], Duration::ZERO).await;
                }
                tell(&*store, number, &[("membership", 19), ("waiver", 19)], LONG).await;
            })
        })
        .collect();
    for one in telling {
        one.await.expect("a worker");
    }
    let told = told(&*store).await;
    assert_eq!(told.len(), 16);
    assert!(told.iter().all(|(.., count)| *count == 19), "{told:?}");
}
