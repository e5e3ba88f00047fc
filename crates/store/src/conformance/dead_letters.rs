//! The life of a dead letter.

use super::Harness;
use super::samples::{Member, at, batch, commit, envelope, envelope_id, membership, nothing_is_broken, settle, waiver};
use crate::DeadLetterState::{Discarded, Open, Replaying, Resolved};
use crate::{Database, DeadLetter, DeadLetterFilter, DeadLetterState, Kept};

pub(super) fn all() -> DeadLetterFilter {
    DeadLetterFilter::default()
}

pub(super) fn one(id: i64) -> DeadLetterFilter {
    DeadLetterFilter { ids: vec![id], ..all() }
}

pub(super) async fn keep(store: &dyn Database, letters: &[Kept]) {
    store.keep(letters).await.expect("kept");
}

pub(super) async fn list(store: &dyn Database, filter: &DeadLetterFilter) -> Vec<DeadLetter> {
    store.dead_letters(filter).await.expect("listed")
}

pub(super) async fn states(store: &dyn Database) -> Vec<DeadLetterState> {
    list(store, &all()).await.iter().map(|letter| letter.state).collect()
}

pub async fn a_dead_letter_is_kept_with_its_envelope(harness: &impl Harness) {
    let store = harness.store();
    keep(&*store, &[Member(7).dead("wrong_amount")]).await;
    let letters = list(&*store, &all()).await;
    let expected = DeadLetter {
        id: letters[0].id,
        processor: "membership".to_owned(),
        source: "cybersource".to_owned(),
        event_key: "payment:txn-7:captured".to_owned(),
        reason: "wrong_amount".to_owned(),
        detail: "The plan costs 15.00, „not“ 14.99.".to_owned(),
        amount: Some("14.99".to_owned()),
        currency: Some("USD".to_owned()),
        attempts: 1,
        first_seen: at(7),
        last_seen: at(7),
        state: Open,
        envelope: envelope_id(7),
        failures: 1,
    };
    assert_eq!(letters, [expected]);
    assert_eq!(store.envelope(envelope_id(7)).await.expect("read"), Some(envelope(7)));
    assert_eq!(store.open_dead_letters().await.expect("counted"), 1);

    // What a broker gave up on may lack everything.
    let bare = Kept {
        processor: String::new(),
        account: String::new(),
        event_key: String::new(),
        reason: String::new(),
        detail: String::new(),
        amount: None,
        currency: None,
        ..Member(8).dead("")
    };
    keep(&*store, &[bare]).await;
    keep(&*store, &[]).await;
    assert_eq!(list(&*store, &all()).await.len(), 2);
    nothing_is_broken(harness).await;
}

pub async fn a_dead_letter_is_reopened_with_its_newest_reason(harness: &impl Harness) {
    let store = harness.store();
    keep(&*store, &[Member(1).dead("wrong_amount")]).await;
    store.replay(&all(), false).await.expect("replayed");
    let newer = Kept {
        attempts: 3,
        failed_at: at(90),
        amount: None,
        currency: None,
        envelope: envelope(90),
        ..Member(1).dead("unknown_category")
    };
    keep(&*store, &[newer.clone(), Member(2).dead("wrong_amount")]).await;
    let letters = list(&*store, &all()).await;
    assert_eq!(letters.len(), 2);
    let letter = &letters[0];
    assert_eq!((letter.reason.as_str(), letter.state, letter.failures), ("unknown_category", Open, 2));
    assert_eq!((letter.first_seen, letter.last_seen, letter.attempts), (at(1), at(90), 3));
    assert_eq!((&letter.amount, letter.envelope), (&None, envelope_id(90)));

    // Two failures of one fact may be handed over together; the last is the newest.
    keep(&*store, &[newer, Member(1).dead("missing_field")]).await;
    let letter = list(&*store, &one(letter.id)).await.remove(0);
    assert_eq!((letter.reason.as_str(), letter.failures, letter.last_seen), ("missing_field", 4, at(90)));
    nothing_is_broken(harness).await;
}

