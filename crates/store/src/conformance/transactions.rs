//! Begin, write, commit; and what must not pass.

use std::collections::BTreeSet;

use jiff::civil::date;
use rollbook_domain::{
    AdjustmentKind, Change, DetailField, EventKey, FactKind, Outcome, PaymentRef, Reads, Reason, State, Term,
};

use super::Harness;
use super::samples::{
    Member, at, batch, by_email, commit, digest, fact, load, membership, nothing_is_broken, settle, try_commit, waiver,
};
use crate::{Batch, SettledEvent, StoreError};

/// What the batches come to in memory.
fn expected(batches: &[&Batch]) -> State {
    let mut state = State::default();
    for change in batches.iter().flat_map(|batch| &batch.settled).flat_map(|event| &event.changes) {
        state.apply(change);
    }
    state
}

pub async fn every_change_comes_back(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (Member(1), Member(2));
    let paid = batch(membership(), vec![ada.joins(), ada.is_refunded(), bob.joins(), bob.disputes()]);
    let signed = batch(waiver(), vec![ada.signs(), bob.voids(bob.document())]);
    commit(&*store, &paid).await;
    commit(&*store, &signed).await;

    let reads = Reads { documents: [ada.document_ref(), bob.document_ref()].into(), ..by_email(&[ada, bob]) };
    assert_eq!(load(&*store, &membership(), &reads).await, expected(&[&paid, &signed]));
}

pub async fn a_dropped_transaction_leaves_nothing(harness: &impl Harness) {
    let store = harness.store();
    let work = batch(membership(), vec![Member(1).joins()]);
    let mut tx = store.begin().await.expect("begun");
    tx.write(&work).await.expect("written");
    let inside = tx.load(&membership(), &by_email(&[Member(1)])).await.expect("loaded");
    assert_eq!(inside, expected(&[&work]), "a transaction sees what it wrote");
    drop(tx);

    assert_eq!(load(&*store, &membership(), &by_email(&[Member(1)])).await, State::default());
    commit(&*store, &work).await;
    nothing_is_broken(harness).await;
}

/// Whoever forgets an error must not commit the half that was written.
pub async fn a_failed_write_cannot_be_committed(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).joins()]).await;
    let mut tx = store.begin().await.expect("begun");
    tx.write(&batch(membership(), vec![Member(2).joins(), Member(1).joins()])).await.expect_err("taken");
    tx.commit().await.expect_err("half of it");
    assert_eq!(load(&*store, &membership(), &by_email(&[Member(2)])).await, State::default());
    nothing_is_broken(harness).await;
}

pub async fn a_fact_is_settled_once(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).joins(), Member(2).rents()]).await;
    for again in [Member(1).joins(), Member(1).rents(), Member(2).rents(), Member(2).joins()] {
        let refused = try_commit(&*store, &batch(membership(), vec![Member(3).joins(), again])).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    assert_eq!(load(&*store, &membership(), &by_email(&[Member(3)])).await, State::default());
    let facts = BTreeSet::from([Member(1).paid(), Member(2).paid(), Member(3).paid()]);
    let seen = store.begin().await.expect("begun").seen(&membership(), &facts).await.expect("seen");
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[&Member(1).paid()].outcome, Outcome::Applied);
    assert_eq!(seen[&Member(1).paid()].digest, digest(Member(1).paid().key.as_str()));
    assert_eq!(seen[&Member(2).paid()].outcome, Outcome::Ignored);
    nothing_is_broken(harness).await;
}

/// Keys live in a processor and an account.
pub async fn one_key_is_several_facts(harness: &impl Harness) {
    let store = harness.store();
    let mut elsewhere = Member(1).rents();
    elsewhere.fact.account = "another-account".into();
    settle(&*store, membership(), vec![Member(1).rents(), elsewhere.clone()]).await;
    settle(&*store, waiver(), vec![Member(1).rents()]).await;
    let facts = BTreeSet::from([Member(1).paid(), elsewhere.fact]);
    let mut tx = store.begin().await.expect("begun");
    assert_eq!(tx.seen(&membership(), &facts).await.expect("seen").len(), 2);
    assert_eq!(tx.seen(&waiver(), &facts).await.expect("seen").len(), 1);
    assert_eq!(tx.seen(&"points".into(), &facts).await.expect("seen").len(), 0);
}

