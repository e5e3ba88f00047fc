//! Earnings: what each fact brought an owner in points, and by which rule.
//!
//! Append-only. Beside the amounts they keep what was in force when they were made (the rate, the
//! cap, the dates), so that a changed configuration moves nothing old, and so that whoever reads
//! them can recompute them without the rules.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::{FactRef, Money, Owner, PaymentRef};

/// What one fact did for one owner by one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earning {
    pub fact: FactRef,
    /// The rule's identity: its name, or what it was derived from.
    pub rule: String,
    /// Whose points were moved: `fact` itself where they were given, and the fact that gave them
    /// where they were taken back. A fact that takes back what several gave has a row for each.
    pub of: FactRef,
    pub owner: Owner,
    /// Where it was earned by a payment.
    pub paid: Option<Paid>,
    pub rate: Rate,
    /// Where the rule has a most.
    pub capped: Option<Capped>,
    /// What the fact earned: below zero where an earlier one earned less in the end. Under a cap
    /// this is more than what was moved.
    pub earned: i64,
    /// What was given (above zero) or taken back (below).
    pub moved: i64,
    /// When the fact happened.
    pub at: Timestamp,
    /// When what was given expires.
    pub expires_at: Option<Timestamp>,
}

/// The payment that earned, and how much of it was given back by this fact or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    pub payment: PaymentRef,
    pub amount: Money,
    /// The greatest cumulative refund, at most the amount; all of it once a dispute is lost.
    pub returned_minor: i64,
}

/// How much a fact earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// Points for 10,000 currency units, so that a fraction of a point a unit is a whole number.
    PerUnit { per_10000: i64 },
    /// So many points, whatever was paid.
    Award { points: i64 },
}

impl Rate {
    pub fn per_10000(self) -> Option<i64> {
        match self {
            Self::PerUnit { per_10000 } => Some(per_10000),
            Self::Award { .. } => None,
        }
    }

    pub fn award(self) -> Option<i64> {
        match self {
            Self::PerUnit { .. } => None,
            Self::Award { points } => Some(points),
        }
    }
}

/// The most that an owner may be given by one rule in one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capped {
    pub period: Period,
    /// The cap in force; of those of one period the greatest holds.
    pub points: i64,
}

/// Calendar dates in the organisation's zone, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    pub first: Date,
    pub last: Date,
}

/// What a cap is counted over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    pub owner: Owner,
    pub rule: String,
    pub period: Period,
}

/// What tells one earning from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EarningKey {
    pub fact: FactRef,
    pub rule: String,
    pub of: FactRef,
}

impl Earning {
    pub fn key(&self) -> EarningKey {
        EarningKey { fact: self.fact.clone(), rule: self.rule.clone(), of: self.of.clone() }
    }

    /// None where the rule has no most.
    pub fn scope(&self) -> Option<Scope> {
        let period = self.capped?.period;
        Some(Scope { owner: self.owner, rule: self.rule.clone(), period })
    }

    /// Whether this is what the fact itself gave.
    pub fn is_award(&self) -> bool {
        self.fact == self.of
    }
}

impl Paid {
    /// What is left of the payment, in minor units.
    pub fn kept_minor(&self) -> i64 {
        self.amount.minor - self.returned_minor
    }
}
