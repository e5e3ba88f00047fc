//! What callers are promised, tried against a ledger that fails on command.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use rollbook_ledger::{Answer, Command, TransactionId};
use tokio::sync::Barrier;

use crate::fakes::{Condition, FakeLedger, award, awards, id};
use crate::{Options, Teller, TellerError};

mod faults;
mod leaving;
mod property;
mod sqlite;
mod sweep;

/// Handed in, in this order, while the ledger is busy with something else: `busy` is begun first.
async fn behind(
    ledger: &FakeLedger,
    teller: &Teller,
    requests: Vec<Vec<Command>>,
) -> Vec<Result<Vec<Answer>, TellerError>> {
    ledger.script(|script| script.gated = true);
    let mut busy = pin!(teller.execute(award("busy")));
    assert!((&mut busy).now_or_never().is_none());
    ledger.until_begun(1).await;
    let mut calls: Vec<_> = requests.into_iter().map(|commands| Box::pin(teller.execute_all(commands))).collect();
    assert!(calls.iter_mut().all(|call| call.now_or_never().is_none()), "answered before it was decided");
    ledger.script(|script| script.gated = false);
    ledger.let_through(1);
    busy.await.unwrap();
    join_all(calls).await
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}{n}")).collect()
}

fn ids(names: &[String]) -> Vec<TransactionId> {
    names.iter().map(|name| id(name)).collect()
}

#[tokio::test]
async fn sixty_four_callers_are_each_answered_with_their_own() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    let names = names("c", 64);
    let answers = join_all(names.iter().map(|name| teller.execute(award(name)))).await;
    let told: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().id).collect();
    assert_eq!(told, ids(&names));
    assert_eq!(ledger.record(), ids(&names), "first come, first served");
}

#[tokio::test]
async fn while_one_batch_commits_the_next_gathers() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    let requests = names("c", 63).iter().map(|name| vec![award(name)]).collect();
    behind(&ledger, &teller, requests).await;
    assert_eq!(ledger.sizes(), [1, 63]);
}

/// Those who are answered together and ask again come together again. One worker thread runs what
/// was woken last first: there the first of them would be a batch of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn callers_that_ask_again_at_once_share_every_batch() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    let together = Arc::new(Barrier::new(64));
    let callers = (0..64).map(|caller| {
        let (teller, together) = (teller.clone(), Arc::clone(&together));
        tokio::spawn(async move {
            together.wait().await;
            for n in 0..50 {
                let name = format!("{caller}-{n}");
                assert_eq!(teller.execute(award(&name)).await.unwrap().id, id(&name));
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    assert!(ledger.begun() <= 52, "{:?}", ledger.sizes());
}

#[tokio::test]
async fn a_batch_has_its_bound_and_takes_requests_whole() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options { batch_max: 5, ..Options::default() });
    let requests = vec![
        vec![award("a"), award("b"), award("c")],
        vec![award("d"), award("e"), award("f")],
        vec![awards("g", 9)],
        vec![award("h")],
    ];
    behind(&ledger, &teller, requests).await;
    assert_eq!(ledger.sizes(), [1, 3, 3, 1, 1]);
}

#[tokio::test]
async fn commands_of_one_caller_keep_their_order_over_many_batches() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options { batch_max: 7, room: 10, ..Options::default() });
    let (mine, theirs) = (names("mine", 40), names("theirs", 40));
    let all = teller.execute_all(mine.iter().map(|name| award(name)).collect());
    let others = join_all(theirs.iter().map(|name| teller.execute(award(name))));
    let (all, others) = tokio::join!(all, others);
    assert_eq!(all.unwrap().iter().map(|answer| answer.id).collect::<Vec<_>>(), ids(&mine));
    assert!(others.iter().all(Result::is_ok));
    let record = ledger.record();
    let ours: Vec<_> = record.iter().filter(|id| ids(&mine).contains(id)).copied().collect();
    assert_eq!(ours, ids(&mine));
    assert!(ledger.sizes().iter().all(|size| *size <= 7));
    assert_eq!(teller.execute_all(Vec::new()).await.unwrap(), []);
}

/// One who hands in a great deal does not keep the others waiting until the end of it.
#[tokio::test]
async fn a_long_list_lets_others_in_between() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options { batch_max: 10, room: 20, ..Options::default() });
    let long = teller.execute_all(names("long", 100).iter().map(|name| award(name)).collect());
    let (long, short) = tokio::join!(long, teller.execute(award("short")));
    assert!(long.is_ok() && short.is_ok());
    let place = ledger.record().iter().position(|one| *one == id("short")).unwrap();
    assert!(place <= 20, "it was number {place}");
}

#[tokio::test]
async fn the_same_id_twice_in_one_batch_is_two_answers() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    let answers = behind(&ledger, &teller, vec![vec![award("a")], vec![award("a")]]).await;
    let repeated: Vec<_> = answers.into_iter().map(|answers| answers.unwrap()[0].repeated).collect();
    assert_eq!(repeated, [false, true]);
}

#[tokio::test(start_paused = true)]
async fn without_room_callers_wait_in_line_with_their_own_deadlines() {
    let ledger = FakeLedger::new();
    ledger.script(|script| script.gated = true);
    let teller = ledger.teller(Options { room: 4, ..Options::default() });
    let mut first = pin!(teller.execute_all(["a", "b", "c", "d"].map(award).into()));
    assert!((&mut first).now_or_never().is_none());
    let late = tokio::time::timeout(Duration::from_secs(1), teller.execute(award("late")));
    let mut patient = pin!(teller.execute(award("patient")));
    let (late, ()) = tokio::join!(late, async { assert!((&mut patient).now_or_never().is_none()) });
    assert!(late.is_err(), "there was no room for it");
    ledger.let_through(2);
    first.await.unwrap();
    patient.await.unwrap();
    assert_eq!(ledger.record(), ["a", "b", "c", "d", "patient"].map(id));
}

/// A command with more movements than there is room for takes all of it, and is decided.
#[tokio::test]
async fn what_is_larger_than_the_room_goes_alone() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options { room: 4, batch_max: 2, ..Options::default() });
    let small = join_all(["a", "b", "c"].map(|name| teller.execute(award(name))));
    let (large, small) = tokio::join!(teller.execute(awards("large", 1000)), small);
    assert!(large.is_ok() && small.iter().all(Result::is_ok));
}

#[tokio::test]
async fn what_became_of_commands_is_counted() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    teller.execute_all(vec![award("a"), award("b"), award("a")]).await.unwrap();
    ledger.script(|script| script.store = Condition::Away);
    teller.execute(award("c")).await.unwrap_err();
    let text = teller.context().metrics.render().unwrap();
    for line in [
        "rollbook_ledger_commands_total{outcome=\"applied\"} 2",
        "rollbook_ledger_commands_total{outcome=\"repeated\"} 1",
        "rollbook_ledger_commands_total{outcome=\"failed\"} 1",
        "rollbook_ledger_commands_total{outcome=\"abandoned\"} 0",
        "rollbook_ledger_batch_commands_sum 3",
        "rollbook_ledger_commit_seconds_count 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
