//! The ledger's side of the port: what is asked of any database for points and whatever else is counted.
//!
//! A store executes what `rollbook_ledger` decides: it locks, loads, calls `decide`, writes, commits.
//! Everything else here only reads.

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_ledger::{
    Account, Answer, Asset, Command, Due, Hold, HoldId, Kind, Lot, LotId, Owner, Place, Sums, TransactionId,
};

use crate::StoreError;

/// What an owner has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    pub sums: Sums,
    /// What they must give back before they earn again: zero or above.
    pub owed: i64,
}

/// One leg of the history of an owner, or the row of a command that moved nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    pub transaction: TransactionId,
    pub kind: Kind,
    /// The command's time, or the date of an expiry.
    pub at: Timestamp,
    pub recorded_at: Timestamp,
    /// Added to what the owner can spend above zero, taken from it below; zero where nothing moved.
    pub amount: i64,
    /// Added to what the owner owes above zero, paid back below.
    pub owed: i64,
    /// What the owner had posted after it, in the order in which it was recorded.
    pub posted: Option<i64>,
    /// The hold of this owner that it placed or resolved, or that it was refused to resolve.
    pub hold: Option<HoldId>,
    /// Added to what is held above zero, returned from it below: the whole hold, on the first leg of
    /// what resolved it, whatever of it was spent.
    pub held: i64,
    /// What the owner could spend after it: posted less held.
    pub available: i64,
    /// Where it came from or went: `issued`, `redeemed`, `expired`, or the other owner.
    pub other: Option<Counterpart>,
    /// Who asked; none: the system.
    pub actor: Option<rollbook_domain::PersonId>,
    pub memo: Option<String>,
    /// Why it was refused; none: it was applied.
    pub reason: Option<rollbook_domain::Reason>,
    /// The same as a sentence, with the balance as it was then.
    pub detail: Option<String>,
}

/// The other end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counterpart {
    Issued,
    Redeemed,
    Expired,
    Owner(Owner),
}

impl From<Account> for Counterpart {
    fn from(account: Account) -> Self {
        match account.place {
            Place::Available(owner) | Place::Owed(owner) => Self::Owner(owner),
            Place::Issued => Self::Issued,
            Place::Redeemed => Self::Redeemed,
            Place::Expired => Self::Expired,
        }
    }
}

/// Which part of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryFilter {
    pub asset: Asset,
    pub owner: Owner,
    /// That happened at or after.
    pub since: Option<Timestamp>,
    /// That happened before.
    pub until: Option<Timestamp>,
    /// At most this many, the newest ones; told oldest first.
    pub limit: Option<u32>,
}

impl HistoryFilter {
    /// How many, where nothing else is asked than the newest ones.
    pub fn newest(&self) -> Option<u32> {
        self.limit.filter(|_| self.since.is_none() && self.until.is_none())
    }
}

#[async_trait]
pub trait Ledger: Send + Sync {
    /// Decides these commands in one transaction, in their order, each seeing those before it, and
    /// records them as recorded at `now`. `Conflict`: nothing happened; the same call may be made
    /// again at once. Any other error at the commit leaves open whether it happened: ask again with
    /// the same ids.
    async fn execute(&self, commands: &[Command], now: Timestamp) -> Result<Vec<Answer>, StoreError>;

    /// What an owner has. Zeros when nothing was ever posted.
    async fn standing(&self, asset: Asset, owner: Owner) -> Result<Standing, StoreError>;

    /// What was decided under this id.
    async fn decided(&self, id: TransactionId) -> Result<Option<Answer>, StoreError>;

    async fn hold(&self, id: HoldId) -> Result<Option<Hold>, StoreError>;

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, StoreError>;

    /// In the order in which they were placed.
    async fn open_holds(&self, asset: Asset, owner: Owner) -> Result<Vec<Hold>, StoreError>;

    /// Lots with anything left, in order of id, after this one; of one owner or of all.
    async fn open_lots(
        &self,
        asset: Asset,
        owner: Option<Owner>,
        after: Option<LotId>,
        limit: u32,
    ) -> Result<Vec<Lot>, StoreError>;

    /// What all owners have together.
    async fn outstanding(&self, asset: Asset) -> Result<Standing, StoreError>;

    /// Holds and lots that expire by then and have not, soonest first; at most `limit`.
    async fn due(&self, by: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError>;
}
