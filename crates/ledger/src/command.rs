//! Commands: the six orders, well-formed by construction.

use std::fmt;

use jiff::Timestamp;
use rollbook_domain::PersonId;
use thiserror::Error;

use crate::{Account, Asset, HoldId, LotId, Owner, TransactionId};

/// The greatest amount of a command and the greatest balance: what JSON readers keep exact (2^53 - 1).
pub const LARGEST: i64 = (1 << 53) - 1;

/// The longest memo, in characters.
const LONGEST_MEMO: usize = 500;

/// Who asks. A person who spends from a group must be allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A rule, a sweep or an operator.
    System,
    Person(PersonId),
}

impl Actor {
    /// None: the system.
    pub fn person(self) -> Option<PersonId> {
        match self {
            Self::System => None,
            Self::Person(person) => Some(person),
        }
    }
}

impl From<Option<PersonId>> for Actor {
    fn from(person: Option<PersonId>) -> Self {
        person.map_or(Self::System, Self::Person)
    }
}

/// One order with the id that makes it happen once. To be built with [`Command::new`] or
/// [`Command::expiring`].
#[derive(Clone, PartialEq, Eq)]
pub struct Command {
    pub(crate) id: TransactionId,
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) order: Order,
    pub(crate) memo: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Moves units: all of it or nothing.
    Post { asset: Asset, moves: Vec<Move> },
    /// Reserves units until they are settled or voided, or until `expires_at`.
    Hold { from: Account, amount: i64, expires_at: Option<Timestamp> },
    /// Spends up to what is held; the rest returns.
    Settle { hold: HoldId, shares: Vec<Share> },
    /// Returns what is held.
    Void { hold: HoldId },
    /// What is due and lies: a sweep's order.
    Expire(Due),
    /// Undoes a post or a settle, once. Refused where a take-back named it and stands.
    Reverse { transaction: TransactionId },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// Gives units to an owner; their debt is paid from it first.
    Award { to: Owner, amount: i64, expires_at: Option<Timestamp> },
    /// Takes units from an owner, those that expire soonest first.
    Spend { from: Owner, to: Destination, amount: i64 },
    /// Takes units back to where awards come from: those first that transaction `of` gave to this owner
    /// (what of them expired unspent is taken from there), then others, soonest first. With `expiring`,
    /// only those that `of` gave until then come first: it may have given others for another reason. What
    /// is missing becomes a debt, so it is never refused for want of a balance. Nothing is taken where
    /// `of` was reversed; one that gave this owner nothing, or that nobody knows, sets no order. One that
    /// gave them something cannot be reversed before this is.
    TakeBack { from: Owner, amount: i64, of: Option<TransactionId>, expiring: Option<Timestamp> },
}

/// Where spent units go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    Redeemed,
    /// A transfer: they keep their expiry.
    Owner(Owner),
}

/// A part of what a settle spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    pub to: Destination,
    pub amount: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    Hold(HoldId),
    Lot(LotId),
}

/// Nobody can have meant this. It is refused before it has an id, so nothing is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    #[error("an amount must be between 1 and {LARGEST}; give a whole number of units")]
    Amount,
    #[error("nothing is to be moved; give at least one amount")]
    Nothing,
    #[error("more than 1000 movements in one command; split it")]
    TooMany,
    #[error("the units would move to where they are; name another owner")]
    ToItself,
    #[error("only what an owner can spend can be held; name a person or a group")]
    NotHoldable,
    #[error("the expiry is not after the time of the command; give a later one or none")]
    ExpiresBefore,
    #[error("an expiry has an id of its own; let the sweep issue it")]
    Expiry,
    #[error("ids of UUID version 8 are the ledger's own; take one of another version")]
    ReservedId,
    #[error("a memo is one line of at most {LONGEST_MEMO} characters; shorten it")]
    Memo,
}

