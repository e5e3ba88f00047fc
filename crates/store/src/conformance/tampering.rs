//! The store's own checks: quiet over honest records, loud over a touched file.

use std::collections::BTreeMap;

use super::Harness;
use super::samples::{Member, envelope, membership, nothing_is_broken, settle, waiver};
use crate::{Database, DeadLetterFilter};

/// Something of everything.
async fn a_club(store: &dyn Database) {
    let (ada, bob, eve) = (Member(1), Member(2), Member(3));
    let paid = vec![ada.joins(), ada.is_refunded(), bob.joins(), bob.disputes(), Member(4).rents()];
    settle(store, membership(), paid).await;
    let signed = vec![ada.signs(), bob.signs(), eve.signs_first(), eve.voids(eve.document())];
    settle(store, waiver(), signed).await;
    store.keep(&[Member(5).dead("wrong_amount"), Member(2).dead("wrong_amount")]).await.expect("kept");
}

pub(super) async fn broken(store: &dyn Database) -> BTreeMap<String, u64> {
    let mut snapshot = store.snapshot().await.expect("a snapshot");
    let checks = snapshot.checks().await.expect("checked");
    checks.into_iter().filter(|check| check.broken > 0).map(|check| (check.name, check.broken)).collect()
}

pub async fn clean_records_have_nothing_broken(harness: &impl Harness) {
    let store = harness.store();
    assert!(broken(&*store).await.is_empty(), "an empty store is sound");
    a_club(&*store).await;
    nothing_is_broken(harness).await;
    let checks = store.snapshot().await.expect("a snapshot").checks().await.expect("checked");
    let checked: BTreeMap<_, _> = checks.iter().map(|check| (check.name.as_str(), check.checked)).collect();
    assert_eq!(checked["applied_payments_are_recorded"], 2);
    assert_eq!(checked["recorded_payments_were_applied"], 2);
    assert_eq!(checked["applied_adjustments_are_recorded"], 2);
    assert_eq!(checked["applied_documents_are_recorded"], 4);
    assert_eq!(checked["one_term_per_payment"], 2);
    assert_eq!(checked["one_waiver_per_document"], 3);
    assert_eq!(checked["one_registration_per_person"], 3);
    assert!(checks.iter().all(|check| check.name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase())));
}

/// Open and replaying letters and a full outbox are work, not damage.
pub async fn waiting_work_is_not_broken(harness: &impl Harness) {
    let store = harness.store();
    a_club(&*store).await;
    store.keep(&[Member(6).dead("unparseable"), Member(1).dead("conflicting_duplicate")]).await.expect("kept");
    nothing_is_broken(harness).await;
    store.replay(&DeadLetterFilter::default(), true).await.expect("replayed");
    assert!(store.outbox_depth().await.expect("depth") > 0);
    nothing_is_broken(harness).await;
    assert!(store.envelope(envelope(6).id).await.expect("read").is_some());
}

/// A lie, and the check that must find it.
const LIES: [(&str, &str); 23] = [
    (
        "UPDATE dead_letter SET state = 'open' WHERE event_key = 'payment:txn-2:captured'",
        "settled_facts_left_the_dead_letters",
    ),
    (
        "UPDATE dead_letter SET state = 'resolved' WHERE event_key = 'payment:txn-5:captured'",
        "resolved_dead_letters_are_settled",
    ),
    (
        "DELETE FROM envelope WHERE id IN (SELECT envelope FROM dead_letter WHERE state = 'open')",
        "unsettled_dead_letters_can_be_replayed",
    ),
    ("INSERT INTO outbox (envelope, processor) SELECT id, 'waiver' FROM person", "outbox_rows_can_be_sent"),
    ("UPDATE term SET expires = '2027-02-19' WHERE end_reason IS NULL", "term_journals_end_at_their_term"),
    (
        "UPDATE term_journal SET was_starts = '2020-01-01', was_expires = '2021-01-01' WHERE was_starts IS NULL",
        "term_journals_are_unbroken",
    ),
    ("UPDATE term SET starts = expires WHERE end_reason IS NULL", "terms_end_after_they_start"),
    (
        "UPDATE document SET voided_at = signed_at WHERE document_id = 'doc-1'",
        "document_journals_end_at_their_document",
    ),
    (
        "UPDATE document SET person = NULL, signed_at = NULL, expires = NULL, category = NULL \
         WHERE document_id = 'doc-3'",
        "one_waiver_per_document",
    ),
    ("UPDATE document SET person = NULL WHERE document_id = 'doc-1'", "one_waiver_per_document"),
    ("DELETE FROM term WHERE end_reason = 'refunded'", "one_term_per_payment"),
    (
        "UPDATE processed SET outcome = 'ignored', reason = 'x' WHERE event_key = 'payment:txn-2:captured'",
        "recorded_payments_were_applied",
    ),
    ("UPDATE processed SET reason = NULL WHERE event_key = 'payment:txn-2:captured'", "outcomes_have_their_reason"),
    ("DELETE FROM adjustment WHERE kind = 'refunded'", "applied_adjustments_are_recorded"),
    ("DELETE FROM processed WHERE event_key LIKE 'dispute:%'", "recorded_adjustments_were_applied"),
    ("DELETE FROM payment WHERE transaction_id = 'txn-2'", "one_payment_per_term"),
    ("DELETE FROM payment WHERE transaction_id = 'txn-1'", "applied_payments_are_recorded"),
    ("DELETE FROM processed WHERE event_key = 'payment:txn-1:captured'", "one_registration_per_person"),
    ("DELETE FROM processed WHERE event_key LIKE 'document:doc-1:%'", "recorded_documents_were_applied"),
    (
        "DELETE FROM document_journal WHERE document IN (SELECT number FROM document WHERE document_id = 'doc-2')",
        "applied_documents_are_recorded",
    ),
    ("DELETE FROM person_email WHERE email = 'member-1@example.org'", "people_have_an_address"),
    (
        "UPDATE person_email SET email = 'Member-2@example.org' WHERE email = 'member-2@example.org'",
        "addresses_name_one_person",
    ),
    ("DELETE FROM document WHERE document_id = 'doc-2'", "people_have_an_effect"),
];

/// One lie after another; each time the named check must count more than before.
pub async fn whatever_is_tampered_with_is_found(harness: &impl Harness) {
    let store = harness.store();
    a_club(&*store).await;
    let mut before = broken(&*store).await;
    for (sql, name) in LIES {
        harness.tamper(sql).await;
        let after = broken(&*store).await;
        assert!(after.get(name) > before.get(name), "{sql}: {name} did not see it, but {after:?}");
        before = after;
    }
}
