//! One transaction in the making: legs, and the lots that move with them.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::books::Books;
use crate::{Account, Hold, Leg, Lot, LotId, LotMovement, Place, TransactionId};

/// Units of a lot that are to be moved. What an amount exceeds its portions by is undated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portion {
    pub lot: LotId,
    pub amount: i64,
}

pub(crate) struct Draft<'a> {
    pub books: &'a mut Books,
    id: TransactionId,
    at: Timestamp,
    legs: u32,
    made: u32,
    /// Lots that got something back or are new.
    returned: BTreeSet<LotId>,
}

impl<'a> Draft<'a> {
    pub fn new(books: &'a mut Books, id: TransactionId, at: Timestamp) -> Self {
        Self { books, id, at, legs: 0, made: 0, returned: BTreeSet::new() }
    }

    /// Writes a leg and moves the balances; lots are the caller's matter. Tells its number.
    pub fn leg(&mut self, from: Account, to: Account, amount: i64) -> u32 {
        self.leg_back(from, to, amount, None)
    }

    /// The same, of units that a transaction gave.
    pub fn leg_back(&mut self, from: Account, to: Account, amount: i64, takes_back: Option<TransactionId>) -> u32 {
        let (transaction, n) = (self.id, self.legs);
        self.legs += 1;
        let (from_version, to_version) = (self.add(from, -amount), self.add(to, amount));
        self.books.add_leg(Leg { transaction, n, from, to, amount, from_version, to_version, takes_back });
        n
    }

    fn add(&mut self, account: Account, amount: i64) -> Option<i64> {
        if !account.has_balance() {
            return None;
        }
        let balance = self.books.balance(account);
        balance.sums.posted += amount;
        balance.version += 1;
        Some(balance.version)
    }

    /// Moves `amount`, of which `portions` leave their lots. In another owner's account they make
    /// new lots with the same expiry.
    pub fn hand_over(&mut self, from: Account, to: Account, amount: i64, portions: &[Portion]) {
        let n = self.leg(from, to, amount);
        for portion in portions {
            let lot = self.change_lot(n, portion.lot, -portion.amount);
            if let Place::Available(_) = to.place {
                self.make_lot(n, to, portion.amount, lot.expires_at, Some(lot.id));
            }
        }
    }

    pub fn take_out(&mut self, leg: u32, portion: Portion) {
        self.change_lot(leg, portion.lot, -portion.amount);
    }

    pub fn put_back(&mut self, leg: u32, portion: Portion) {
        self.change_lot(leg, portion.lot, portion.amount);
        self.returned.insert(portion.lot);
    }

    /// Takes back the expiry of a part; the caller takes it out again.
    pub fn revive(&mut self, leg: u32, portion: Portion) {
        let mut lot = self.change_lot(leg, portion.lot, portion.amount);
        lot.expired -= portion.amount;
        self.books.set_lot(lot);
    }

    fn change_lot(&mut self, leg: u32, lot: LotId, amount: i64) -> Lot {
        let mut lot = self.books.lot(lot).expect("the lots of a command are loaded");
        lot.remaining += amount;
        self.books.set_lot(lot);
        self.books.add_movement(LotMovement { transaction: self.id, leg, lot: lot.id, amount });
        lot
    }

    pub fn make_lot(&mut self, leg: u32, account: Account, amount: i64, expires_at: Timestamp, source: Option<LotId>) {
        let id = LotId::of(self.id, self.made);
        self.made += 1;
        let (remaining, held, expired, lapsed) = (amount, 0, 0, false);
        let transaction = self.id;
        let lot = Lot { id, account, transaction, leg, source, expires_at, amount, remaining, held, expired, lapsed };
        self.books.make_lot(lot);
        self.books.add_movement(LotMovement { transaction, leg, lot: id, amount });
        self.returned.insert(id);
    }

    /// Frees what a hold holds, and tells the portions that were pinned.
    pub fn unpin(&mut self, hold: &Hold) -> Vec<Portion> {
        self.books.balance(hold.account).sums.held -= hold.amount;
        let pins = self.books.pins(hold.id);
        for pin in &pins {
            let mut lot = self.books.lot(pin.lot).expect("the lots of a hold are loaded");
            lot.held -= pin.amount;
            self.books.set_lot(lot);
            self.returned.insert(lot.id);
        }
        pins.into_iter().map(|pin| Portion { lot: pin.lot, amount: pin.amount }).collect()
    }

    /// Lets all that is free in a lot expire.
    pub fn expire(&mut self, mut lot: Lot) {
        let expired = Account::system(lot.account.asset, Place::Expired);
        let amount = lot.free();
        let n = self.leg(lot.account, expired, amount);
        lot.expired += amount;
        self.books.set_lot(lot);
        self.take_out(n, Portion { lot: lot.id, amount });
    }

    /// What came back after its date leaves at once. To be called last.
    pub fn expire_returned(&mut self) {
        for id in std::mem::take(&mut self.returned) {
            let lot = self.books.lot(id).filter(|lot| lot.lapsed || lot.expires_at <= self.at);
            if let Some(lot) = lot.filter(|lot| lot.free() > 0) {
                self.expire(lot);
            }
        }
    }
}

/// The portions of `amount` that the free lots of `account` give, soonest first.
pub(crate) fn soonest(books: &Books, account: Account, amount: i64) -> Vec<Portion> {
    let all = books.free_lots(account).map(|lot| Portion { lot: lot.id, amount: lot.free() });
    up_to(amount, all)
}

/// The first portions, cut off at `amount`.
pub(crate) fn up_to(amount: i64, portions: impl IntoIterator<Item = Portion>) -> Vec<Portion> {
    let mut left = amount;
    let mut taken = Vec::new();
    for portion in portions {
        if left == 0 {
            break;
        }
        let amount = portion.amount.min(left);
        left -= amount;
        taken.push(Portion { lot: portion.lot, amount });
    }
    taken
}
