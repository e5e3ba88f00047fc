//! Invented members, and what happens to them.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use rollbook_domain::{
    Account, Adjustment, AdjustmentKind, Announcement, Change, Currency, Detail, DetailField, Document, DocumentRef,
    Email, EndReason, Ending, Envelope, EnvelopeId, EventDigest, EventKey, FactKind, FactRef, Money, Outcome, Payment,
    PaymentRef, PersonId, ProcessorName, Reads, Reason, SourceName, Stamp, State, Term, Waiver,
};
use uuid::Uuid;

use super::Harness;
use crate::{Batch, Database, Kept, SettledEvent, StoreError};

/// So many seconds after a fixed moment, with microseconds, which every store keeps.
pub fn at(seconds: u32) -> Timestamp {
    Timestamp::constant(1_740_000_000 + i64::from(seconds), 123_456_000)
}

pub fn account() -> Account {
    "outing-club".into()
}

pub fn source() -> SourceName {
    "cybersource".into()
}

pub fn membership() -> ProcessorName {
    "membership".into()
}

pub fn points() -> ProcessorName {
    "points".into()
}

pub fn waiver() -> ProcessorName {
    "waiver".into()
}

pub fn fact(key: EventKey) -> FactRef {
    FactRef { account: account(), key }
}

pub fn envelope_id(number: u32) -> EnvelopeId {
    EnvelopeId(Uuid::from_u128(0x0195_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)))
}