pub async fn dead_letters_are_filtered_by_each_part(harness: &impl Harness) {
    let store = harness.store();
    let mut elsewhere = Member(2).dead("wrong_amount");
    elsewhere.envelope.source = "stripe".into();
    let other = Kept { processor: waiver().as_str().to_owned(), ..Member(3).dead("missing_field") };
    keep(&*store, &[other, elsewhere, Member(1).dead("wrong_amount")]).await;
    let letters = list(&*store, &all()).await;
    let ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
    store.discard(&one(ids[0])).await.expect("discarded");

    let text = |text: &str| Some(text.to_owned());
    let cases = [
        ("all, oldest first", all(), vec![0, 1, 2]),
        ("ids", DeadLetterFilter { ids: vec![ids[2], ids[0]], ..all() }, vec![0, 2]),
        ("envelope", DeadLetterFilter { envelope: Some(envelope_id(2)), ..all() }, vec![1]),
        ("reason", DeadLetterFilter { reason: text("wrong_amount"), ..all() }, vec![0, 1]),
        ("processor", DeadLetterFilter { processor: text("waiver"), ..all() }, vec![2]),
        ("source", DeadLetterFilter { source: text("stripe"), ..all() }, vec![1]),
        ("since", DeadLetterFilter { since: Some(at(2)), ..all() }, vec![1, 2]),
        ("until", DeadLetterFilter { until: Some(at(2)), ..all() }, vec![0]),
        ("states", DeadLetterFilter { states: vec![Discarded], ..all() }, vec![0]),
        ("several states", DeadLetterFilter { states: vec![Discarded, Open], ..all() }, vec![0, 1, 2]),
        ("limit", DeadLetterFilter { limit: Some(2), ..all() }, vec![0, 1]),
        ("a limit of none", DeadLetterFilter { limit: Some(0), ..all() }, vec![]),
        ("two parts", DeadLetterFilter { reason: text("wrong_amount"), states: vec![Open], ..all() }, vec![1]),
        ("nobody's", DeadLetterFilter { reason: text("wrong"), ..all() }, vec![]),
    ];
    for (what, filter, expected) in cases {
        let found: Vec<_> = list(&*store, &filter).await.iter().map(|letter| letter.id).collect();
        assert_eq!(found, expected.iter().map(|index| ids[*index]).collect::<Vec<_>>(), "{what}");
    }
}

pub async fn dead_letters_are_grouped_by_cause(harness: &impl Harness) {
    let store = harness.store();
    let letters = [
        Member(1).dead("wrong_amount"),
        Member(2).dead("unknown_category"),
        Member(3).dead("wrong_amount"),
        Kept { processor: "waiver".to_owned(), ..Member(4).dead("wrong_amount") },
    ];
    keep(&*store, &letters).await;
    let groups = store.dead_letter_groups(&all()).await.expect("grouped");
    let told: Vec<_> =
        groups.iter().map(|group| (group.processor.as_str(), group.reason.as_str(), group.count)).collect();
    let expected =
        [("membership", "wrong_amount", 2), ("membership", "unknown_category", 1), ("waiver", "wrong_amount", 1)];
    assert_eq!(told, expected);
    assert_eq!((groups[0].first_seen, groups[0].last_seen), (at(1), at(3)));
    assert_eq!(groups[0].source, "cybersource");

    let filter = DeadLetterFilter { processor: Some("waiver".to_owned()), ..all() };
    assert_eq!(store.dead_letter_groups(&filter).await.expect("grouped").len(), 1);
    let filter = DeadLetterFilter { states: vec![Resolved], ..all() };
    assert!(store.dead_letter_groups(&filter).await.expect("grouped").is_empty());
}

pub async fn a_replay_waits_in_the_outbox(harness: &impl Harness) {
    let store = harness.store();
    keep(&*store, &[Member(1).dead("wrong_amount"), Member(2).dead("unknown_category")]).await;
    let filter = DeadLetterFilter { reason: Some("wrong_amount".to_owned()), ..all() };
    assert_eq!(store.replay(&filter, false).await.expect("replayed"), 1);
    assert_eq!(states(&*store).await, [Replaying, Open]);
    assert_eq!(store.replay(&filter, false).await.expect("replayed"), 0, "it is on its way already");
    assert_eq!(store.replay(&all(), true).await.expect("replayed"), 1);
    let items = store.outbox_next(10).await.expect("next");
    let told: Vec<_> = items.iter().map(|item| (item.envelope.clone(), item.to.as_str(), item.redecide)).collect();
    assert_eq!(told, [(envelope(1), "membership", false), (envelope(2), "membership", true)]);
    assert_eq!(store.open_dead_letters().await.expect("counted"), 0);
    nothing_is_broken(harness).await;
}

pub async fn a_replay_takes_the_states_that_it_names(harness: &impl Harness) {
    let store = harness.store();
    keep(&*store, &[Member(1).dead("wrong_amount"), Member(2).dead("wrong_amount")]).await;
    let first = list(&*store, &all()).await[0].id;
    store.discard(&one(first)).await.expect("discarded");
    let named = DeadLetterFilter { states: vec![Discarded], ..all() };
    assert_eq!(store.replay(&named, false).await.expect("replayed"), 1);
    assert_eq!(states(&*store).await, [Replaying, Open]);
    let again = DeadLetterFilter { states: vec![Replaying, Open], limit: Some(1), ..all() };
    assert_eq!(store.replay(&again, false).await.expect("replayed"), 1);
    assert_eq!(states(&*store).await, [Replaying, Open]);
    assert_eq!(store.outbox_depth().await.expect("depth"), 2);
}

