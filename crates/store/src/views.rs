//! The JSON shapes that scripts rely on, built from records and today's date.
//!
//! A status depends on the day it is asked for; nothing stored does.

use jiff::Timestamp;
use jiff::civil::Date;
use rollbook_domain::{Document, Payment, Term};
use serde::Serialize;

use crate::PersonRecords;

/// `members show --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberView {
    pub person: PersonView,
    pub memberships: Vec<MembershipView>,
    pub waivers: Vec<WaiverView>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonView {
    pub id: String,
    pub name: Option<String>,
    /// The display form of the first address, then the others.
    pub emails: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MembershipView {
    pub starts: Date,
    pub expires: Date,
    pub category: String,
    /// Decimal strings, as all amounts.
    pub amount: String,
    pub currency: String,
    /// The provider's transaction id.
    pub payment: String,
    pub paid_at: Timestamp,
    pub status: Status,
    pub ended_on: Option<Date>,
    pub end_reason: Option<String>,
    pub refunded: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaiverView {
    pub document: String,
    pub signed_at: Timestamp,
    pub expires: Date,
    pub status: Status,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not ended, and not after its last day (it may begin in the future).
    Active,
    Expired,
    Ended,
}

impl MemberView {
    /// `today` is the calendar date in the organisation's zone.
    pub fn of(records: &PersonRecords, today: Date) -> Self {
        let term_of = |payment: &Payment| records.terms.iter().find(|term| term.payment == payment.reference);
        let mut memberships: Vec<_> = records
            .payments
            .iter()
            .filter_map(|payment| Some(membership(records, payment, term_of(payment)?, today)))
            .collect();
        memberships.sort_by(|a, b| (a.starts, a.paid_at, &a.payment).cmp(&(b.starts, b.paid_at, &b.payment)));
        let mut waivers: Vec<_> = records.documents.iter().filter_map(|document| waiver(document, today)).collect();
        waivers.sort_by(|a, b| (a.signed_at, &a.document).cmp(&(b.signed_at, &b.document)));
        Self { person: person(records), memberships, waivers }
    }
}

fn person(records: &PersonRecords) -> PersonView {
    let person = &records.person;
    let shown = person.address.as_ref().map(|detail| detail.value.trim().to_owned());
    let same = |email: &str| shown.as_deref().is_some_and(|shown| shown.eq_ignore_ascii_case(email));
    let others =
        person.emails.iter().map(rollbook_domain::Email::as_str).filter(|email| !same(email)).map(str::to_owned);
    PersonView {
        id: person.id.to_string(),
        name: person.name.as_ref().map(|detail| detail.value.clone()),
        emails: shown.iter().cloned().chain(others).collect(),
    }
}

fn membership(records: &PersonRecords, payment: &Payment, term: &Term, today: Date) -> MembershipView {
    let refunds = records.adjustments.iter().filter(|adjustment| adjustment.payment == payment.reference);
    let refunded_minor = refunds.filter_map(|adjustment| adjustment.kind.cumulative_minor()).max().unwrap_or(0);
    let mut refunded = payment.amount;
    refunded.minor = refunded_minor;
    MembershipView {
        starts: term.starts,
        expires: term.expires,
        category: payment.category.clone(),
        amount: payment.amount.decimal(),
        currency: payment.amount.currency.to_string(),
        payment: payment.reference.transaction.clone(),
        paid_at: payment.paid_at,
        status: status(term.ended.is_some(), term.expires, today),
        ended_on: term.ended.map(|ending| ending.on),
        end_reason: term.ended.map(|ending| ending.reason.as_str().to_owned()),
        refunded: refunded.decimal(),
    }
}

fn waiver(document: &Document, today: Date) -> Option<WaiverView> {
    let waiver = document.waiver.as_ref()?;
    Some(WaiverView {
        document: document.reference.document.clone(),
        signed_at: waiver.signed_at,
        expires: waiver.expires,
        status: status(document.voided_at.is_some(), waiver.expires, today),
    })
}

fn status(ended: bool, expires: Date, today: Date) -> Status {
    if ended {
        Status::Ended
    } else if today > expires {
        Status::Expired
    } else {
        Status::Active
    }
}

#[cfg(test)]
mod tests;
