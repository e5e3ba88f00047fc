//! What a dead letter remembers, what resolves it, and how what was settled is sent again.

use rollbook_domain::Outcome;

use super::Harness;
use super::dead_letters::{all, keep, list, one, states};
use super::samples::{
    Member, at, batch, commit, envelope, envelope_id, membership, nothing_is_broken, points, settle, waiver,
};
use crate::DeadLetterState::{Discarded, Open, Replaying, Resolved};
use crate::{Batch, Database, DeadLetterFailure, DeadLetterFilter, EventFilter, Kept, SettledEvent};

/// A request that could not be read.
fn unread(number: u32, reason: &str) -> Kept {
    Kept { event_key: format!("other:delivery-{number}"), ..Member(number).dead(reason) }
}

/// Of member `number`, by another envelope.
fn by_another(number: u32, envelope_number: u32, reason: &str) -> Kept {
    Kept { failed_at: at(envelope_number), envelope: envelope(envelope_number), ..Member(number).dead(reason) }
}

/// What a worker writes when the request of this member is settled at last.
fn read_at_last(number: u32) -> Batch {
    let settled_envelopes = vec![envelope_id(number)];
    Batch { settled_envelopes, ..batch(membership(), vec![Member(number).joins()]) }
}

async fn sent(store: &dyn Database) -> Vec<(rollbook_domain::EnvelopeId, String, bool)> {
    let items = store.outbox_next(100).await.expect("next");
    items.iter().map(|item| (item.envelope.id, item.to.to_string(), item.redecide)).collect()
}

pub async fn an_unread_request_is_resolved_by_its_envelope(harness: &impl Harness) {
    let store = harness.store();
    let elsewhere = Kept { processor: "waiver".to_owned(), ..unread(1, "unknown_source") };
    let differs = unread(3, "conflicting_duplicate");
    keep(&*store, &[unread(1, "unparseable"), unread(2, "kills_worker"), differs, elsewhere]).await;
    keep(&*store, &[by_another(4, 1, "wrong_amount")]).await;
    let replayed = list(&*store, &all()).await[0].id;
    store.replay(&one(replayed), false).await.expect("replayed");
    let of = async |envelope| {
        let filter = DeadLetterFilter { envelope: Some(envelope_id(envelope)), ..all() };
        list(&*store, &filter).await.iter().map(|letter| letter.state).collect::<Vec<_>>()
    };
    settle(&*store, membership(), vec![Member(9).joins()]).await;
    assert_eq!(of(1).await, [Replaying, Open, Open], "another request resolves nothing");
    commit(&*store, &read_at_last(1)).await;
    assert_eq!(of(1).await, [Resolved, Open, Open], "neither another processor's nor a fact's letter");

    let mut again = batch(membership(), Vec::new());
    again.settled_envelopes = vec![envelope_id(2), envelope_id(3)];
    commit(&*store, &again).await;
    assert_eq!((of(2).await, of(3).await), (vec![Resolved], vec![Open]), "an open contradiction stays");
    nothing_is_broken(harness).await;
}

pub async fn every_failure_of_a_letter_is_kept(harness: &impl Harness) {
    let store = harness.store();
    let (first, second) = (Member(1).dead("wrong_amount"), by_another(1, 50, "unknown_category"));
    keep(&*store, &[first.clone(), Member(2).dead("wrong_amount")]).await;
    keep(&*store, &[second.clone(), second.clone()]).await;
    keep(&*store, std::slice::from_ref(&first)).await;
    keep(&*store, &[Kept { failed_at: at(90), attempts: 3, ..first.clone() }]).await;
    let letters = list(&*store, &all()).await;
    assert_eq!(letters.len(), 2);
    let history = store.dead_letter_history(letters[0].id).await.expect("read");
    let failure = |kept: &Kept, failed_at, attempts| DeadLetterFailure {
        envelope: kept.envelope.id,
        reason: kept.reason.clone(),
        detail: kept.detail.clone(),
        attempts,
        failed_at,
    };
    assert_eq!(history, [failure(&first, at(1), 1), failure(&second, at(50), 1), failure(&first, at(90), 3)]);
    assert!(store.dead_letter_history(999_999).await.expect("read").is_empty());
    let filter = DeadLetterFilter { envelope: Some(envelope_id(50)), ..all() };
    assert_eq!(list(&*store, &filter).await.len(), 1, "found by an envelope that is not its newest");

    assert_eq!(store.replay(&one(letters[0].id), false).await.expect("replayed"), 1);
    let to = |number| (envelope_id(number), "membership".to_owned(), false);
    assert_eq!(sent(&*store).await, [to(1), to(50)], "each once, the oldest failure first");
    nothing_is_broken(harness).await;
}

