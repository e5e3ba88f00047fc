//! Several workers at once.

use std::sync::Arc;
use std::time::Duration;

use rollbook_domain::{ProcessorName, State};

use super::Harness;
use super::samples::{Member, batch, by_email, load, membership, nothing_is_broken, settle, waiver};
use crate::{Database, SettledEvent, StoreError};

/// What a worker does: load, decide, write; when another came first, once more from the start.
async fn meets(
    store: Arc<dyn Database>,
    processor: ProcessorName,
    member: Member,
    decide: impl Fn(&State) -> SettledEvent + Send,
) {
    for _ in 0..10 {
        let mut tx = store.begin().await.expect("begun");
        let state = tx.load(&processor, &by_email(&[member])).await.expect("loaded");
        let written = tx.write(&batch(processor.clone(), vec![decide(&state)])).await;
        let settled = match written {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        match settled {
            Ok(()) => return,
            Err(StoreError::Conflict(_)) => {}
            Err(error) => panic!("neither settled nor a conflict: {error:?}"),
        }
    }
    panic!("ten conflicts in a row");
}

fn pays(member: Member, state: &State) -> SettledEvent {
    let mut event = member.joins();
    if state.person(&member.email()).is_some() {
        event.changes.drain(..1);
    }
    event
}

fn signs(member: Member, state: &State) -> SettledEvent {
    if state.person(&member.email()).is_some() { member.signs() } else { member.signs_first() }
}

pub async fn two_workers_make_one_person(harness: &impl Harness) {
    let store = harness.store();
    for number in 0..20 {
        let member = Member(number);
        let payment = meets(store.clone(), membership(), member, move |state| pays(member, state));
        let document = meets(store.clone(), waiver(), member, move |state| signs(member, state));
        let (payment, document) = (tokio::spawn(payment), tokio::spawn(document));
        payment.await.expect("paid");
        document.await.expect("signed");
        let records = store.person(&member.email()).await.expect("read").expect("a person");
        assert_eq!((records.payments.len(), records.documents.len()), (1, 1));
    }
    assert_eq!(store.members(None).await.expect("listed").len(), 20);
    nothing_is_broken(harness).await;
}

pub async fn many_workers_lose_nothing(harness: &impl Harness) {
    const WORKERS: u32 = 8;
    const BATCHES: u32 = 10;
    let store = harness.store();
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in 0..BATCHES {
                    let first = (worker * BATCHES + number) * 4;
                    let events = (first..first + 4).map(|number| Member(number).joins()).collect();
                    settle(&*store, membership(), events).await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("a worker");
    }
    let members = store.members(None).await.expect("listed").len();
    assert_eq!(members, usize::try_from(WORKERS * BATCHES * 4).expect("a size"));
    nothing_is_broken(harness).await;
}

/// A task that is cancelled anywhere between begin and commit leaves nothing and blocks nobody.
pub async fn a_cancelled_worker_holds_nobody_up(harness: &impl Harness) {
    let store = harness.store();
    let work: Vec<_> = (0..200).map(|number| Member(number).joins()).collect();
    let mut finished = false;
    for pause_us in (0..40).map(|step| step * step * 25) {
        let (task_store, task_work) = (store.clone(), batch(membership(), work.clone()));
        let task = tokio::spawn(async move { super::samples::try_commit(&*task_store, &task_work).await });
        tokio::time::sleep(Duration::from_micros(pause_us)).await;
        task.abort();
        // Either all of it was committed in the end, or nothing.
        let outcome = task.await;
        let there = load(&*store, &membership(), &by_email(&[Member(0), Member(199)])).await.people.len();
        assert!(there == 0 || there == 2, "{there} of 2");
        assert!(there == 2 || !matches!(outcome, Ok(Ok(()))));
        if there == 2 {
            finished = true;
            break;
        }
    }
    if !finished {
        // The last of them may be committed a moment after it was given up; then this one conflicts.
        let last = super::samples::try_commit(&*store, &batch(membership(), work)).await;
        let there = load(&*store, &membership(), &by_email(&[Member(0), Member(199)])).await.people.len();
        assert_eq!(there, 2, "{last:?}");
    }
    nothing_is_broken(harness).await;
}