pub async fn only_an_ignored_fact_is_decided_again(harness: &impl Harness) {
    let store = harness.store();
    let rejected = SettledEvent { outcome: Outcome::Rejected, ..Member(3).rents() };
    settle(&*store, membership(), vec![Member(1).rents(), Member(2).joins(), rejected]).await;

    let again = |event: SettledEvent| SettledEvent { redecided: true, ..event };
    settle(&*store, membership(), vec![again(Member(1).joins()), again(Member(4).joins())]).await;
    let seen = store.begin().await.expect("begun").seen(&membership(), &[Member(1).paid()].into()).await.expect("seen");
    assert_eq!(seen[&Member(1).paid()].outcome, Outcome::Applied);

    for event in [Member(1).rents(), Member(2).rents(), Member(3).joins()] {
        let refused = try_commit(&*store, &batch(membership(), vec![again(event)])).await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    }
    nothing_is_broken(harness).await;
}

/// Of a person's details the latest word stands, whichever arrived first.
pub async fn the_greater_stamp_stands(harness: &impl Harness) {
    let store = harness.store();
    let ada = Member(10);
    let say = |number: u32, details: &[(&str, u32)]| SettledEvent {
        changes: details.iter().map(|(name, said)| ada.detail(DetailField::Name, name, *said)).collect(),
        kind: FactKind::Other,
        fact: fact(format!("other:{number}").into()),
        ..ada.joins()
    };
    settle(&*store, membership(), vec![ada.joins()]).await;
    settle(&*store, membership(), vec![say(1, &[("Newer", 20), ("Older", 15)])]).await;
    settle(&*store, membership(), vec![say(2, &[("Oldest", 5)])]).await;
    settle(&*store, membership(), vec![say(3, &[("Lesser", 20)])]).await;
    let state = load(&*store, &membership(), &by_email(&[ada])).await;
    let name = state.person(&ada.email()).and_then(|person| person.name.clone()).expect("a name");
    assert_eq!((name.value.as_str(), name.stamp.at), ("Newer", at(20)));
}

/// A row that a batch changes twice is written once, and journalled twice.
pub async fn the_last_change_of_a_batch_stands(harness: &impl Harness) {
    let store = harness.store();
    let ada = Member(1);
    let shifted = Term { starts: date(2025, 4, 1), expires: date(2026, 4, 1), ..ada.term() };
    let mut refund = ada.is_refunded();
    refund.changes.pop();
    refund.changes.push(Change::SetTerm { term: shifted.clone(), was: Some(ada.term()) });
    refund.changes.push(Change::SetTerm { term: ada.ended_term(), was: Some(shifted) });
    settle(&*store, membership(), vec![ada.joins(), refund]).await;
    settle(&*store, waiver(), vec![ada.signs(), ada.voids(ada.document())]).await;
    let reads = Reads { documents: [ada.document_ref()].into(), ..by_email(&[ada]) };
    let state = load(&*store, &membership(), &reads).await;
    assert_eq!(state.terms[&ada.payment_ref()], ada.ended_term());
    assert_eq!(state.documents[&ada.document_ref()].voided_at, Some(at(600)));
    assert!(state.documents[&ada.document_ref()].waiver.is_some());
    nothing_is_broken(harness).await;
}

pub async fn a_person_registers_once(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).joins()]).await;
    let refused = try_commit(&*store, &batch(waiver(), vec![Member(1).signs_first()])).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    let reads = Reads { documents: [Member(1).document_ref()].into(), ..Reads::default() };
    assert!(load(&*store, &waiver(), &reads).await.documents.is_empty());
    nothing_is_broken(harness).await;
}

/// Each of these would be a lie in the records.
pub async fn what_must_not_be_is_refused(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (Member(1), Member(2));
    settle(&*store, membership(), vec![ada.joins()]).await;
    let with = |change: Change| {
        let mut event = bob.joins();
        event.changes.push(change);
        event
    };
    let backwards = Term { starts: date(2026, 2, 19), expires: date(2026, 2, 19), ..ada.term() };
    let of_nothing = PaymentRef { transaction: "nobody paid it".to_owned(), ..ada.payment_ref() };
    let mut of_nobody = bob.joins();
    of_nobody.changes.retain(|change| !matches!(change, Change::RegisterPerson { .. }));
    let mut by_no_fact = bob.joins();
    by_no_fact.fact = fact(EventKey::captured("another"));
    let mut negative = bob.payment();
    "txn-negative".clone_into(&mut negative.reference.transaction);
    negative.amount.minor = -1;
    let refund = AdjustmentKind::Refunded { cumulative_minor: -1 };
    let cases = [
        ("a term that ends before it starts", with(Change::SetTerm { term: backwards, was: Some(ada.term()) })),
        ("a term of no payment", with(Change::SetTerm { term: Term { payment: of_nothing, ..bob.term() }, was: None })),
        ("a payment of nobody", of_nobody),
        ("an effect of no fact", by_no_fact),
        ("a negative payment", with(Change::RecordPayment(negative))),
        ("a negative refund", with(Change::AdjustPayment(bob.adjusted(bob.paid().key, refund)))),
        ("an applied fact with a reason", SettledEvent { reason: Some(Reason::new("odd")), ..bob.joins() }),
        ("an ignored fact without one", SettledEvent { reason: None, ..bob.rents() }),
    ];
    for (what, event) in cases {
        let refused = try_commit(&*store, &batch(membership(), vec![event])).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{what}: {refused:?}");
    }
    assert_eq!(load(&*store, &membership(), &by_email(&[bob])).await, State::default());
    nothing_is_broken(harness).await;
}

