//! The rows of the ledger, as the tables have them.

use std::collections::HashMap;
use std::fmt;

use jiff::Timestamp;
use rollbook_domain::Reason;

use crate::{Account, Actor, HoldId, LotId, Refusal, RequestDigest, TransactionId, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Post,
    Hold,
    Settle,
    Void,
    Expire,
    Reverse,
}

impl Kind {
    const ALL: [Self; 6] = [Self::Post, Self::Hold, Self::Settle, Self::Void, Self::Expire, Self::Reverse];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Hold => "hold",
            Self::Settle => "settle",
            Self::Void => "void",
            Self::Expire => "expire",
            Self::Reverse => "reverse",
        }
    }
}

/// A command that was decided, applied or not. Written once, never changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Transaction {
    pub id: TransactionId,
    pub kind: Kind,
    pub digest: RequestDigest,
    pub verdict: Verdict,
    /// What a settle, a void or an expiry of a hold named.
    pub hold: Option<HoldId>,
    /// What an expiry of a lot named.
    pub lot: Option<LotId>,
    /// What a reversal named.
    pub reverses: Option<TransactionId>,
    pub actor: Actor,
    /// A line for people.
    pub memo: Option<String>,
    /// The command's time, or the date of an expiry.
    pub at: Timestamp,
    /// What it was about: whose history tells it, even if it moved nothing. None where it was not found.
    pub account: Option<Account>,
    /// The balance it left there: part of the answer.
    pub left: Option<Sums>,
}

/// A memo may name people, so it never reaches a log.
impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, digest, verdict, hold, lot, reverses, actor, memo, at, account, left } = self;
        let mut row = f.debug_struct("Transaction");
        row.field("id", id).field("kind", kind).field("digest", digest).field("verdict", verdict);
        row.field("hold", hold).field("lot", lot).field("reverses", reverses).field("actor", actor);
        row.field("memo", &memo.as_ref().map(|_| "hidden")).field("at", at);
        row.field("account", account).field("left", left).finish()
    }
}

impl Transaction {
    pub fn is_applied(&self) -> bool {
        self.verdict == Verdict::Applied
    }

    /// Whether it is an applied post or settle, which a reversal can undo.
    pub fn is_reversible(&self) -> bool {
        self.is_applied() && matches!(self.kind, Kind::Post | Kind::Settle)
    }

    /// None: it was applied.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.verdict {
            Verdict::Applied => None,
            Verdict::Rejected(refusal) => Some(refusal),
        }
    }

    pub fn reason(&self) -> Option<&Reason> {
        self.refusal().map(|refusal| &refusal.reason)
    }
}

/// Moves `amount` from one account to another. Append-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    pub transaction: TransactionId,
    /// From 0 within its transaction.
    pub n: u32,
    pub from: Account,
    pub to: Account,
    /// Above zero.
    pub amount: i64,
    /// The account's version after this leg; none for the system's.
    pub from_version: Option<i64>,
    pub to_version: Option<i64>,
    /// What gave the units that this leg takes back. None for any other leg.
    pub takes_back: Option<TransactionId>,
}

/// Units that a transaction took back of what another gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TakenBack {
    pub of: TransactionId,
    pub by: TransactionId,
    pub amount: i64,
}

/// What an account has posted and held, in whole units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub posted: i64,
    pub held: i64,
}

impl Sums {
    pub fn available(self) -> i64 {
        self.posted - self.held
    }
}

/// The row of an owner's account: what its legs and open holds sum to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance {
    pub account: Account,
    pub sums: Sums,
    /// How many legs touched it.
    pub version: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    Open,
    Settled,
    Voided,
    Expired,
}

impl HoldState {
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Settled, Self::Voided, Self::Expired].into_iter().find(|state| state.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Settled => "settled",
            Self::Voided => "voided",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for HoldState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: HoldId,
    pub account: Account,
    pub amount: i64,
    pub state: HoldState,
    /// How much of it was spent; the rest returned.
    pub settled: i64,
    pub expires_at: Option<Timestamp>,
}

/// Points of a lot that wait for a hold. Append-only; it counts while the hold is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    pub hold: HoldId,
    pub lot: LotId,
    pub amount: i64,
}

/// Points of one origin that expire at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    pub id: LotId,
    pub account: Account,
    /// The leg that made it.
    pub transaction: TransactionId,
    pub leg: u32,
    /// The lot it was transferred out of.
    pub source: Option<LotId>,
    pub expires_at: Timestamp,
    pub amount: i64,
    /// Still in the account, pinned ones included.
    pub remaining: i64,
    /// Pinned by open holds.
    pub held: i64,
    /// How much of it expired.
    pub expired: i64,
    /// Whether its expiry has been booked. What returns to it afterwards leaves at once.
    pub lapsed: bool,
}

impl Lot {
    /// What may be taken.
    pub fn free(&self) -> i64 {
        self.remaining - self.held
    }
}

/// What a leg did to a lot: into it above zero, out of it below. Append-only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotMovement {
    pub transaction: TransactionId,
    pub leg: u32,
    pub lot: LotId,
    pub amount: i64,
}

/// What a member of a group may do with its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Owner,
    Spender,
    Viewer,
}

impl Role {
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Spender, Self::Viewer].into_iter().find(|role| role.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Spender => "spender",
            Self::Viewer => "viewer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a batch writes. Transactions, legs, pins and lot movements are new rows, in the order in
/// which they happened; lots are written over what stood there. [`crate::schema`] has the order of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub transactions: Vec<Transaction>,
    pub legs: Vec<Leg>,
    pub movements: Vec<LotMovement>,
    pub pins: Vec<Pin>,
    /// As the accounts stand afterwards.
    pub balances: Vec<Balance>,
    /// New holds. One that was resolved in the same batch has its final state.
    pub placed: Vec<Hold>,
    /// Holds of before this batch that it resolved.
    pub resolved: Vec<Hold>,
    pub lots: Vec<Lot>,
}

impl Changes {
    /// How many legs each transaction has. Those without any are not told.
    pub fn leg_counts(&self) -> HashMap<TransactionId, i64> {
        let mut counts = HashMap::new();
        for leg in &self.legs {
            *counts.entry(leg.transaction).or_default() += 1;
        }
        counts
    }
}
