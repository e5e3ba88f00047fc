//! What an applied fact leaves in the records, as its sender knows it.

use jiff::Timestamp;
use rollbook_domain::{DisputePhase, Email, EventKey};

/// A membership payment that must stand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Paid {
    pub transaction: String,
    pub email: Email,
    /// Minor units of `currency`.
    pub minor: i64,
    pub currency: String,
    pub category: String,
    pub paid_at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    Payment(Paid),
    Refund {
        transaction: String,
        /// All refunds of the payment so far, in minor units.
        cumulative_minor: i64,
    },
    Dispute {
        transaction: String,
        dispute: String,
        phase: DisputePhase,
    },
    Waiver {
        document: String,
        email: Email,
        signed_at: Timestamp,
    },
    Void {
        document: String,
    },
}

impl Effect {
    /// Whether two messages of one fact cannot both be right. Their times may differ: the browser's
    /// post and the server's post of one payment do.
    pub fn contradicts(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Payment(a), Self::Payment(b)) => {
                (a.minor, &a.currency, &a.category, &a.email) != (b.minor, &b.currency, &b.category, &b.email)
            }
            (Self::Waiver { email: a, .. }, Self::Waiver { email: b, .. }) => a != b,
            _ => false,
        }
    }

    /// The fact without which this one cannot be applied.
    pub fn needs(&self) -> Option<EventKey> {
        match self {
            Self::Refund { transaction, .. } | Self::Dispute { transaction, .. } => {
                Some(EventKey::captured(transaction))
            }
            _ => None,
        }
    }

    /// The person who stands because of it.
    pub fn email(&self) -> Option<&Email> {
        match self {
            Self::Payment(paid) => Some(&paid.email),
            Self::Waiver { email, .. } => Some(email),
            _ => None,
        }
    }
}
