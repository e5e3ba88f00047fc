//! What people ask of the records.

use jiff::civil::date;
use rollbook_domain::{Change, FactKind, Outcome, Reason};

use super::Harness;
use super::samples::{Member, at, batch, commit, envelope, envelope_id, membership, nothing_is_broken, settle, waiver};
use crate::{DeadLetterFilter, EventFilter, Outgoing, PersonRecords, SettledEvent};

pub async fn a_person_is_shown_with_all_records(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (Member(1), Member(2));
    settle(&*store, membership(), vec![ada.joins(), ada.disputes(), ada.is_refunded(), bob.joins()]).await;
    settle(&*store, waiver(), vec![ada.signs(), bob.signs()]).await;

    let records = store.person(&ada.email()).await.expect("read").expect("a person");
    assert_eq!(records.person.id, ada.id());
    assert_eq!(records.person.emails, [ada.email()]);
    assert_eq!(records.person.address.as_ref().map(|said| said.value.as_str()), Some("Member-1@Example.org"));
    assert_eq!(records.payments, [ada.payment()]);
    assert_eq!(records.terms, [ada.ended_term()]);
    assert_eq!(records.adjustments.len(), 2);
    assert_eq!(records.documents, [ada.document()]);

    let bob_alone = store.person(&bob.email()).await.expect("read");
    let PersonRecords { adjustments, documents, .. } = bob_alone.expect("a person");
    assert!(adjustments.is_empty());
    assert_eq!(documents, [bob.document()]);
    assert_eq!(store.person(&Member(3).email()).await.expect("read"), None);
}

pub async fn members_are_listed_by_address(harness: &impl Harness) {
    let store = harness.store();
    let (ended, signed, both) = (Member(3), Member(2), Member(1));
    let mut bare = both.joins();
    bare.changes.retain(|change| !matches!(change, Change::SetDetail { .. }));
    settle(&*store, membership(), vec![ended.joins(), ended.is_refunded(), bare]).await;
    settle(&*store, waiver(), vec![signed.signs_first(), both.signs(), both.voids(both.document())]).await;

    let rows = store.members(None).await.expect("listed");
    let told: Vec<_> = rows.iter().map(|row| (row.id, row.email.as_str(), row.name.as_deref())).collect();
    let expected = [
        (both.id(), "member-1@example.org", None),
        (signed.id(), "Member-2@Example.org", Some("Member Nr 2")),
        (ended.id(), "Member-3@Example.org", Some("Member Nr 3")),
    ];
    assert_eq!(told, expected);
    let dates: Vec<_> = rows.iter().map(|row| (row.membership_expires, row.waiver_expires)).collect();
    let year_on = Some(date(2026, 2, 19));
    assert_eq!(dates, [(year_on, None), (None, year_on), (None, None)]);
    assert_eq!(store.members(Some(2)).await.expect("listed"), rows[..2]);
    nothing_is_broken(harness).await;
}

pub async fn events_are_filtered_by_each_part(harness: &impl Harness) {
    let store = harness.store();
    let mut elsewhere = Member(2).rents();
    elsewhere.source = "stripe".into();
    settle(&*store, membership(), vec![Member(1).joins(), elsewhere]).await;
    let mut later = batch(waiver(), vec![Member(1).signs()]);
    later.processed_at = at(2_000);
    commit(&*store, &later).await;

    let text = |text: &str| Some(text.to_owned());
    let (joined, rented, signed) = (Member(1).paid().key, Member(2).paid().key, Member(1).completed().key);
    let all = EventFilter::default();
    let cases = [
        ("all", all.clone(), vec![&signed, &rented, &joined]),
        ("envelope", EventFilter { envelope: Some(envelope_id(1)), ..all.clone() }, vec![&signed, &joined]),
        ("source", EventFilter { source: text("stripe"), ..all.clone() }, vec![&rented]),
        ("processor", EventFilter { processor: text("waiver"), ..all.clone() }, vec![&signed]),
        ("outcome", EventFilter { outcome: text("ignored"), ..all.clone() }, vec![&rented]),
        ("reason", EventFilter { reason: text("not_membership"), ..all.clone() }, vec![&rented]),
        ("kind", EventFilter { kind: text("document_completed"), ..all.clone() }, vec![&signed]),
        ("event key", EventFilter { event_key: text(joined.as_str()), ..all.clone() }, vec![&joined]),
        ("since", EventFilter { since: Some(at(2_000)), ..all.clone() }, vec![&signed]),
        ("until", EventFilter { until: Some(at(2_000)), ..all.clone() }, vec![&rented, &joined]),
        ("limit", EventFilter { limit: Some(1), ..all.clone() }, vec![&signed]),
        (
            "an envelope and more",
            EventFilter { envelope: Some(envelope_id(1)), processor: text("waiver"), ..all.clone() },
            vec![&signed],
        ),
        ("an unknown envelope", EventFilter { envelope: Some(envelope_id(99)), ..all }, vec![]),
    ];
    for (what, filter, expected) in cases {
        let found = store.events(&filter).await.expect("listed");
        let keys: Vec<_> = found.iter().map(|row| row.event_key.as_str()).collect();
        assert_eq!(keys, expected.iter().map(|key| key.as_str()).collect::<Vec<_>>(), "{what}");
    }
}

