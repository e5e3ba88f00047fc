//! Answers: what a caller is told, the first time and every time after.

use rollbook_domain::Reason;

use crate::{Asset, HoldState, Sums, Transaction, TransactionId};

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
    /// Only an applied post or settle can be reversed.
    pub const NOT_REVERSIBLE: Reason = Reason::new("not_reversible");
}

/// The end of most sentences.
fn standing(asset: Asset, sums: Sums) -> String {
    let Sums { posted, held } = sums;
    format!("the balance is {posted} {}, of which {held} are held", asset.as_str())
}

fn refusal(reason: Reason, detail: String) -> Refusal {
    Refusal { reason, detail }
}

/// `sums` are those the account has by then, after the earlier moves of the same command.
pub(crate) fn insufficient(asset: Asset, needed: i64, sums: Sums) -> Refusal {
    let reason = match asset {
        Asset::Points => reasons::INSUFFICIENT_POINTS,
        Asset::Minutes => reasons::INSUFFICIENT_MINUTES,
    };
    let (unit, left, standing) = (asset.as_str(), sums.available(), standing(asset, sums));
    refusal(reason, format!("{needed} {unit} are needed and {left} are available: {standing}"))
}

pub(crate) fn too_large(asset: Asset, amount: i64, sums: Sums) -> Refusal {
    let standing = standing(asset, sums);
    refusal(
        reasons::BALANCE_TOO_LARGE,
        format!("{amount} more would exceed the largest balance, {}: {standing}", crate::LARGEST),
    )
}

/// `owed` is what is owed by then.
pub(crate) fn debt_too_large(asset: Asset, amount: i64, owed: i64) -> Refusal {
    refusal(
        reasons::BALANCE_TOO_LARGE,
        format!("{amount} more would exceed the largest debt, {}: {owed} {} are owed", crate::LARGEST, asset.as_str()),
    )
}

/// Says no balance: whoever may not spend it may not be told it.
pub(crate) fn not_a_spender() -> Refusal {
    refusal(
        reasons::NOT_A_SPENDER,
        "only an owner or a spender of the group may spend from it; ask one of its owners".to_owned(),
    )
}

pub(crate) fn resolved(state: HoldState, asset: Asset, sums: Sums) -> Refusal {
    let reason = match state {
        HoldState::Settled => reasons::HOLD_SETTLED,
        HoldState::Voided => reasons::HOLD_VOIDED,
        HoldState::Open | HoldState::Expired => reasons::HOLD_EXPIRED,
    };
    refusal(reason, format!("the hold is already {state}: {}", standing(asset, sums)))
}

pub(crate) fn exceeds_hold(asset: Asset, asked: i64, hold: i64, sums: Sums) -> Refusal {
    let standing = standing(asset, sums);
    refusal(
        reasons::EXCEEDS_HOLD,
        format!("{asked} {} are to be settled and the hold is of {hold}: {standing}", asset.as_str()),
    )
}

pub(crate) fn to_itself(asset: Asset, sums: Sums) -> Refusal {
    let standing = standing(asset, sums);
    refusal(reasons::TO_ITSELF, format!("the units would move to where they are held, name another owner: {standing}"))
}

pub(crate) fn not_due(asset: Asset, sums: Sums) -> Refusal {
    refusal(reasons::NOT_DUE, format!("nothing of it has to expire by then: {}", standing(asset, sums)))
}

pub(crate) fn already_reversed(about: Option<(Asset, Sums)>) -> Refusal {
    refusal(reasons::ALREADY_REVERSED, format!("the transaction was reversed before, and that stands{}", tail(about)))
}

pub(crate) fn not_reversible(transaction: &Transaction, about: Option<(Asset, Sums)>) -> Refusal {
    let (kind, outcome) = (transaction.kind.as_str(), if transaction.is_applied() { "applied" } else { "rejected" });
    let why = format!("this is a {kind} that was {outcome}, and only an applied post or settle can be reversed");
    refusal(reasons::NOT_REVERSIBLE, why + &tail(about))
}

/// A rejected command or a void moved nothing, and is about no account.
fn tail(about: Option<(Asset, Sums)>) -> String {
    about.map_or_else(String::new, |(asset, sums)| format!(": {}", standing(asset, sums)))
}

/// `what` is a hold, a lot or a transaction.
pub(crate) fn unknown(reason: Reason, what: &str) -> Refusal {
    refusal(reason, format!("there is no such {what}; look at the history of the owner for its id"))
}

pub(crate) fn conflicting(kind: &str) -> Refusal {
    refusal(
        reasons::CONFLICTING_DUPLICATE,
        format!("this id belongs to another command, a {kind}, and nothing was changed; take a new id"),
    )
}
