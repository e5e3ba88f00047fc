//! Events: one fact inside an envelope, in our words.
//!
//! A translator states what the provider said and judges nothing: a field that is missing or
//! cannot be read is carried as such, because only a processor knows whether it needs it (a rental
//! without an e-mail address is nobody's fault).

use std::fmt;

use jiff::Timestamp;

use crate::{Account, Currency, EventKey, Money, MoneyFault, PersonId, SourceName};

/// One fact, with the key that makes its effect happen once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub key: EventKey,
    pub account: Account,
    pub source: SourceName,
    /// When it happened by the provider's own clock. No rule reads another.
    pub occurred_at: Timestamp,
    pub fact: Fact,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    PaymentCaptured(Capture),
    /// Declined, cancelled or failed: no money moved.
    PaymentDeclined,
    /// In review: the provider will say later.
    PaymentPending,
    PaymentRefunded(Refund),
    PaymentDisputed(Dispute),
    /// The whole document is complete: every signer has signed.
    DocumentCompleted(Completion),
    DocumentVoided {
        document: String,
    },
    DocumentDeclined {
        document: String,
    },
    /// One signer is done; the document may not be.
    RecipientCompleted {
        document: String,
        recipient: String,
    },
    MemberRegistered {
        person: PersonId,
    },
    /// Verified and readable, but of a type that we have no word for. `name` is the provider's.
    Other {
        name: String,
    },
}

/// The kinds of fact: what processors subscribe to and providers can yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    PaymentCaptured,
    PaymentDeclined,
    PaymentPending,
    PaymentRefunded,
    PaymentDisputed,
    DocumentCompleted,
    DocumentVoided,
    DocumentDeclined,
    RecipientCompleted,
    MemberRegistered,
    Other,
}

impl FactKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PaymentCaptured => "payment_captured",
            Self::PaymentDeclined => "payment_declined",
            Self::PaymentPending => "payment_pending",
            Self::PaymentRefunded => "payment_refunded",
            Self::PaymentDisputed => "payment_disputed",
            Self::DocumentCompleted => "document_completed",
            Self::DocumentVoided => "document_voided",
            Self::DocumentDeclined => "document_declined",
            Self::RecipientCompleted => "recipient_completed",
            Self::MemberRegistered => "member_registered",
            Self::Other => "other",
        }
    }
}

impl Fact {
    pub fn kind(&self) -> FactKind {
        match self {
            Self::PaymentCaptured(_) => FactKind::PaymentCaptured,
            Self::PaymentDeclined => FactKind::PaymentDeclined,
            Self::PaymentPending => FactKind::PaymentPending,
            Self::PaymentRefunded(_) => FactKind::PaymentRefunded,
            Self::PaymentDisputed(_) => FactKind::PaymentDisputed,
            Self::DocumentCompleted(_) => FactKind::DocumentCompleted,
            Self::DocumentVoided { .. } => FactKind::DocumentVoided,
            Self::DocumentDeclined { .. } => FactKind::DocumentDeclined,
            Self::RecipientCompleted { .. } => FactKind::RecipientCompleted,
            Self::MemberRegistered { .. } => FactKind::MemberRegistered,
            Self::Other { .. } => FactKind::Other,
        }
    }
}

/// A captured payment. `transaction` is CyberSource's `transaction_id`, Stripe's payment intent.
#[derive(Clone, PartialEq, Eq)]
pub struct Capture {
    pub transaction: String,
    pub amount: Amount,
    /// A second signed amount, where the provider sends one (CyberSource's `auth_amount`).
    pub authorised: Option<Amount>,
    pub purpose: Option<String>,
    pub category: Option<String>,
    /// The member's address as written; not the billing one.
    pub email: Option<String>,
    pub name: Option<String>,
    /// The id of the group that its points are for, as written; none: whoever paid earns them.
    pub points_group: Option<String>,
}

impl Capture {
    /// What names the group that its points are for; blank names none.
    pub fn points_group(&self) -> Option<&str> {
        self.points_group.as_deref().map(str::trim).filter(|group| !group.is_empty())
    }

    /// Whether the second signed amount, where there is one, is `money` as well. One without a
    /// currency is in that of the first.
    pub fn authorised_agrees(&self, money: Money) -> bool {
        let Some(authorised) = &self.authorised else { return true };
        match authorised.money {
            Ok(second) => second == money,
            Err(AmountFault::MissingAmount) => true,
            Err(AmountFault::MissingCurrency) => Money::parse(&authorised.text, money.currency) == Ok(money),
            Err(AmountFault::Unreadable(_)) => false,
        }
    }
}

/// Names and addresses never reach a log, so `Debug` hides them.
impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Capture")
            .field("transaction", &self.transaction)
            .field("amount", &self.amount)
            .field("authorised", &self.authorised)
            .finish_non_exhaustive()
    }
}

/// An amount as the provider wrote it, and what it comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// As written, for people.
    pub text: String,
    pub currency: Option<String>,
    pub money: Result<Money, AmountFault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountFault {
    /// The provider sent no amount.
    MissingAmount,
    /// The provider sent no currency.
    MissingCurrency,
    Unreadable(MoneyFault),
}

impl Amount {
    /// Reads a decimal string. A missing part is a fault that waits until someone needs the amount.
    pub fn decimal(text: Option<&str>, currency: Option<&str>) -> Self {
        let money = match (text, currency) {
            (None, _) => Err(AmountFault::MissingAmount),
            (_, None) => Err(AmountFault::MissingCurrency),
            (Some(text), Some(code)) => Currency::parse(code)
                .ok_or(MoneyFault::Currency)
                .and_then(|currency| Money::parse(text, currency))
                .map_err(AmountFault::Unreadable),
        };
        Self { text: text.unwrap_or_default().to_owned(), currency: currency.map(str::to_owned), money }
    }

    pub fn exact(money: Money) -> Self {
        Self { text: money.decimal(), currency: Some(money.currency.to_string()), money: Ok(money) }
    }
}

/// Refunds of one payment so far. The greatest cumulative amount seen is the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub transaction: String,
    /// The sum of all refunds of this payment.
    pub cumulative: Money,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    pub transaction: String,
    pub dispute: String,
    pub phase: DisputePhase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DisputePhase {
    Opened,
    Won,
    Lost,
}

/// A document that everybody has signed. Its event's `occurred_at` is the signing time in UTC.
#[derive(Clone, PartialEq, Eq)]
pub struct Completion {
    pub document: String,
    pub email: Option<String>,
    pub name: Option<String>,
    pub category: Option<String>,
}

/// Names and addresses never reach a log, so `Debug` hides them.
impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completion").field("document", &self.document).finish_non_exhaustive()
    }
}
