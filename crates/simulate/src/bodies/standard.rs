//! Standard Webhooks in the service's own words: `{type, timestamp, data}`, as any program may send
//! them.

use jiff::Timestamp;
use rollbook_domain::DisputePhase;
use serde_json::{Value, json};

use super::Person;

/// The envelope of the scheme. `at` is the time of the fact.
fn message(kind: &str, at: Timestamp, data: &Value) -> Vec<u8> {
    json!({ "type": kind, "timestamp": at.to_string(), "data": data }).to_string().into_bytes()
}

pub struct Payment<'a> {
    pub transaction: &'a str,
    /// As written, so that odd amounts can be sent.
    pub amount: &'a str,
    pub currency: &'a str,
    pub purpose: &'a str,
    pub category: Option<&'a str>,
    pub member: &'a Person,
    pub with_email: bool,
    pub at: Timestamp,
}

pub fn payment_captured(payment: &Payment<'_>) -> Vec<u8> {
    let mut data = json!({
        "transaction": payment.transaction,
        "amount": payment.amount,
        "currency": payment.currency,
        "purpose": payment.purpose,
        "name": payment.member.name(),
    });
    if let Some(category) = payment.category {
        data["category"] = category.into();
    }
    if payment.with_email {
        data["email"] = payment.member.written.clone().into();
    }
    message("payment_captured", payment.at, &data)
}

pub fn payment_declined(transaction: &str, at: Timestamp) -> Vec<u8> {
    message("payment_declined", at, &json!({ "transaction": transaction }))
}

pub fn payment_pending(transaction: &str, at: Timestamp) -> Vec<u8> {
    message("payment_pending", at, &json!({ "transaction": transaction }))
}

/// `refunded` is the sum of all refunds so far, as a decimal.
pub fn payment_refunded(transaction: &str, refunded: &str, currency: &str, at: Timestamp) -> Vec<u8> {
    let data = json!({ "transaction": transaction, "refunded": refunded, "currency": currency });
    message("payment_refunded", at, &data)
}

pub fn payment_disputed(transaction: &str, dispute: &str, phase: DisputePhase, at: Timestamp) -> Vec<u8> {
    let phase = match phase {
        DisputePhase::Opened => "opened",
        DisputePhase::Won => "won",
        DisputePhase::Lost => "lost",
    };
    let data = json!({ "transaction": transaction, "dispute": dispute, "phase": phase });
    message("payment_disputed", at, &data)
}

pub fn document_completed(document: &str, signer: &Person, category: &str, at: Timestamp) -> Vec<u8> {
    let data = json!({ "document": document, "email": signer.written, "name": signer.name(), "category": category });
    message("document_completed", at, &data)
}

pub fn recipient_completed(document: &str, recipient: &str, at: Timestamp) -> Vec<u8> {
    message("recipient_completed", at, &json!({ "document": document, "recipient": recipient }))
}

pub fn document_voided(document: &str, at: Timestamp) -> Vec<u8> {
    message("document_voided", at, &json!({ "document": document }))
}

/// A type that is none of the service's words.
pub fn newsletter(member: &Person, at: Timestamp) -> Vec<u8> {
    message("newsletter.subscribed", at, &json!({ "email": member.written }))
}
