//! Loading what a decision reads.

use rollbook_domain::{Change, DetailField, EventKey, Outcome, PaymentRef, Reads, State};

use super::Harness;
use super::samples::{Member, at, by_email, envelope, fact, load, membership, settle, waiver};
use crate::{Database, DeadLetterFilter, SettledEvent};

/// Ada paid twice, one of the payments was refunded; Bob paid once.
async fn ada_and_bob(store: &dyn Database) -> (Member, Member) {
    let (ada, again, bob) = (Member(1), Member(100), Member(2));
    let mut second = again.joins();
    second.changes.retain(|change| !matches!(change, Change::RegisterPerson { .. }));
    for change in &mut second.changes {
        match change {
            Change::SetDetail { person, .. } => *person = ada.id(),
            Change::RecordPayment(payment) => payment.person = ada.id(),
            Change::SetTerm { term, .. } => term.person = ada.id(),
            _ => {}
        }
    }
    settle(store, membership(), vec![ada.joins(), second, ada.is_refunded(), bob.joins(), bob.disputes()]).await;
    (ada, bob)
}

/// Whoever is named by an address or a payment comes with everything that is theirs.
pub async fn people_are_loaded_whole(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = ada_and_bob(&*store).await;
    let named = load(&*store, &membership(), &by_email(&[ada])).await;
    assert_eq!(named.people.len(), 1);
    assert_eq!(named.people[&ada.id()].emails, [ada.email()]);
    assert_eq!(named.people[&ada.id()].name.as_ref().map(|name| name.value.as_str()), Some("Member Nr 100"));
    assert_eq!(named.payments_of(ada.id()).count(), 2);
    assert_eq!(named.terms.len(), 2);
    assert_eq!(named.adjustments_of(&ada.payment_ref()).len(), 1);

    let by_payment = Reads { payments: [Member(100).payment_ref()].into(), ..Reads::default() };
    assert_eq!(load(&*store, &membership(), &by_payment).await, named);
    let both = Reads { payments: [bob.payment_ref()].into(), ..by_email(&[ada]) };
    let both = load(&*store, &membership(), &both).await;
    assert_eq!((both.people.len(), both.payments.len(), both.adjustments.len()), (2, 3, 2));
}

pub async fn documents_come_alone(harness: &impl Harness) {
    let store = harness.store();
    let ada = Member(1);
    settle(&*store, waiver(), vec![ada.signs_first(), Member(2).signs_first()]).await;
    let reads = Reads { documents: [ada.document_ref()].into(), ..Reads::default() };
    let state = load(&*store, &waiver(), &reads).await;
    assert_eq!(state.documents.values().collect::<Vec<_>>(), [&ada.document()]);
    assert!(state.people.is_empty());
    assert!(load(&*store, &waiver(), &by_email(&[ada])).await.documents.is_empty());
}

pub async fn names_that_nobody_has_load_nothing(harness: &impl Harness) {
    let store = harness.store();
    ada_and_bob(&*store).await;
    let reads = Reads {
        payments: [PaymentRef { account: "elsewhere".into(), ..Member(1).payment_ref() }].into(),
        documents: [Member(1).document_ref()].into(),
        outcomes: [Member(9).paid()].into(),
        ..by_email(&[Member(9)])
    };
    assert_eq!(load(&*store, &membership(), &reads).await, State::default());
}

pub async fn outcomes_are_of_one_processor(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(1).rents(), Member(2).joins()]).await;
    let reads = Reads { outcomes: [Member(1).paid(), Member(2).paid()].into(), ..Reads::default() };
    let state = load(&*store, &membership(), &reads).await;
    assert_eq!(state.outcomes.len(), 2);
    assert_eq!(state.outcomes[&Member(1).paid()].outcome, Outcome::Ignored);
    assert!(load(&*store, &waiver(), &reads).await.outcomes.is_empty());
}

/// Providers send what they like; what a statement or an encoding could trip over comes back.
pub async fn odd_texts_come_back_as_they_were(harness: &impl Harness) {
    let store = harness.store();
    let ada = Member(1);
    let odd = "Zoë \"the\\ O'Hara\" ?1 \u{1f9d7}\u{7f}\n{}[],%_--;";
    let key = fact(EventKey::captured(odd));
    let mut joins = ada.joins();
    joins.changes.push(ada.detail(DetailField::Name, odd, 900));
    let oddly = SettledEvent { fact: key.clone(), ..Member(2).rents() };
    settle(&*store, membership(), vec![joins, oddly]).await;
    let mut dead = ada.dead("wrong_amount");
    (dead.event_key, dead.detail, dead.envelope) = (odd.to_owned(), odd.to_owned(), envelope(77));
    dead.envelope.headers = vec![("x-odd".to_owned(), odd.to_owned()), ("x-odd".to_owned(), String::new())];
    store.keep(&[dead.clone()]).await.expect("kept");

    let reads = Reads { outcomes: [key.clone()].into(), ..by_email(&[ada]) };
    let state = load(&*store, &membership(), &reads).await;
    assert!(state.outcomes.contains_key(&key));
    let name = state.people[&ada.id()].name.clone().expect("a name");
    assert_eq!((name.value.as_str(), name.stamp.at), (odd, at(900)));
    let letters = store.dead_letters(&DeadLetterFilter::default()).await.expect("listed");
    assert_eq!((letters[0].event_key.as_str(), letters[0].detail.as_str()), (odd, odd));
    let kept = store.envelope(dead.envelope.id).await.expect("read").expect("kept");
    assert_eq!(kept, dead.envelope);
}