/// Where what an effect refers to is missing, no other row may be taken for it.
pub async fn nothing_takes_the_place_of_what_is_missing(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob, eve) = (Member(1), Member(2), Member(3));
    settle(&*store, membership(), vec![ada.joins(), ada.is_refunded(), bob.joins()]).await;
    let mut by_no_fact = ada.disputes();
    let key = EventKey::dispute_opened("nobody settled it");
    by_no_fact.changes = vec![Change::AdjustPayment(ada.adjusted(key, AdjustmentKind::DisputeOpened))];
    // A payment without its term leaves the term's number free.
    let mut anothers_term = eve.joins();
    anothers_term.changes.pop();
    anothers_term.changes.push(Change::SetTerm { term: Member(9).term(), was: None });
    let mut line_of_no_payment = bob.is_refunded();
    line_of_no_payment.changes = vec![Change::SetTerm { term: Member(9).term(), was: None }];
    let cases = [
        ("an adjustment of no payment", eve.disputes()),
        ("an adjustment by no fact", by_no_fact),
        ("a term of no payment beside a payment of no term", anothers_term),
        ("a term of no payment", line_of_no_payment),
    ];
    for (what, event) in cases {
        let refused = try_commit(&*store, &batch(membership(), vec![Member(4).rents(), event])).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{what}: {refused:?}");
    }
    nothing_is_broken(harness).await;
}

/// Longer than any statement: the checks find a journal whose last line is not what stands.
pub async fn a_journal_keeps_the_order_of_its_batch(harness: &impl Harness) {
    let store = harness.store();
    let members: Vec<_> = (1..=40).map(Member).collect();
    let mut terms: Vec<Term> = members.iter().map(|member| member.term()).collect();
    let mut work: Vec<_> = members.iter().map(|member| member.joins()).collect();
    for member in members.iter().take(15) {
        let mut event = member.disputes();
        for term in &mut terms {
            let moved = Term { expires: term.expires.tomorrow().expect("a day"), ..term.clone() };
            event.changes.push(Change::SetTerm { term: moved.clone(), was: Some(std::mem::replace(term, moved)) });
        }
        work.push(event);
    }
    settle(&*store, membership(), work).await;
    let state = load(&*store, &membership(), &by_email(&members)).await;
    assert_eq!(state.terms.into_values().collect::<Vec<_>>(), {
        terms.sort_by(|a, b| a.payment.cmp(&b.payment));
        terms
    });
    nothing_is_broken(harness).await;
}

pub async fn a_probe_changes_nothing(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).joins()]).await;
    store.probe().await.expect("probed");
    settle(&*store, membership(), vec![Member(2).joins()]).await;
    store.probe().await.expect("probed");
    nothing_is_broken(harness).await;
}

pub async fn a_batch_may_hold_a_thousand_events(harness: &impl Harness) {
    let store = harness.store();
    let members: Vec<_> = (0..1_000).map(Member).collect();
    let work = batch(membership(), members.iter().map(|member| member.joins()).collect());
    commit(&*store, &work).await;
    assert_eq!(load(&*store, &membership(), &by_email(&members)).await, expected(&[&work]));
    let facts = members.iter().map(|member| member.paid()).collect();
    let seen = store.begin().await.expect("begun").seen(&membership(), &facts).await.expect("seen");
    assert_eq!(seen.len(), 1_000);
    nothing_is_broken(harness).await;
}

pub async fn a_batch_may_be_empty(harness: &impl Harness) {
    let store = harness.store();
    commit(&*store, &batch(membership(), Vec::new())).await;
    let mut tx = store.begin().await.expect("begun");
    assert!(tx.seen(&membership(), &BTreeSet::new()).await.expect("seen").is_empty());
    assert_eq!(tx.load(&membership(), &Reads::default()).await.expect("loaded"), State::default());
}
