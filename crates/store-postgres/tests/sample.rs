//! Invented facts; smaller than those of the suite, which are its own.

use jiff::Timestamp;
use rollbook_domain::{
    Change, Document, DocumentRef, Email, Envelope, EnvelopeId, EventDigest, FactKind, FactRef, Outcome, PersonId,
    ProcessorName,
};
use rollbook_store::{Batch, Kept, SettledEvent};
use uuid::Uuid;

pub fn membership() -> ProcessorName {
    "membership".into()
}

pub fn waiver() -> ProcessorName {
    "waiver".into()
}

pub fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

pub fn envelope(number: u128) -> Envelope {
    Envelope {
        id: EnvelopeId(Uuid::from_u128(number)),
        source: "cybersource".into(),
        delivery_key: "delivery".into(),
        received_at: Timestamp::UNIX_EPOCH,
        headers: Vec::new(),
        trace: None,
        body: "body".into(),
    }
}

pub fn event(key: &str, changes: Vec<Change>) -> SettledEvent {
    SettledEvent {
        fact: FactRef { account: "club".into(), key: key.into() },
        source: "cybersource".into(),
        envelope: EnvelopeId(Uuid::from_u128(1)),
        kind: FactKind::Other,
        occurred_at: Timestamp::UNIX_EPOCH,
        digest: EventDigest::read("1:a".to_owned()),
        outcome: Outcome::Applied,
        reason: None,
        changes,
        redecided: false,
    }
}

/// Registers whoever has this address.
pub fn newcomer(address: &str, key: &str) -> SettledEvent {
    let email = email(address);
    event(key, vec![Change::RegisterPerson { person: PersonId::of_first_address(&email), email }])
}

pub fn document_ref(id: &str) -> DocumentRef {
    DocumentRef { account: "club".into(), document: id.to_owned() }
}

pub fn voids(document: Document, key: &str) -> SettledEvent {
    event(key, vec![Change::SetDocument(document)])
}

pub fn batch(processor: ProcessorName, settled: Vec<SettledEvent>) -> Batch {
    Batch {
        processor,
        rules: "rules".to_owned(),
        processed_at: Timestamp::UNIX_EPOCH,
        envelopes: vec![envelope(1)],
        settled,
        duplicates: Vec::new(),
        settled_envelopes: Vec::new(),
        outgoing: Vec::new(),
        commands: Vec::new(),
    }
}

pub fn letter(key: &str) -> Kept {
    Kept {
        processor: "membership".to_owned(),
        account: "club".to_owned(),
        event_key: key.to_owned(),
        reason: "wrong_amount".to_owned(),
        detail: String::new(),
        amount: None,
        currency: None,
        attempts: 1,
        failed_at: Timestamp::UNIX_EPOCH,
        envelope: envelope(1),
    }
}
