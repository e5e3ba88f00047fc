//! The outbox.

use rollbook_domain::Envelope;

use super::Harness;
use super::samples::{Member, batch, commit, envelope, membership, nothing_is_broken, waiver};
use crate::{DeadLetterFilter, Outgoing};

fn outgoing(number: u32) -> Outgoing {
    Outgoing { envelope: Envelope { source: "rollbook".into(), ..envelope(number) }, to: waiver() }
}

pub async fn the_outbox_keeps_its_order(harness: &impl Harness) {
    let store = harness.store();
    let mut first = batch(membership(), vec![Member(1).joins()]);
    first.outgoing = vec![outgoing(502), outgoing(501)];
    commit(&*store, &first).await;
    store.keep(&[Member(3).dead("wrong_amount")]).await.expect("kept");
    store.replay(&DeadLetterFilter::default(), true).await.expect("replayed");

    let items = store.outbox_next(10).await.expect("next");
    let envelopes: Vec<_> = items.iter().map(|item| item.envelope.clone()).collect();
    assert_eq!(envelopes, [outgoing(502).envelope, outgoing(501).envelope, envelope(3)]);
    let to: Vec<_> = items.iter().map(|item| (item.to.as_str(), item.redecide)).collect();
    assert_eq!(to, [("waiver", false), ("waiver", false), ("membership", true)]);
    assert!(items.is_sorted_by_key(|item| item.id));
    assert_eq!(store.outbox_next(2).await.expect("next").len(), 2);
    nothing_is_broken(harness).await;
}

pub async fn the_outbox_forgets_only_what_is_done(harness: &impl Harness) {
    let store = harness.store();
    let mut work = batch(membership(), vec![Member(1).joins()]);
    work.outgoing = (1..=5).map(|number| outgoing(500 + number)).collect();
    commit(&*store, &work).await;
    assert_eq!(store.outbox_depth().await.expect("depth"), 5);
    let items = store.outbox_next(2).await.expect("next");
    store.outbox_done(&[]).await.expect("done");
    store.outbox_done(&[items[1].id, items[0].id, items[0].id, 999_999]).await.expect("done");
    assert_eq!(store.outbox_depth().await.expect("depth"), 3);
    let left = store.outbox_next(10).await.expect("next");
    assert!(left.iter().all(|item| item.id > items[1].id));

    // Numbers are not given again: a late confirmation must never remove another row.
    store.outbox_done(&left.iter().map(|item| item.id).collect::<Vec<_>>()).await.expect("done");
    let mut later = batch(membership(), vec![Member(2).joins()]);
    later.outgoing = vec![outgoing(510)];
    commit(&*store, &later).await;
    let next = store.outbox_next(10).await.expect("next");
    assert!(next[0].id > left[2].id);
}
