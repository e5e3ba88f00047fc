//! Callers that stop waiting, and the end of the service.

use super::*;

#[tokio::test]
async fn a_caller_that_leaves_in_time_is_not_begun() {
    let ledger = FakeLedger::new();
    ledger.script(|script| script.gated = true);
    let teller = ledger.teller(Options::default());
    let mut busy = pin!(teller.execute(award("busy")));
    assert!((&mut busy).now_or_never().is_none());
    ledger.until_begun(1).await;
    let mut stays = pin!(teller.execute(award("stays")));
    assert!(teller.execute(award("leaves")).now_or_never().is_none());
    assert!((&mut stays).now_or_never().is_none());
    ledger.let_through(2);
    busy.await.unwrap();
    stays.await.unwrap();
    assert_eq!(ledger.record(), ["busy", "stays"].map(id));
    let text = teller.context().metrics.render().unwrap();
    assert!(text.contains("rollbook_ledger_commands_total{outcome=\"abandoned\"} 1"), "{text}");
}

#[tokio::test]
async fn a_caller_that_leaves_too_late_is_wholly_decided() {
    let ledger = FakeLedger::new();
    ledger.script(|script| script.gated = true);
    let teller = ledger.teller(Options::default());
    {
        let mut leaves = pin!(teller.execute_all(["a", "b", "c"].map(award).into()));
        assert!((&mut leaves).now_or_never().is_none());
        ledger.until_begun(1).await;
    }
    ledger.let_through(2);
    let again = teller.execute_all(["a", "b", "c"].map(award).into()).await.unwrap();
    assert!(again.iter().all(|answer| answer.repeated));
    assert_eq!(ledger.look().decided.len(), 3);
}

/// Neither kind of caller that left keeps room.
#[tokio::test]
async fn callers_that_left_give_their_room_back() {
    let ledger = FakeLedger::new();
    ledger.script(|script| script.gated = true);
    let teller = ledger.teller(Options { room: 3, ..Options::default() });
    assert!(teller.execute(award("begun")).now_or_never().is_none());
    assert!(teller.execute(award("queued")).now_or_never().is_none());
    ledger.script(|script| script.gated = false);
    ledger.let_through(1);
    teller.execute_all(["a", "b", "c"].map(award).into()).await.unwrap();
    teller.execute_all(["d", "e", "f"].map(award).into()).await.unwrap();
}

#[tokio::test]
async fn closing_finishes_what_was_taken_and_refuses_the_rest() {
    let ledger = FakeLedger::new();
    ledger.script(|script| script.gated = true);
    let teller = ledger.teller(Options { room: 3, batch_max: 1, ..Options::default() });
    let taken: Vec<_> = ["a", "b", "c"].map(|name| Box::pin(teller.execute(award(name)))).into();
    let mut taken: Vec<_> = taken;
    assert!(taken.iter_mut().all(|call| call.now_or_never().is_none()));
    let mut outside = Box::pin(teller.execute(award("outside")));
    assert!((&mut outside).now_or_never().is_none());
    let mut closing = Box::pin(teller.close());
    assert!((&mut closing).now_or_never().is_none());
    assert!(matches!(outside.await, Err(TellerError::Closed)));
    assert!(matches!(teller.clone().execute(award("later")).await, Err(TellerError::Closed)));
    assert!((&mut closing).now_or_never().is_none(), "closed before the taken ones were answered");
    ledger.let_through(3);
    closing.await;
    assert!(join_all(taken).await.iter().all(Result::is_ok));
    assert_eq!(ledger.record(), ["a", "b", "c"].map(id));
    teller.close().await;
}

#[tokio::test]
async fn closing_does_not_wait_for_the_end_of_an_outage() {
    let ledger = FakeLedger::new();
    ledger.script(|script| (script.gated, script.store) = (true, Condition::Away));
    let teller = ledger.teller(Options { batch_max: 1, ..Options::default() });
    let mut taken: Vec<_> = names("c", 50).iter().map(|name| Box::pin(teller.execute(award(name)))).collect();
    assert!(taken.iter_mut().all(|call| call.now_or_never().is_none()));
    ledger.until_begun(1).await;
    let mut closing = Box::pin(teller.close());
    assert!((&mut closing).now_or_never().is_none());
    ledger.let_through(1);
    closing.await;
    let results = join_all(taken).await;
    assert!(matches!(results[0], Err(TellerError::Unavailable(_))));
    assert!(results[1..].iter().all(|result| matches!(result, Err(TellerError::Closed))));
    assert_eq!(ledger.begun(), 1);
}

#[tokio::test]
async fn closing_with_nothing_in_hand_is_done_at_once() {
    let teller = FakeLedger::new().teller(Options::default());
    teller.close().await;
}

#[tokio::test]
async fn the_task_ends_with_its_last_handle() {
    let ledger = FakeLedger::new();
    let teller = ledger.teller(Options::default());
    teller.clone().execute(award("a")).await.unwrap();
    drop(teller);
    // The task held the other one.
    while std::sync::Arc::strong_count(&ledger) > 1 {
        tokio::task::yield_now().await;
    }
}
