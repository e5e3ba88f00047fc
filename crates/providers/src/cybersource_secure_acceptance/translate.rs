//! What a signed form says.
//!
//! Only `decision` counts, never a reason code: the provider adds reason codes and says so.

use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{Account, Amount, Capture, Envelope, Event, EventKey, Fact};

use super::form::{Form, SignedFields};
use crate::fault::{id, missing, unparseable, unreadable};
use crate::{Fields, TranslateFault, instant};

const PURPOSE: &str = "req_merchant_defined_data1";
const CATEGORY: &str = "req_merchant_defined_data2";
const EMAIL: &str = "req_merchant_defined_data3";
const NAME: &str = "req_merchant_defined_data4";
const FORENAME: &str = "req_bill_to_forename";
const SURNAME: &str = "req_bill_to_surname";

/// What is read whatever is configured.
const READ: [&str; 7] =
    ["decision", "transaction_id", "signed_date_time", "auth_time", "req_amount", "req_currency", "auth_amount"];

/// An authorisation answers at once; a longer gap means that the field is something else.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn translate(fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
    let form = Form::parse(&envelope.body);
    let signed = SignedFields::of(&form).ok().flatten().ok_or_else(|| missing("signed_field_names"))?;
    if signed.is_ambiguous(&read(fields)) {
        return Err(unparseable("a signed value holds what looks like a second signed field"));
    }
    let decision = signed.said("decision").ok_or_else(|| missing("decision"))?;
    let occurred_at = paid_at(&signed)?;
    let (key, fact) = match decision.as_str() {
        "ACCEPT" => captured(fields, &signed)?,
        "REVIEW" => (key(&signed, envelope, EventKey::pending)?, Fact::PaymentPending),
        _ => (key(&signed, envelope, EventKey::declined)?, Fact::PaymentDeclined),
    };
    Ok(vec![Event { key, account: account.clone(), source: envelope.source.clone(), occurred_at, fact }])
}

fn read(fields: &Fields) -> Vec<&str> {
    let member = [
        fields.purpose.as_deref().unwrap_or(PURPOSE),
        fields.category.as_deref().unwrap_or(CATEGORY),
        fields.email.as_deref().unwrap_or(EMAIL),
        fields.name.as_deref().unwrap_or(NAME),
    ];
    READ.into_iter().chain(member).chain(fields.points_group.as_deref()).collect()
}

/// The time of payment. `signed_date_time` (`2018-05-17T19:20:30Z`) is when *this post* was signed,
/// and the browser's post and the server's post of one payment differ there: around midnight the
/// first to arrive would decide on the date of a membership. `auth_time` belongs to the transaction,
/// so it is taken where it was signed, too, and lies within a day before.
fn paid_at(signed: &SignedFields<'_>) -> Result<Timestamp, TranslateFault> {
    let text = signed.said("signed_date_time").ok_or_else(|| missing("signed_date_time"))?;
    let posted_at = instant::parse(&text).ok_or_else(|| unreadable("signed_date_time"))?;
    let authorised_at = signed.said("auth_time").and_then(|text| instant::parse(&with_colons(&text)));
    let near = |at: &Timestamp| (SignedDuration::ZERO..=LONGEST_GAP).contains(&posted_at.duration_since(*at));
    Ok(authorised_at.filter(near).unwrap_or(posted_at))
}

/// `auth_time` is written `2016-04-07T140637Z`.
fn with_colons(text: &str) -> String {
    match text.split_once('T') {
        Some((date, time)) if time.len() == 7 && time.is_ascii() => {
            format!("{date}T{}:{}:{}", &time[..2], &time[2..4], &time[4..])
        }
        _ => text.to_owned(),
    }
}

/// A cancelled payment may have no transaction; it is then named after the request.
fn key(signed: &SignedFields<'_>, envelope: &Envelope, of: fn(&str) -> EventKey) -> Result<EventKey, TranslateFault> {
    match signed.said("transaction_id") {
        Some(transaction) => Ok(of(&id(Some(&transaction), "transaction_id")?)),
        None => Ok(EventKey::other(&envelope.delivery_key)),
    }
}

fn captured(fields: &Fields, signed: &SignedFields<'_>) -> Result<(EventKey, Fact), TranslateFault> {
    let transaction = id(signed.said("transaction_id").as_deref(), "transaction_id")?;
    let currency = signed.said("req_currency");
    let amount = |text: Option<&str>| Amount::decimal(text, currency.as_deref());
    let field = |configured: &Option<String>, default| signed.said(configured.as_deref().unwrap_or(default));
    let capture = Capture {
        amount: amount(signed.said("req_amount").as_deref()),
        authorised: signed.said("auth_amount").map(|text| amount(Some(&text))),
        purpose: field(&fields.purpose, PURPOSE),
        category: field(&fields.category, CATEGORY),
        email: field(&fields.email, EMAIL),
        name: fields.name.as_deref().map_or_else(|| default_name(signed), |name| signed.said(name)),
        points_group: fields.points_group.as_deref().and_then(|field| signed.said(field)),
        transaction,
    };
    Ok((EventKey::captured(&capture.transaction), Fact::PaymentCaptured(capture)))
}

/// The name given for membership, else the name on the bill.
fn default_name(signed: &SignedFields<'_>) -> Option<String> {
    signed.said(NAME).or_else(|| {
        let parts: Vec<_> = [FORENAME, SURNAME].into_iter().filter_map(|part| signed.said(part)).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    })
}
