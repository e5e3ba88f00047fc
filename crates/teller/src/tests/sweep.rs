//! The sweep, with a ledger that only keeps a list of what is due.

use std::collections::HashSet;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::fakes::{due, expiry};
use crate::{Pace, Sweep, SweepError, Swept};

fn pace() -> Pace {
    Pace { page: 10, ..Pace::default() }
}

fn with_due(count: usize) -> std::sync::Arc<FakeLedger> {
    let ledger = FakeLedger::new();
    ledger.look().due = names("h", count).iter().map(|name| due(name)).collect();
    ledger
}

#[tokio::test(start_paused = true)]
async fn it_expires_all_that_is_due_page_by_page() {
    let ledger = with_due(25);
    let sweep = Sweep::new(ledger.teller(Options::default()), pace());
    assert_eq!(sweep.round().await.unwrap(), Swept { expired: 25, ..Swept::default() });
    assert_eq!(ledger.sizes(), [10, 10, 5], "a page is one batch");
    assert_eq!(sweep.round().await.unwrap(), Swept::default());
}

#[tokio::test(start_paused = true)]
async fn one_that_cannot_be_expired_does_not_keep_the_others() {
    let ledger = with_due(25);
    ledger.script(|script| script.refused = HashSet::from([expiry("h3")]));
    let sweep = Sweep::new(ledger.teller(Options::default()), pace());
    assert_eq!(sweep.round().await.unwrap(), Swept { expired: 24, refused: 1, ..Swept::default() });
    assert_eq!(ledger.look().decided.len(), 24);
}

#[tokio::test(start_paused = true)]
async fn not_even_a_whole_page_of_them() {
    let ledger = with_due(25);
    ledger.script(|script| script.refused = names("h", 10).iter().map(|name| expiry(name)).collect());
    let sweep = Sweep::new(ledger.teller(Options::default()), pace());
    assert_eq!(sweep.round().await.unwrap(), Swept { expired: 15, refused: 10, ..Swept::default() });
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_each_minute_through_an_outage_until_it_is_told_to_stop() {
    let ledger = with_due(3);
    ledger.script(|script| script.store = Condition::Away);
    let sweep = Sweep::new(ledger.teller(Options::default()), pace());
    assert!(matches!(sweep.round().await, Err(SweepError::Read(_))));
    let stop = CancellationToken::new();
    let running = tokio::spawn(sweep.run(stop.clone()));
    tokio::time::sleep(Duration::from_secs(90)).await;
    ledger.script(|script| script.store = Condition::Well);
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(ledger.look().decided.len(), 3);
    stop.cancel();
    running.await.unwrap();
}