pub async fn what_was_pruned_is_not_replayed(harness: &impl Harness) {
    let store = harness.store();
    keep(&*store, &[Member(1).dead("wrong_amount"), Member(2).dead("wrong_amount")]).await;
    let first = list(&*store, &all()).await[0].id;
    store.discard(&one(first)).await.expect("discarded");
    assert_eq!(store.prune_envelopes(at(100), 10).await.expect("pruned"), 1);
    let named = DeadLetterFilter { states: vec![Discarded, Open], ..all() };
    assert_eq!(store.replay(&named, false).await.expect("replayed"), 1);
    assert_eq!(states(&*store).await, [Discarded, Replaying]);
    assert_eq!(store.outbox_depth().await.expect("depth"), 1);
    nothing_is_broken(harness).await;
}

pub async fn an_effect_resolves_its_dead_letter(harness: &impl Harness) {
    let store = harness.store();
    let letters: Vec<_> = (1..=5).map(|number| Member(number).dead("wrong_amount")).collect();
    keep(&*store, &letters).await;
    let second = list(&*store, &all()).await[1].id;
    store.replay(&one(second), false).await.expect("replayed");
    // The same keys of another processor are other letters.
    keep(&*store, &[Kept { processor: "waiver".to_owned(), ..Member(6).dead("missing_field") }]).await;

    settle(&*store, membership(), vec![Member(1).joins(), Member(2).joins(), Member(3).rents(), Member(6).joins()])
        .await;
    assert_eq!(states(&*store).await, [Resolved, Resolved, Resolved, Open, Open, Open]);
    // Facts that were settled in between resolve theirs too, even alone.
    let mut unfinished = store.begin().await.expect("begun");
    unfinished.write(&batch(membership(), vec![Member(4).joins()])).await.expect("written");
    drop(unfinished);
    assert_eq!(states(&*store).await, [Resolved, Resolved, Resolved, Open, Open, Open]);
    settle(&*store, membership(), vec![Member(4).joins(), Member(5).rents()]).await;
    assert_eq!(states(&*store).await, [Resolved, Resolved, Resolved, Resolved, Resolved, Open]);

    let named = DeadLetterFilter { states: vec![Resolved], limit: Some(1), ..all() };
    store.replay(&named, false).await.expect("replayed");
    let mut duplicates = batch(membership(), Vec::new());
    duplicates.duplicates = vec![Member(1).paid(), Member(5).paid()];
    commit(&*store, &duplicates).await;
    assert_eq!(states(&*store).await[0], Resolved);
    nothing_is_broken(harness).await;
}

pub async fn a_contradiction_is_not_resolved_by_what_it_contradicts(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).joins()]).await;
    let contradiction = Kept { envelope: envelope(9), ..Member(1).dead("conflicting_duplicate") };
    keep(&*store, &[contradiction]).await;
    assert_eq!(states(&*store).await, [Open]);
    let mut duplicate = batch(membership(), Vec::new());
    duplicate.duplicates = vec![Member(1).paid()];
    commit(&*store, &duplicate).await;
    assert_eq!(states(&*store).await, [Open], "the first message came again; the second still differs");
    nothing_is_broken(harness).await;

    store.replay(&all(), false).await.expect("replayed");
    commit(&*store, &duplicate).await;
    assert_eq!(states(&*store).await, [Resolved]);
    nothing_is_broken(harness).await;
}

/// A dead letter that reaches the keeper late.
pub async fn what_is_settled_already_is_kept_as_resolved(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).joins()]).await;
    keep(&*store, &[Member(1).dead("store_refused"), Member(2).dead("store_refused")]).await;
    assert_eq!(states(&*store).await, [Resolved, Open]);
    assert_eq!(store.open_dead_letters().await.expect("counted"), 1);
    nothing_is_broken(harness).await;
}

pub async fn discarded_letters_stay_until_they_fail_again(harness: &impl Harness) {
    let store = harness.store();
    keep(&*store, &[Member(1).dead("wrong_amount"), Member(2).dead("wrong_amount")]).await;
    let first = list(&*store, &all()).await[0].id;
    store.replay(&one(first), false).await.expect("replayed");
    assert_eq!(store.discard(&all()).await.expect("discarded"), 1, "open alone");
    assert_eq!(store.discard(&all()).await.expect("discarded"), 0);
    let named = DeadLetterFilter { states: vec![Replaying], ..all() };
    assert_eq!(store.discard(&named).await.expect("discarded"), 0, "its effect may be on its way");
    assert_eq!(states(&*store).await, [Replaying, Discarded]);
    assert_eq!(store.replay(&all(), false).await.expect("replayed"), 0);

    keep(&*store, &[Member(1).dead("wrong_amount")]).await;
    assert_eq!(states(&*store).await, [Open, Discarded]);
    settle(&*store, membership(), vec![Member(1).joins(), Member(2).joins()]).await;
    assert_eq!(states(&*store).await, [Resolved, Discarded]);
    let named = DeadLetterFilter { states: vec![Resolved], ..all() };
    assert_eq!(store.discard(&named).await.expect("discarded"), 0, "a resolved one is no operator's any more");
    nothing_is_broken(harness).await;
}
