//! A store that refuses, is beaten, falls silent or goes away.

use std::collections::HashSet;
use std::error::Error as _;
use std::time::Duration;

use super::*;

fn outcomes(results: &[Result<Vec<Answer>, TellerError>]) -> Vec<bool> {
    results.iter().map(Result::is_ok).collect()
}

#[tokio::test]
async fn a_command_that_is_refused_stands_alone() {
    for kind in ["refused", "corrupt", "panicking"] {
        let ledger = FakeLedger::new();
        let teller = ledger.teller(Options::default());
        ledger.script(|script| {
            let set = HashSet::from([id("c13")]);
            match kind {
                "refused" => script.refused = set,
                "corrupt" => script.corrupt = set,
                _ => script.panicking = set,
            }
        });
        let names = names("c", 40);
        let results = behind(&ledger, &teller, names.iter().map(|name| vec![award(name)]).collect()).await;
        for (name, result) in names.iter().zip(results) {
            match result {
                Err(TellerError::Refused { id: told, .. }) => assert_eq!((told, name.as_str()), (id("c13"), "c13")),
                other => assert_eq!(other.unwrap()[0].id, id(name), "{kind}"),
            }
        }
        let mut rest = ids(&names);
        rest.remove(13);
        assert_eq!(ledger.record()[1..], rest, "{kind}: in their order, each once");
    }
}

#[tokio::test]
async fn what_a_caller_wanted_after_a_refused_command_is_not_begun() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    ledger.script(|script| script.refused = HashSet::from([id("b")]));
    let requests = vec![vec![award("a"), award("b"), award("c"), award("d")], vec![award("e")]];
    let results = behind(&ledger, &teller, requests).await;
    assert_eq!(outcomes(&results), [false, true]);
    assert_eq!(ledger.record(), ["busy", "a", "e"].map(id));
}

#[tokio::test(start_paused = true)]
async fn beaten_ten_times_it_goes_on_in_place() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    ledger.script(|script| script.conflicts = 10);
    let results = teller.execute_all(vec![award("a"), award("b")]).await;
    assert_eq!(results.unwrap().len(), 2);
    assert_eq!((ledger.begun(), ledger.sizes()), (11, vec![2]));
}

#[tokio::test(start_paused = true)]
async fn beaten_eleven_times_a_batch_is_halved() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    ledger.script(|script| script.conflicts = 11);
    teller.execute_all(vec![award("a"), award("b")]).await.unwrap();
    assert_eq!((ledger.begun(), ledger.sizes()), (13, vec![1, 1]));
}

#[tokio::test(start_paused = true)]
async fn who_is_always_beaten_is_told_that_nothing_happened() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    ledger.script(|script| script.beaten = HashSet::from([id("b")]));
    let results = behind(&ledger, &teller, ["a", "b", "c"].map(|name| vec![award(name)]).into()).await;
    assert_eq!(outcomes(&results), [true, false, true]);
    assert!(matches!(results[1], Err(TellerError::Overtaken(_))));
    assert!(!ledger.record().contains(&id("b")));
}

#[tokio::test]
async fn a_store_that_is_away_is_told_at_once_and_the_next_batch_tries_anew() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    ledger.script(|script| script.store = Condition::Away);
    for _ in 0..3 {
        let error = teller.execute(award("a")).await.unwrap_err();
        assert!(error.to_string().contains("ask again with the same id"), "{error}");
        assert!(error.source().is_some());
    }
    ledger.script(|script| script.store = Condition::Well);
    assert!(!teller.execute(award("a")).await.unwrap().repeated);
    assert_eq!(ledger.begun(), 4, "one try each");
}

/// The commit happened and nobody heard of it.
#[tokio::test]
async fn after_a_lost_answer_the_same_id_gives_the_same_answer() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    ledger.script(|script| script.store = Condition::Deaf);
    assert!(matches!(teller.execute(award("a")).await, Err(TellerError::Unavailable(_))));
    ledger.script(|script| script.store = Condition::Well);
    let answer = teller.execute(award("a")).await.unwrap();
    assert!(answer.repeated);
    assert_eq!(answer.left, ledger.look().decided[&id("a")].left);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_says_nothing_has_until_the_end_of_our_patience() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options { patience: Duration::from_secs(30), ..Options::default() });
    ledger.script(|script| script.gated = true);
    let begun = tokio::time::Instant::now();
    assert!(matches!(teller.execute(award("a")).await, Err(TellerError::Unavailable(_))));
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn a_schema_that_does_not_fit_says_what_to_run() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    ledger.script(|script| script.store = Condition::OldSchema);
    assert_eq!(teller.execute(award("a")).await.unwrap_err().to_string(), "run `rollbook migrate`");
}

/// Trouble of the first half must not carry the second half past it.
#[tokio::test]
async fn an_outage_in_the_middle_leaves_what_was_decided_and_begins_nothing_more() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options { batch_max: 2, ..Options::default() });
    ledger.script(|script| script.gated = true);
    let mut call = Box::pin(teller.execute_all(["a", "b", "c", "d"].map(award).into()));
    assert!((&mut call).now_or_never().is_none());
    ledger.let_through(1);
    let (result, ()) = tokio::join!(call, async {
        ledger.until_begun(2).await;
        ledger.script(|script| script.store = Condition::Away);
        ledger.let_through(1);
    });
    assert!(matches!(result, Err(TellerError::Unavailable(_))));
    assert_eq!(ledger.record(), ["a", "b"].map(id));
    ledger.script(|script| (script.store, script.gated) = (Condition::Well, false));
    let answers = teller.execute_all(["a", "b", "c", "d"].map(award).into()).await.unwrap();
    assert_eq!(answers.iter().map(|answer| answer.repeated).collect::<Vec<_>>(), [true, true, false, false]);
}
