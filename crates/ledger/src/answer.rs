//! Answers: what a caller is told, the first time and every time after.

use rollbook_domain::Reason;

use crate::{Sums, Transaction, TransactionId};

/// What is told of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub id: TransactionId,
    pub verdict: Verdict,
    /// The balance after it, of the account it was about. None where no account was found, and for
    /// who may not spend from it.
    pub left: Option<Sums>,
    /// Whether this repeats what was decided before.
    pub repeated: bool,
}

impl Answer {
    pub fn of(transaction: &Transaction, repeated: bool) -> Self {
        Self { id: transaction.id, verdict: transaction.verdict.clone(), left: transaction.left, repeated }
    }

    /// A no that leaves no row, so that the id stays free or stays what it was.
    pub(crate) fn unrecorded(id: TransactionId, refusal: Refusal) -> Self {
        Self { id, verdict: Verdict::Rejected(refusal), left: None, repeated: false }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Applied,
    Rejected(Refusal),
}

impl Verdict {
    /// Whoever may not spend a balance may not be told it.
    pub(crate) fn keeps_balance_secret(&self) -> bool {
        matches!(self, Self::Rejected(refusal) if refusal.reason == reasons::NOT_A_SPENDER)
    }
}

/// A lawful no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub reason: Reason,
    /// One sentence for a person, with the balance and what is held.
    pub detail: String,
}

/// Why a command is refused. Scripts rely on these words.
pub mod reasons {
    use rollbook_domain::Reason;

    pub use rollbook_domain::reasons::CONFLICTING_DUPLICATE;

    pub const INSUFFICIENT_POINTS: Reason = Reason::new("insufficient_points");
    pub const INSUFFICIENT_MINUTES: Reason = Reason::new("insufficient_minutes");
    /// The balance would exceed [`crate::LARGEST`].
    pub const BALANCE_TOO_LARGE: Reason = Reason::new("balance_too_large");
    /// The person may not spend from this group.
    pub const NOT_A_SPENDER: Reason = Reason::new("not_a_spender");
    pub const UNKNOWN_HOLD: Reason = Reason::new("unknown_hold");
    pub const UNKNOWN_LOT: Reason = Reason::new("unknown_lot");
    pub const UNKNOWN_TRANSACTION: Reason = Reason::new("unknown_transaction");
    pub const HOLD_SETTLED: Reason = Reason::new("hold_settled");
    pub const HOLD_VOIDED: Reason = Reason::new("hold_voided");
    pub const HOLD_EXPIRED: Reason = Reason::new("hold_expired");
    /// More is to be settled than was held.
    pub const EXCEEDS_HOLD: Reason = Reason::new("exceeds_hold");
    /// A settle names the owner whose units are held.
    pub const TO_ITSELF: Reason = Reason::new("to_itself");
    /// Nothing of it has to expire by the command's time.
    pub const NOT_DUE: Reason = Reason::new("not_due");
    pub const ALREADY_REVERSED: Reason = Reason::new("already_reversed");
    /// A part of it, or all, was taken back, and that has not been reversed.
    pub const ALREADY_TAKEN_BACK: Reason = Reason::new("already_taken_back");
    /// Only an applied post or settle can be reversed.
    pub const NOT_REVERSIBLE: Reason = Reason::new("not_reversible");
}
