//! Post: awards, redemptions, transfers and take-backs, all of a command or nothing.
//!
//! Checked on numbers first, so that nothing has to be undone: whatever passes can be done, because
//! the free lots of an account are never more than what is available in it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::books::Books;
use crate::clawback::{Origin, take_back};
use crate::decide::may_spend;
use crate::lots::{Draft, soonest};
use crate::refusals::{debt_too_large, insufficient, too_large};
use crate::{Account, Asset, Command, Destination, LARGEST, LotId, Move, Owner, Place, Refusal, Sums};

pub(crate) fn post(books: &mut Books, command: &Command, asset: Asset, moves: &[Move]) -> Result<(), Refusal> {
    for step in moves {
        if let Move::Spend { from, .. } = step {
            may_spend(books, command.actor, Account::available(asset, *from))?;
        }
    }
    Trial { books, sums: BTreeMap::new(), found: BTreeMap::new(), asset }.run(moves)?;
    let mut draft = Draft::new(books, command.id, command.at);
    for step in moves {
        apply(&mut draft, asset, *step);
    }
    draft.expire_returned();
    Ok(())
}

/// The balances as they would become.
struct Trial<'a> {
    books: &'a Books,
    sums: BTreeMap<Account, Sums>,
    /// How much of each lot's expired units was found so far.
    found: BTreeMap<LotId, i64>,
    asset: Asset,
}

impl Trial<'_> {
    fn run(mut self, moves: &[Move]) -> Result<(), Refusal> {
        for step in moves {
            match *step {
                Move::Award { to, amount, .. } => self.award(to, amount)?,
                Move::Spend { from, to, amount } => self.spend(from, to, amount)?,
                Move::TakeBack { from, amount, of, expiring } => {
                    self.take_back(from, amount, Origin { of, expiring })?;
                }
            }
        }
        Ok(())
    }

    fn sums(&mut self, account: Account) -> &mut Sums {
        self.sums.entry(account).or_insert_with(|| self.books.sums(account))
    }

    fn award(&mut self, to: Owner, amount: i64) -> Result<(), Refusal> {
        let owed = self.sums(Account::owed(self.asset, to));
        let paid = amount.min(-owed.posted);
        owed.posted += paid;
        self.credit(to, amount - paid)
    }

    fn spend(&mut self, from: Owner, to: Destination, amount: i64) -> Result<(), Refusal> {
        let asset = self.asset;
        let sums = self.sums(Account::available(asset, from));
        if sums.available() < amount {
            return Err(insufficient(asset, amount, *sums));
        }
        sums.posted -= amount;
        match to {
            Destination::Redeemed => Ok(()),
            Destination::Owner(owner) => self.credit(owner, amount),
        }
    }

    fn take_back(&mut self, from: Owner, amount: i64, origin: Origin) -> Result<(), Refusal> {
        let (available, owed) = (Account::available(self.asset, from), Account::owed(self.asset, from));
        let Some(gift) = origin.gift(self.books, available) else { return Ok(()) };
        let mut wanted = amount;
        for lot in &gift.lots {
            let found = self.found.entry(lot.id).or_default();
            let more = wanted.min(lot.expired - *found);
            *found += more;
            wanted -= more;
        }
        let sums = self.sums(available);
        let taken = wanted.min(sums.available());
        sums.posted -= taken;
        self.indebt(owed, wanted - taken)
    }

    fn indebt(&mut self, owed: Account, amount: i64) -> Result<(), Refusal> {
        let asset = self.asset;
        let sums = self.sums(owed);
        if amount > LARGEST + sums.posted {
            return Err(debt_too_large(asset, amount, -sums.posted));
        }
        sums.posted -= amount;
        Ok(())
    }

    fn credit(&mut self, to: Owner, amount: i64) -> Result<(), Refusal> {
        let asset = self.asset;
        let sums = self.sums(Account::available(asset, to));
        if amount > LARGEST - sums.posted {
            return Err(too_large(asset, amount, *sums));
        }
        sums.posted += amount;
        Ok(())
    }
}

fn apply(draft: &mut Draft<'_>, asset: Asset, step: Move) {
    match step {
        Move::Award { to, amount, expires_at } => award(draft, asset, to, amount, expires_at),
        Move::Spend { from, to, amount } => {
            let from = Account::available(asset, from);
            let portions = soonest(draft.books, from, amount);
            draft.hand_over(from, destination(asset, to), amount, &portions);
        }
        Move::TakeBack { from, amount, of, expiring } => take_back(draft, asset, from, amount, Origin { of, expiring }),
    }
}

/// The debt first.
fn award(draft: &mut Draft<'_>, asset: Asset, to: Owner, amount: i64, expires_at: Option<Timestamp>) {
    let (issued, owed) = (Account::system(asset, Place::Issued), Account::owed(asset, to));
    let paid = amount.min(-draft.books.sums(owed).posted);
    if paid > 0 {
        draft.leg(issued, owed, paid);
    }
    let (rest, available) = (amount - paid, Account::available(asset, to));
    if rest > 0 {
        let n = draft.leg(issued, available, rest);
        if let Some(expires_at) = expires_at {
            draft.make_lot(n, available, rest, expires_at, None);
        }
    }
}

pub(crate) fn destination(asset: Asset, to: Destination) -> Account {
    match to {
        Destination::Redeemed => Account::system(asset, Place::Redeemed),
        Destination::Owner(owner) => Account::available(asset, owner),
    }
}
