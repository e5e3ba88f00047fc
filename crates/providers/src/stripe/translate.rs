//! What a Stripe event says.
//!
//! A payment is named by its payment intent, on sessions, charges and disputes alike, so that a
//! refund finds its payment. Only a *paid* checkout session is a capture: `payment_intent.succeeded`
//! of the same payment carries neither purpose nor member and would make a second one.

use jiff::Timestamp;
use rollbook_domain::{Account, Capture, Dispute, DisputePhase, Envelope, Event, EventKey, Fact, Refund};

use super::amount::amount;
use crate::fault::{id, missing, unparseable, unreadable};
use crate::json::Json;
use crate::{Fields, TranslateFault, instant};

pub(super) fn translate(fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
    let tree = Json::object(&envelope.body)?;
    let name = tree.get("type").text().ok_or_else(|| missing("type"))?;
    let told = fact(name, tree.at(&["data", "object"]), fields)?;
    let created = created(tree.get("created"));
    let (key, occurred_at, fact) = if let Some((key, fact)) = told {
        (key, created?, fact)
    } else {
        let fact = Fact::Other { name: name.to_owned() };
        (EventKey::other(&envelope.delivery_key), created.unwrap_or(envelope.received_at), fact)
    };
    Ok(vec![Event { key, account: account.clone(), source: envelope.source.clone(), occurred_at, fact }])
}

/// `None` for what we have no word for.
fn fact(name: &str, object: &Json, fields: &Fields) -> Result<Option<(EventKey, Fact)>, TranslateFault> {
    match name {
        "checkout.session.completed" => completed(object, fields),
        "checkout.session.async_payment_succeeded" => captured(object, fields).map(Some),
        "checkout.session.async_payment_failed" | "checkout.session.expired" => {
            Ok(Some((EventKey::declined(&transaction_of_session(object)?), Fact::PaymentDeclined)))
        }
        "charge.refunded" => refunded(object).map(Some),
        "charge.dispute.created" => disputed(object, DisputePhase::Opened).map(Some),
        "charge.dispute.closed" => disputed(object, verdict(object.get("status"))?).map(Some),
        _ => Ok(None),
    }
}

/// Whole seconds since 1970.
fn created(value: &Json) -> Result<Timestamp, TranslateFault> {
    let second = match value {
        Json::Null => return Err(missing("created")),
        Json::Integer(second) => i64::try_from(*second).ok(),
        _ => None,
    };
    second.and_then(instant::from_second).ok_or_else(|| unreadable("created"))
}

/// A session can be completed before its money has moved (a bank debit), or without any.
fn completed(session: &Json, fields: &Fields) -> Result<Option<(EventKey, Fact)>, TranslateFault> {
    match session.get("payment_status").text() {
        Some("paid") => captured(session, fields).map(Some),
        Some("unpaid") => Ok(Some((EventKey::pending(&transaction_of_session(session)?), Fact::PaymentPending))),
        Some(_) => Ok(None),
        None => Err(missing("data.object.payment_status")),
    }
}

fn captured(session: &Json, fields: &Fields) -> Result<(EventKey, Fact), TranslateFault> {
    let transaction = transaction_of_session(session)?;
    let metadata = |configured: &Option<String>, default| {
        session.at(&["metadata", configured.as_deref().unwrap_or(default)]).text()
    };
    let customer = |name| session.at(&["customer_details", name]).text();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let named = fields.name.as_deref().and_then(|name| session.at(&["metadata", name]).text());
    let capture = Capture {
        amount: amount(session.get("amount_total"), session.get("currency")),
        authorised: None,
        purpose: owned(metadata(&fields.purpose, "purpose")),
        category: owned(metadata(&fields.category, "category")),
        email: owned(metadata(&fields.email, "email").or_else(|| customer("email"))),
        name: owned(named.or_else(|| customer("name"))),
        points_group: owned(metadata(&fields.points_group, "points_group")),
        transaction,
    };
    Ok((EventKey::captured(&capture.transaction), Fact::PaymentCaptured(capture)))
}

/// The sum of all refunds so far; a later event of the same charge says more.
fn refunded(charge: &Json) -> Result<(EventKey, Fact), TranslateFault> {
    let transaction = transaction_of_charge(charge, "id")?;
    let field = "data.object.amount_refunded";
    let units = charge.get("amount_refunded");
    if matches!(units, Json::Null) {
        return Err(missing(field));
    }
    let cumulative = amount(units, charge.get("currency")).money.map_err(|_| unreadable(field))?;
    let key = EventKey::refunded(&transaction, cumulative.minor);
    Ok((key, Fact::PaymentRefunded(Refund { transaction, cumulative })))
}

fn disputed(object: &Json, phase: DisputePhase) -> Result<(EventKey, Fact), TranslateFault> {
    let dispute = id(object.get("id").text(), "data.object.id")?;
    let transaction = transaction_of_charge(object, "charge")?;
    let key = match phase {
        DisputePhase::Opened => EventKey::dispute_opened(&dispute),
        DisputePhase::Won => EventKey::dispute_won(&dispute),
        DisputePhase::Lost => EventKey::dispute_lost(&dispute),
    };
    Ok((key, Fact::PaymentDisputed(Dispute { transaction, dispute, phase })))
}

/// An inquiry that is closed took no money. A status that we do not know is a question for people:
/// to guess would keep or end a membership.
fn verdict(status: &Json) -> Result<DisputePhase, TranslateFault> {
    match status.text() {
        Some("won" | "warning_closed") => Ok(DisputePhase::Won),
        Some("lost") => Ok(DisputePhase::Lost),
        Some(_) => Err(unparseable("`data.object.status` of a closed dispute is none that we know")),
        None => Err(missing("data.object.status")),
    }
}

fn transaction_of_session(session: &Json) -> Result<String, TranslateFault> {
    let transaction = reference(session.get("payment_intent")).or_else(|| session.get("id").text());
    id(transaction, "data.object.id")
}

/// `charge` is where the object keeps the charge's id.
fn transaction_of_charge(object: &Json, charge: &str) -> Result<String, TranslateFault> {
    let transaction = reference(object.get("payment_intent")).or_else(|| reference(object.get(charge)));
    id(transaction, "data.object.payment_intent")
}

/// An id, or the object of that id where the sender expanded it.
fn reference(value: &Json) -> Option<&str> {
    value.text().or_else(|| value.get("id").text())
}
