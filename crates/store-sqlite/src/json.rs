//! Lists as one JSON argument: the statement's text never changes with their length.

use rollbook_domain::{DocumentRef, EnvelopeId, FactRef, GroupId, PaymentRef, PersonId, Scope};
use serde::Serialize;
use uuid::Uuid;

/// Texts and numbers can always be written as JSON.
fn text<T: Serialize>(items: impl Iterator<Item = T>) -> String {
    serde_json::to_string(&items.collect::<Vec<_>>()).unwrap_or_default()
}

pub fn list<T: Serialize>(items: impl IntoIterator<Item = T>) -> String {
    text(items.into_iter())
}

pub fn facts<'a>(facts: impl IntoIterator<Item = &'a FactRef>) -> String {
    text(facts.into_iter().map(|fact| [fact.account.as_str(), fact.key.as_str()]))
}

/// JSON has no bytes: the statement reads each with `unhex`.
pub fn hex(id: Uuid) -> String {
    id.simple().to_string()
}

pub fn uuids(ids: impl IntoIterator<Item = Uuid>) -> String {
    text(ids.into_iter().map(hex))
}

pub fn envelopes(envelopes: &[EnvelopeId]) -> String {
    uuids(envelopes.iter().map(|envelope| envelope.0))
}

pub fn payments<'a>(payments: impl IntoIterator<Item = &'a PaymentRef>) -> String {
    text(payments.into_iter().map(|payment| [payment.account.as_str(), payment.transaction.as_str()]))
}

pub fn documents<'a>(documents: impl IntoIterator<Item = &'a DocumentRef>) -> String {
    text(documents.into_iter().map(|document| [document.account.as_str(), document.document.as_str()]))
}

pub fn scopes<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> String {
    text(scopes.into_iter().map(|scope| {
        let Scope { owner, rule, period } = scope;
        [owner.kind().to_owned(), hex(owner.uuid()), rule.clone(), period.first.to_string(), period.last.to_string()]
    }))
}

pub fn group_members<'a>(members: impl IntoIterator<Item = &'a (GroupId, PersonId)>) -> String {
    text(members.into_iter().map(|(group, person)| [hex(group.0), hex(person.0)]))
}