pub async fn a_letter_needs_all_of_its_envelopes(harness: &impl Harness) {
    let store = harness.store();
    keep(&*store, &[Member(1).dead("wrong_amount")]).await;
    keep(&*store, &[by_another(1, 50, "wrong_amount")]).await;
    assert_eq!(store.prune_envelopes(at(100), 10).await.expect("pruned"), 0, "open");
    store.replay(&all(), false).await.expect("replayed");
    let ids: Vec<_> = store.outbox_next(10).await.expect("next").iter().map(|item| item.id).collect();
    store.outbox_done(&ids).await.expect("done");
    assert_eq!(store.prune_envelopes(at(100), 10).await.expect("pruned"), 0, "replaying");
    keep(&*store, &[by_another(1, 50, "wrong_amount")]).await;
    store.discard(&all()).await.expect("discarded");
    assert_eq!(store.prune_envelopes(at(40), 10).await.expect("pruned"), 1, "the older one");
    let named = DeadLetterFilter { states: vec![Discarded], ..all() };
    assert_eq!(store.replay(&named, false).await.expect("replayed"), 1);
    assert_eq!(sent(&*store).await, [(envelope_id(50), "membership".to_owned(), false)]);
    nothing_is_broken(harness).await;
}

/// Only an ignored fact can be decided again; if that fails, its letter must be seen.
pub async fn what_was_ignored_meanwhile_stays_a_dead_letter(harness: &impl Harness) {
    let store = harness.store();
    let rejected = SettledEvent { outcome: Outcome::Rejected, ..Member(2).rents() };
    settle(&*store, membership(), vec![Member(1).rents(), rejected, Member(3).joins()]).await;
    let letters: Vec<_> = (1..=3).map(|number| Member(number).dead("wrong_amount")).collect();
    keep(&*store, &letters).await;
    assert_eq!(states(&*store).await, [Open, Resolved, Resolved]);
    let duplicates = Batch { duplicates: vec![Member(1).paid()], ..batch(membership(), Vec::new()) };
    commit(&*store, &duplicates).await;
    assert_eq!(states(&*store).await[0], Open, "the ignored message came again, that is all");
    store.replay(&all(), false).await.expect("replayed");
    commit(&*store, &duplicates).await;
    assert_eq!(states(&*store).await[0], Resolved, "the operator did not ask to decide again");
    nothing_is_broken(harness).await;
}

pub async fn events_are_replayed_by_their_envelopes(harness: &impl Harness) {
    let store = harness.store();
    let mut pruned = batch(membership(), vec![Member(4).rents()]);
    pruned.envelopes.clear();
    commit(&*store, &pruned).await;
    let mut second = Member(1).rents();
    second.fact.key = "payment:second:captured".into();
    settle(&*store, membership(), vec![Member(1).rents(), second, Member(2).rents(), Member(3).joins()]).await;
    settle(&*store, waiver(), vec![Member(1).rents()]).await;
    let ignored = EventFilter { outcome: Some("ignored".to_owned()), ..EventFilter::default() };
    assert_eq!(store.events(&ignored).await.expect("listed").len(), 5);
    assert_eq!(store.replay_events(&ignored, None, true).await.expect("replayed"), 3);
    let to = |number, name: &str, redecide| (envelope_id(number), name.to_owned(), redecide);
    let expected = [to(1, "membership", true), to(2, "membership", true), to(1, "waiver", true)];
    assert_eq!(sent(&*store).await, expected);

    let one = EventFilter { envelope: Some(envelope_id(3)), ..EventFilter::default() };
    assert_eq!(store.replay_events(&one, None, false).await.expect("replayed"), 1);
    assert_eq!(sent(&*store).await[3], to(3, "membership", false));
    // A processor that came later is sent what others saw.
    let rented = EventFilter { reason: Some("not_membership".to_owned()), ..EventFilter::default() };
    assert_eq!(store.replay_events(&rented, Some(&points()), false).await.expect("replayed"), 2);
    assert_eq!(sent(&*store).await[4..], [to(1, "points", false), to(2, "points", false)]);
    let none = EventFilter { envelope: Some(envelope_id(99)), ..EventFilter::default() };
    assert_eq!(store.replay_events(&none, None, true).await.expect("replayed"), 0);
    nothing_is_broken(harness).await;
}
