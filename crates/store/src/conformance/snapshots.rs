//! One consistent view.

use std::collections::BTreeSet;

use rollbook_domain::{Outcome, PersonId};

use super::Harness;
use super::samples::{Member, digest, membership, settle, waiver};
use crate::Snapshot;

async fn page_through(snapshot: &mut dyn Snapshot, size: u32) -> Vec<PersonId> {
    let mut found: Vec<PersonId> = Vec::new();
    loop {
        let page = snapshot.people(found.last().copied(), size).await.expect("a page");
        if page.people.is_empty() {
            return found;
        }
        assert!(page.people.len() <= usize::try_from(size).expect("a size"));
        found.extend(page.people.keys().collect::<BTreeSet<_>>());
    }
}

/// What is committed while it lives is not in it.
pub async fn a_snapshot_does_not_move(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).joins()]).await;
    let mut snapshot = store.snapshot().await.expect("a snapshot");
    for number in 2..30 {
        settle(&*store, membership(), vec![Member(number).joins()]).await;
        settle(&*store, waiver(), vec![Member(number).signs()]).await;
        if number % 10 == 0 {
            let checks = snapshot.checks().await.expect("checked");
            assert!(checks.iter().all(|check| check.broken == 0), "{checks:?}");
        }
    }
    assert_eq!(page_through(&mut *snapshot, 10).await, [Member(1).id()]);
    assert_eq!(snapshot.outcomes("payment:").await.expect("outcomes").len(), 1);
    drop(snapshot);
    let mut now = store.snapshot().await.expect("a snapshot");
    assert_eq!(page_through(&mut *now, 10).await.len(), 29);
}

pub async fn a_snapshot_pages_through_the_people(harness: &impl Harness) {
    let store = harness.store();
    let members: Vec<_> = (0..25).map(Member).collect();
    settle(&*store, membership(), members.iter().map(|member| member.joins()).collect()).await;
    settle(&*store, waiver(), members[..5].iter().map(|member| member.signs()).collect()).await;
    let mut snapshot = store.snapshot().await.expect("a snapshot");
    let expected: Vec<_> = members.iter().map(|member| member.id()).collect::<BTreeSet<_>>().into_iter().collect();
    for size in [1, 7, 25, 1_000] {
        assert_eq!(page_through(&mut *snapshot, size).await, expected, "pages of {size}");
    }
    let all = snapshot.people(None, 1_000).await.expect("a page");
    assert_eq!((all.payments.len(), all.terms.len(), all.documents.len()), (25, 25, 5));
    assert_eq!(all.documents[&Member(3).document_ref()], Member(3).document());
}

pub async fn a_snapshot_tells_outcomes_by_prefix(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(2).rents(), Member(1).joins()]).await;
    settle(&*store, waiver(), vec![Member(1).signs(), Member(1).rents()]).await;
    let mut snapshot = store.snapshot().await.expect("a snapshot");
    let found = snapshot.outcomes("payment:").await.expect("outcomes");
    let told: Vec<_> =
        found.iter().map(|(row, seen)| (row.processor.as_str(), row.event_key.as_str(), seen.outcome)).collect();
    let (one, two) = (Member(1).paid().key, Member(2).paid().key);
    let expected = [
        ("membership", one.as_str(), Outcome::Applied),
        ("membership", two.as_str(), Outcome::Ignored),
        ("waiver", one.as_str(), Outcome::Ignored),
    ];
    assert_eq!(told, expected);
    assert_eq!(found[0].1.digest, digest(one.as_str()));
    assert_eq!(snapshot.outcomes("").await.expect("outcomes").len(), 4);
    // A prefix is no pattern.
    assert!(snapshot.outcomes("payment%").await.expect("outcomes").is_empty());
}
