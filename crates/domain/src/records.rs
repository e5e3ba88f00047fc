//! The records: what the store keeps and what processors read.
//!
//! Recorded facts (payments, adjustments, documents) never depend on the order in which they
//! arrived; derived records (terms) are a fold over them.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::{Account, Email, EventKey, Money, PersonId};

/// One payment of one account, by the provider's transaction id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentRef {
    pub account: Account,
    pub transaction: String,
}

/// One document of one account, by the provider's document id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentRef {
    pub account: Account,
    pub document: String,
}

/// A fact's name in full: keys live in an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactRef {
    pub account: Account,
    pub key: EventKey,
}

/// When and by which event a value was said. The greater stamp wins, whichever arrived first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    pub at: Timestamp,
    pub key: EventKey,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Detail {
    pub value: String,
    pub stamp: Stamp,
}

/// Names and addresses never reach a log, so `Debug` hides them.
impl fmt::Debug for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detail").field("stamp", &self.stamp).finish_non_exhaustive()
    }
}

/// What the last writer decides about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DetailField {
    Name,
    /// The e-mail address as its owner wrote it, for display.
    Address,
    Category,
}

impl DetailField {
    pub const ALL: [Self; 3] = [Self::Name, Self::Address, Self::Category];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Category => "category",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.as_str() == text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    /// Every address by which this person is matched; the first made the id.
    pub emails: Vec<Email>,
    pub name: Option<Detail>,
    pub address: Option<Detail>,
    pub category: Option<Detail>,
}

impl Person {
    pub fn new(id: PersonId, email: Email) -> Self {
        Self { id, emails: vec![email], name: None, address: None, category: None }
    }

    pub fn detail(&self, field: DetailField) -> Option<&Detail> {
        match field {
            DetailField::Name => self.name.as_ref(),
            DetailField::Address => self.address.as_ref(),
            DetailField::Category => self.category.as_ref(),
        }
    }

    pub fn set(&mut self, field: DetailField, detail: Detail) {
        let slot = match field {
            DetailField::Name => &mut self.name,
            DetailField::Address => &mut self.address,
            DetailField::Category => &mut self.category,
        };
        *slot = Some(detail);
    }
}

/// A membership payment that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub reference: PaymentRef,
    pub event_key: EventKey,
    pub person: PersonId,
    pub paid_at: Timestamp,
    /// The calendar date of `paid_at` in the organisation's zone.
    pub paid_on: Date,
    pub amount: Money,
    pub category: String,
    /// The renewal window in force when this payment was applied, in days. It is recorded, and the
    /// fold reads it from here and never from the configuration, so that a later change of the
    /// configuration moves no term that stands (and `verify` needs no rules).
    pub renewal_window_days: u16,
}

/// Something that happened to a payment after it was made. Append-only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    pub payment: PaymentRef,
    pub event_key: EventKey,
    pub kind: AdjustmentKind,
    pub at: Timestamp,
    /// The calendar date of `at` in the organisation's zone.
    pub on: Date,
}

impl Adjustment {
    pub fn fact(&self) -> FactRef {
        FactRef { account: self.payment.account.clone(), key: self.event_key.clone() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdjustmentKind {
    /// All refunds so far, in minor units of the payment's currency.
    Refunded {
        cumulative_minor: i64,
    },
    DisputeOpened,
    DisputeWon,
    DisputeLost,
}

impl AdjustmentKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refunded { .. } => "refunded",
            Self::DisputeOpened => "dispute_opened",
            Self::DisputeWon => "dispute_won",
            Self::DisputeLost => "dispute_lost",
        }
    }

    pub fn cumulative_minor(self) -> Option<i64> {
        match self {
            Self::Refunded { cumulative_minor } => Some(cumulative_minor),
            _ => None,
        }
    }

    /// `cumulative_minor` is read for `refunded` only.
    pub fn parse(text: &str, cumulative_minor: i64) -> Option<Self> {
        match text {
            "refunded" => Some(Self::Refunded { cumulative_minor }),
            "dispute_opened" => Some(Self::DisputeOpened),
            "dispute_won" => Some(Self::DisputeWon),
            "dispute_lost" => Some(Self::DisputeLost),
            _ => None,
        }
    }
}

/// The membership that one payment bought: exactly one a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    pub payment: PaymentRef,
    pub person: PersonId,
    pub starts: Date,
    /// The last day on which it is valid.
    pub expires: Date,
    pub ended: Option<Ending>,
}

/// Why and on which date a term ended before it expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ending {
    pub on: Date,
    pub reason: EndReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndReason {
    Refunded,
    DisputeLost,
}

impl EndReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refunded => "refunded",
            Self::DisputeLost => "dispute_lost",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Refunded, Self::DisputeLost].into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What is known of one document. A void may arrive before, or without, a completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub reference: DocumentRef,
    pub waiver: Option<Waiver>,
    pub voided_at: Option<Timestamp>,
}

/// A completed waiver: exactly one a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    pub person: PersonId,
    pub signed_at: Timestamp,
    /// The last day on which it is valid.
    pub expires: Date,
    /// As written on the form, never checked.
    pub category: Option<String>,
}