impl Command {
    pub fn new(id: TransactionId, at: Timestamp, actor: Actor, order: Order) -> Result<Self, Malformed> {
        if id.is_reserved() {
            return Err(Malformed::ReservedId);
        }
        match &order {
            Order::Post { moves, .. } => check_moves(moves, at)?,
            Order::Hold { from, amount, expires_at } => check_hold(*from, *amount, *expires_at, at)?,
            Order::Settle { shares, .. } => check_all(shares.len(), shares.iter().map(|share| share.amount))?,
            Order::Expire(_) => return Err(Malformed::Expiry),
            Order::Void { .. } | Order::Reverse { .. } => {}
        }
        Ok(Self { id, at, actor, order, memo: None })
    }

    /// With a [`memo`]. It is no part of what is asked: the same command with another memo is a replay,
    /// and the first memo stays.
    pub fn with_memo(self, text: &str) -> Result<Self, Malformed> {
        Ok(Self { memo: memo(text)?, ..self })
    }

    /// The sweep's command for something that is due by `at`.
    pub fn expiring(due: Due, at: Timestamp) -> Self {
        let id = match due {
            Due::Hold(hold) => TransactionId::expiring_hold(hold),
            Due::Lot(lot) => TransactionId::expiring_lot(lot),
        };
        Self { id, at, actor: Actor::System, order: Order::Expire(due), memo: None }
    }

    pub fn id(&self) -> TransactionId {
        self.id
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }

    pub fn actor(&self) -> Actor {
        self.actor
    }

    pub fn order(&self) -> &Order {
        &self.order
    }

    pub fn memo(&self) -> Option<&str> {
        self.memo.as_deref()
    }
}

/// A line for people: at most 500 characters after trimming, none of them a control character. An
/// empty one is none.
pub fn memo(text: &str) -> Result<Option<String>, Malformed> {
    let text = text.trim();
    if text.chars().count() > LONGEST_MEMO || text.chars().any(char::is_control) {
        return Err(Malformed::Memo);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A memo may name people, so it never reaches a log.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, at, actor, order, memo } = self;
        let mut command = f.debug_struct("Command");
        command.field("id", id).field("at", at).field("actor", actor).field("order", order);
        command.field("memo", &memo.as_ref().map(|_| "hidden")).finish()
    }
}

impl Move {
    pub fn amount(self) -> i64 {
        match self {
            Self::Award { amount, .. } | Self::Spend { amount, .. } | Self::TakeBack { amount, .. } => amount,
        }
    }

    /// The owner whose balance the answer tells if this is the first move.
    pub fn subject(self) -> Owner {
        match self {
            Self::Award { to, .. } => to,
            Self::Spend { from, .. } | Self::TakeBack { from, .. } => from,
        }
    }
}

fn check_moves(moves: &[Move], at: Timestamp) -> Result<(), Malformed> {
    for step in moves {
        match step {
            Move::Award { expires_at: Some(expires_at), .. } if *expires_at <= at => {
                return Err(Malformed::ExpiresBefore);
            }
            Move::Spend { from, to: Destination::Owner(to), .. } if from == to => return Err(Malformed::ToItself),
            Move::Award { .. } | Move::Spend { .. } | Move::TakeBack { .. } => {}
        }
    }
    check_all(moves.len(), moves.iter().map(|step| step.amount()))
}

fn check_hold(from: Account, amount: i64, expires_at: Option<Timestamp>, at: Timestamp) -> Result<(), Malformed> {
    if from.floor().is_none() {
        return Err(Malformed::NotHoldable);
    }
    if expires_at.is_some_and(|expires_at| expires_at <= at) {
        return Err(Malformed::ExpiresBefore);
    }
    check_all(1, [amount].into_iter())
}

fn check_all(count: usize, amounts: impl Iterator<Item = i64>) -> Result<(), Malformed> {
    if count == 0 {
        return Err(Malformed::Nothing);
    }
    if count > 1000 {
        return Err(Malformed::TooMany);
    }
    let mut sum = 0_i64;
    for amount in amounts {
        sum = sum.saturating_add(amount);
        if amount < 1 || sum > LARGEST {
            return Err(Malformed::Amount);
        }
    }
    Ok(())
}