pub async fn events_come_newest_first(harness: &impl Harness) {
    let store = harness.store();
    let mut late = batch(membership(), vec![Member(1).joins()]);
    late.processed_at = at(5_000);
    commit(&*store, &late).await;
    let rejected = SettledEvent {
        outcome: Outcome::Rejected,
        reason: Some(Reason::new("too_late")),
        kind: FactKind::PaymentDeclined,
        ..Member(2).rents()
    };
    settle(&*store, membership(), vec![rejected, Member(3).joins()]).await;
    let rows = store.events(&EventFilter::default()).await.expect("listed");
    let envelopes: Vec<_> = rows.iter().map(|row| row.envelope).collect();
    assert_eq!(envelopes, [envelope_id(1), envelope_id(3), envelope_id(2)]);
    let row = &rows[2];
    assert_eq!((row.outcome.as_str(), row.reason.as_deref()), ("rejected", Some("too_late")));
    assert_eq!((row.kind.as_str(), row.rules.as_str()), ("payment_declined", "rules-1"));
    assert_eq!((row.source.as_str(), row.processor.as_str()), ("cybersource", "membership"));
    assert_eq!((row.occurred_at, row.processed_at), (at(2), at(1_000)));
}

/// Retention must not take what a replay needs.
pub async fn pruning_keeps_what_is_needed(harness: &impl Harness) {
    let store = harness.store();
    let letters: Vec<_> = (1..=4).map(|number| Member(number).dead("wrong_amount")).collect();
    store.keep(&letters).await.expect("kept");
    let ids: Vec<_> =
        store.dead_letters(&DeadLetterFilter::default()).await.expect("listed").iter().map(|row| row.id).collect();
    // 1 stays open, 2 is replaying, 3 discarded, 4 resolved; 5 waits in the outbox, 6 is plain, 7 young.
    store.replay(&DeadLetterFilter { ids: vec![ids[1]], ..Default::default() }, false).await.expect("replayed");
    let replaying = store.outbox_next(10).await.expect("next")[0].id;
    store.outbox_done(&[replaying]).await.expect("done");
    store.discard(&DeadLetterFilter { ids: vec![ids[2]], ..Default::default() }).await.expect("discarded");
    let mut work = batch(membership(), vec![Member(4).joins()]);
    work.envelopes = vec![envelope(6), envelope(700)];
    work.outgoing = vec![Outgoing { envelope: envelope(5), to: waiver() }];
    commit(&*store, &work).await;

    assert_eq!(store.prune_envelopes(at(100), 2).await.expect("pruned"), 2, "at most the limit");
    assert_eq!(store.prune_envelopes(at(100), 100).await.expect("pruned"), 1);
    assert_eq!(store.prune_envelopes(at(100), 100).await.expect("pruned"), 0);
    let mut left = Vec::new();
    for number in [1, 2, 3, 4, 5, 6, 700] {
        if store.envelope(envelope_id(number)).await.expect("read").is_some() {
            left.push(number);
        }
    }
    assert_eq!(left, [1, 2, 5, 700]);
    nothing_is_broken(harness).await;
}
