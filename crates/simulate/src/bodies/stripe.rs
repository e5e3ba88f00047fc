//! Events of Stripe: checkout sessions, refunds and disputes (docs.stripe.com, "Event object").
//!
//! Amounts are whole minor units. Purpose, category and address stand in the session's metadata.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Person;

/// What all events carry.
pub struct Event<'a> {
    /// `evt_…`
    pub id: &'a str,
    pub created: Timestamp,
}

impl Event<'_> {
    fn wrap(&self, kind: &str, object: &Value) -> Vec<u8> {
        json!({
            "id": self.id,
            "object": "event",
            "api_version": "2024-06-20",
            "created": self.created.as_second(),
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": kind,
            "data": { "object": object },
        })
        .to_string()
        .into_bytes()
    }
}

pub struct Session<'a> {
    /// `pi_…`: the transaction.
    pub intent: &'a str,
    pub minor: i64,
    /// Lower case, as Stripe writes it.
    pub currency: &'a str,
    pub purpose: &'a str,
    pub category: Option<&'a str>,
    pub member: &'a Person,
    pub with_email: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// Completed, and the money has moved.
    Paid,
    /// Completed, and the money is on its way (a bank debit).
    Unpaid,
    /// That money has arrived.
    PaidLater,
    /// The customer went away.
    Expired,
}

impl SessionEvent {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Paid => ("checkout.session.completed", "complete", "paid"),
            Self::Unpaid => ("checkout.session.completed", "complete", "unpaid"),
            Self::PaidLater => ("checkout.session.async_payment_succeeded", "complete", "paid"),
            Self::Expired => ("checkout.session.expired", "expired", "unpaid"),
        }
    }
}

pub fn checkout_session(event: &Event<'_>, session: &Session<'_>, what: SessionEvent) -> Vec<u8> {
    let (kind, status, payment_status) = what.words();
    let mut metadata = json!({ "purpose": session.purpose });
    let mut customer = json!({ "name": session.member.name(), "phone": null, "tax_ids": [] });
    if let Some(category) = session.category {
        metadata["category"] = category.into();
    }
    if session.with_email {
        metadata["email"] = session.member.written.clone().into();
        customer["email"] = session.member.billing_email().into();
    }
    let object = json!({
        "id": format!("cs_test_{}", session.intent.trim_start_matches("pi_")),
        "object": "checkout.session",
        "amount_subtotal": session.minor,
        "amount_total": session.minor,
        "created": event.created.as_second(),
        "currency": session.currency,
        "customer_details": customer,
        "livemode": false,
        "metadata": metadata,
        "mode": "payment",
        "payment_intent": session.intent,
        "payment_status": payment_status,
        "status": status,
    });
    event.wrap(kind, &object)
}

/// `refunded_minor` is the sum of all refunds so far.
pub fn charge_refunded(
    event: &Event<'_>,
    intent: &str,
    minor: i64,
    refunded_minor: i64,
    currency: &str,
    paid_at: Timestamp,
) -> Vec<u8> {
    let object = json!({
        "id": charge(intent),
        "object": "charge",
        "amount": minor,
        "amount_captured": minor,
        "amount_refunded": refunded_minor,
        "captured": true,
        "created": paid_at.as_second(),
        "currency": currency,
        "metadata": {},
        "paid": true,
        "payment_intent": intent,
        "refunded": refunded_minor == minor,
        "status": "succeeded",
    });
    event.wrap("charge.refunded", &object)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisputeEvent {
    Created,
    Won,
    Lost,
}

/// `dispute` is `dp_…`.
pub fn dispute(
    event: &Event<'_>,
    phase: DisputeEvent,
    dispute: &str,
    intent: &str,
    minor: i64,
    currency: &str,
) -> Vec<u8> {
    let (kind, status) = match phase {
        DisputeEvent::Created => ("charge.dispute.created", "needs_response"),
        DisputeEvent::Won => ("charge.dispute.closed", "won"),
        DisputeEvent::Lost => ("charge.dispute.closed", "lost"),
    };
    let object = json!({
        "id": dispute,
        "object": "dispute",
        "amount": minor,
        "charge": charge(intent),
        "currency": currency,
        "is_charge_refundable": false,
        "metadata": {},
        "payment_intent": intent,
        "reason": "fraudulent",
        "status": status,
    });
    event.wrap(kind, &object)
}

/// Something that nobody subscribed to.
pub fn customer_created(event: &Event<'_>, member: &Person) -> Vec<u8> {
    let object = json!({
        "id": format!("cus_{}", event.id.trim_start_matches("evt_")),
        "object": "customer",
        "email": member.written,
        "name": member.name(),
    });
    event.wrap("customer.created", &object)
}

fn charge(intent: &str) -> String {
    format!("ch_{}", intent.trim_start_matches("pi_"))
}