pub fn envelope(number: u32) -> Envelope {
    Envelope {
        id: envelope_id(number),
        source: source(),
        delivery_key: format!("delivery-{number}").into(),
        received_at: at(number),
        headers: vec![("content-type".to_owned(), "text/plain; \"odd\"".to_owned())],
        trace: number.is_multiple_of(2).then(|| "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        body: Bytes::from([&[0, 255, b'\''][..], format!("body {number}").as_bytes()].concat()),
    }
}

/// Member number `n`: one payment, one document, one address.
#[derive(Clone, Copy, Debug)]
pub struct Member(pub u32);

impl Member {
    pub fn email(self) -> Email {
        Email::parse(&format!("member-{}@example.org", self.0)).expect("an address")
    }

    pub fn id(self) -> PersonId {
        PersonId::of_first_address(&self.email())
    }

    pub fn paid(self) -> FactRef {
        fact(EventKey::captured(&self.payment_ref().transaction))
    }

    pub fn completed(self) -> FactRef {
        fact(EventKey::document_completed(&self.document_ref().document))
    }

    pub fn payment_ref(self) -> PaymentRef {
        PaymentRef { account: account(), transaction: format!("txn-{}", self.0) }
    }

    pub fn document_ref(self) -> DocumentRef {
        DocumentRef { account: account(), document: format!("doc-{}", self.0) }
    }

    pub fn payment(self) -> Payment {
        Payment {
            reference: self.payment_ref(),
            event_key: self.paid().key,
            person: self.id(),
            paid_at: at(self.0),
            paid_on: date(2025, 2, 19),
            amount: Money { minor: 1500, currency: Currency::parse("USD").expect("a currency") },
            category: "MU".to_owned(),
            renewal_window_days: 40,
        }
    }

    pub fn term(self) -> Term {
        let (starts, expires) = (date(2025, 2, 19), date(2026, 2, 19));
        Term { payment: self.payment_ref(), person: self.id(), starts, expires, ended: None }
    }

    pub fn ended_term(self) -> Term {
        Term { ended: Some(Ending { on: refund_day(), reason: EndReason::Refunded }), ..self.term() }
    }

    pub fn document(self) -> Document {
        let (signed_at, category) = (at(self.0), Some("Affiliate (other)".to_owned()));
        let waiver = Waiver { person: self.id(), signed_at, expires: date(2026, 2, 19), category };
        Document { reference: self.document_ref(), waiver: Some(waiver), voided_at: None }
    }

    pub fn detail(self, field: DetailField, value: &str, said: u32) -> Change {
        let stamp = Stamp { at: at(said), key: self.paid().key };
        Change::SetDetail { person: self.id(), field, detail: Detail { value: value.to_owned(), stamp } }
    }

    fn introduced(self) -> Vec<Change> {
        vec![
            Change::RegisterPerson { person: self.id(), email: self.email() },
            Change::Emit(Announcement::MemberRegistered { person: self.id() }),
            self.detail(DetailField::Name, &format!("Member Nr {}", self.0), self.0),
            self.detail(DetailField::Address, &format!("Member-{}@Example.org", self.0), self.0),
            self.detail(DetailField::Category, "MU", self.0),
        ]
    }

    /// The first payment of a new person, with its term.
    pub fn joins(self) -> SettledEvent {
        let mut changes = self.introduced();
        changes.push(Change::RecordPayment(self.payment()));
        changes.push(Change::SetTerm { term: self.term(), was: None });
        applied(self.0, self.paid(), FactKind::PaymentCaptured, changes)
    }

    /// A refund of all of it, which ends the term.
    pub fn is_refunded(self) -> SettledEvent {
        let key = EventKey::refunded(&self.payment_ref().transaction, 1500);
        let adjustment = self.adjusted(key.clone(), AdjustmentKind::Refunded { cumulative_minor: 1500 });
        let ending = Change::SetTerm { term: self.ended_term(), was: Some(self.term()) };
        applied(self.0, fact(key), FactKind::PaymentRefunded, vec![Change::AdjustPayment(adjustment), ending])
    }

    /// A dispute, which is recorded and changes no term.
    pub fn disputes(self) -> SettledEvent {
        let key = EventKey::dispute_opened(&format!("dispute-{}", self.0));
        let adjustment = self.adjusted(key.clone(), AdjustmentKind::DisputeOpened);
        applied(self.0, fact(key), FactKind::PaymentDisputed, vec![Change::AdjustPayment(adjustment)])
    }

    pub fn adjusted(self, event_key: EventKey, kind: AdjustmentKind) -> Adjustment {
        Adjustment { payment: self.payment_ref(), event_key, kind, at: at(500), on: refund_day() }
    }

    /// The waiver of someone who is known already.
    pub fn signs(self) -> SettledEvent {
        let change = Change::SetDocument(self.document());
        applied(self.0, self.completed(), FactKind::DocumentCompleted, vec![change])
    }

    /// The waiver of a new person.
    pub fn signs_first(self) -> SettledEvent {
        let mut event = self.signs();
        event.changes.splice(0..0, self.introduced());
        event
    }

    pub fn voids(self, document: Document) -> SettledEvent {
        let key = EventKey::document_voided(&self.document_ref().document);
        let change = Change::SetDocument(Document { voided_at: Some(at(600)), ..document });
        applied(self.0, fact(key), FactKind::DocumentVoided, vec![change])
    }

    /// A payment that is not for a membership.
    pub fn rents(self) -> SettledEvent {
        let event = SettledEvent { changes: Vec::new(), outcome: Outcome::Ignored, ..self.joins() };
        SettledEvent { reason: Some(Reason::new("not_membership")), ..event }
    }

    pub fn dead(self, reason: &str) -> Kept {
        Kept {
            processor: membership().as_str().to_owned(),
            account: account().as_str().to_owned(),
            event_key: self.paid().key.as_str().to_owned(),
            reason: reason.to_owned(),
            detail: "The plan costs 15.00, „not“ 14.99.".to_owned(),
            amount: Some("14.99".to_owned()),
            currency: Some("USD".to_owned()),
            attempts: 1,
            failed_at: at(self.0),
            envelope: envelope(self.0),
        }
    }
}

pub fn refund_day() -> Date {
    date(2025, 3, 1)
}

pub fn digest(text: &str) -> EventDigest {
    EventDigest::read(format!("1:{text}"))
}

pub fn applied(number: u32, fact: FactRef, kind: FactKind, changes: Vec<Change>) -> SettledEvent {
    SettledEvent {
        digest: digest(fact.key.as_str()),
        fact,
        source: source(),
        envelope: envelope_id(number),
        kind,
        occurred_at: at(number),
        outcome: Outcome::Applied,
        reason: None,
        changes,
        redecided: false,
    }
}

/// With the envelopes of its events.
pub fn batch(processor: ProcessorName, settled: Vec<SettledEvent>) -> Batch {
    let numbers: BTreeSet<_> = settled.iter().map(|event| event.envelope).collect();
    let envelopes = numbers.iter().map(|id| Envelope { id: *id, ..envelope(0) }).collect();
    Batch {
        processor,
        rules: "rules-1".to_owned(),
        processed_at: at(1_000),
        envelopes,
        settled,
        duplicates: Vec::new(),
        settled_envelopes: Vec::new(),
        outgoing: Vec::new(),
        commands: Vec::new(),
    }
}

pub async fn try_commit(store: &dyn Database, batch: &Batch) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.write(batch).await?;
    tx.commit().await
}

pub async fn commit(store: &dyn Database, batch: &Batch) {
    try_commit(store, batch).await.expect("committed");
}

pub async fn settle(store: &dyn Database, processor: ProcessorName, settled: Vec<SettledEvent>) {
    commit(store, &batch(processor, settled)).await;
}

/// What a fresh transaction loads.
pub async fn load(store: &dyn Database, processor: &ProcessorName, reads: &Reads) -> State {
    let mut tx = store.begin().await.expect("begun");
    tx.load(processor, reads).await.expect("loaded")
}

pub fn by_email(members: &[Member]) -> Reads {
    Reads { people: members.iter().map(|member| member.email()).collect(), ..Reads::default() }
}

/// The store's own checks find nothing, and find something to check.
pub async fn nothing_is_broken(harness: &impl Harness) {
    let mut snapshot = harness.store().snapshot().await.expect("a snapshot");
    let checks = snapshot.checks().await.expect("checked");
    let broken: Vec<_> = checks.iter().filter(|check| check.broken > 0).collect();
    assert!(broken.is_empty(), "broken: {broken:?}");
    assert!(checks.iter().any(|check| check.checked > 0), "nothing was checked");
}
