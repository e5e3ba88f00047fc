//! The books in memory: what was loaded, and what the batch has changed so far.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollbook_domain::PersonId;

use crate::reads::Directory;
use crate::{
    Account, Balance, Changes, GroupId, Hold, HoldId, HoldState, Kind, Known, Leg, Lot, LotId, LotMovement, Pin, Role,
    Sums, TakenBack, Transaction, TransactionId,
};

/// What a store read for a batch: [`Known`] before the locks, the rest ([`crate::Needs`]) under them.
/// In which order rows stand does not matter. Lots and holds may stand twice.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    pub known: Known,
    pub decided: Vec<Transaction>,
    /// The needed transactions that have an applied reversal.
    pub reversed: BTreeSet<TransactionId>,
    /// What was taken back of those that are to be reversed, by transactions that are not reversed.
    pub taken_back: Vec<TakenBack>,
    pub balances: Vec<Balance>,
    pub holds: Vec<Hold>,
    pub pins: Vec<Pin>,
    pub lots: Vec<Lot>,
    pub members: BTreeMap<(GroupId, PersonId), Role>,
}

/// Soonest first; of one moment in the order of ids, which no order of arrival can change.
type LotKey = (Account, Timestamp, LotId);

#[derive(Default)]
pub(crate) struct Books {
    pub decided: BTreeMap<TransactionId, Transaction>,
    pub reversed: BTreeSet<TransactionId>,
    pub members: BTreeMap<(GroupId, PersonId), Role>,
    known: Known,
    /// By what was taken back and by which transaction.
    taken_back: BTreeMap<TransactionId, BTreeMap<TransactionId, i64>>,
    balances: BTreeMap<Account, Balance>,
    holds: BTreeMap<HoldId, Hold>,
    /// Open holds that expire.
    dated: BTreeSet<(Account, Timestamp, HoldId)>,
    pins: BTreeMap<HoldId, Vec<Pin>>,
    lots: BTreeMap<LotKey, Lot>,
    lot_keys: BTreeMap<LotId, LotKey>,
    changes: Changes,
    touched: Touched,
}

#[derive(Default)]
struct Touched {
    accounts: BTreeSet<Account>,
    holds: BTreeSet<HoldId>,
    lots: BTreeSet<LotKey>,
}

impl From<Loaded> for Books {
    fn from(loaded: Loaded) -> Self {
        let mut books = Self { reversed: loaded.reversed, members: loaded.members, ..Self::default() };
        books.known = loaded.known;
        books.known.legs.values_mut().for_each(|legs| legs.sort_by_key(|leg| leg.n));
        books.decided = loaded.decided.into_iter().map(|transaction| (transaction.id, transaction)).collect();
        books.balances = loaded.balances.into_iter().map(|balance| (balance.account, balance)).collect();
        loaded.holds.into_iter().for_each(|hold| books.set_hold(hold));
        loaded.lots.into_iter().for_each(|lot| books.set_lot(lot));
        for pin in loaded.pins {
            books.pins.entry(pin.hold).or_default().push(pin);
        }
        loaded.taken_back.into_iter().for_each(|taken| books.note_taken_back(taken));
        books.touched = Touched::default();
        books
    }
}

impl Books {
    pub fn into_changes(mut self) -> Changes {
        let Touched { accounts, holds, lots } = self.touched;
        self.changes.balances = accounts.iter().map(|account| self.balances[account]).collect();
        let placed: BTreeSet<_> =
            self.changes.transactions.iter().filter(|one| one.kind == Kind::Hold).map(|one| one.id.0).collect();
        (self.changes.placed, self.changes.resolved) =
            holds.iter().map(|hold| self.holds[hold]).partition(|hold| placed.contains(&hold.id.0));
        self.changes.lots = lots.iter().map(|key| self.lots[key]).collect();
        self.changes
    }

    pub fn sums(&self, account: Account) -> Sums {
        self.balances.get(&account).map_or_else(Sums::default, |balance| balance.sums)
    }

    /// Changes a balance, which is touched even if the change is none.
    pub fn balance(&mut self, account: Account) -> &mut Balance {
        self.touched.accounts.insert(account);
        let none = Balance { account, sums: Sums::default(), version: 0 };
        self.balances.entry(account).or_insert(none)
    }

    pub fn hold(&self, hold: HoldId) -> Option<Hold> {
        self.holds.get(&hold).copied()
    }

    /// One that a command may name: known before the locks, or placed since.
    pub fn named_hold(&self, hold: HoldId) -> Option<Hold> {
        self.known.holds.get(&hold).and_then(|_| self.hold(hold))
    }

    pub fn place_hold(&mut self, hold: Hold) {
        self.known.holds.insert(hold.id, hold.account);
        self.set_hold(hold);
    }

    pub fn set_hold(&mut self, hold: Hold) {
        if let Some(expires_at) = hold.expires_at {
            let key = (hold.account, expires_at, hold.id);
            if hold.state == HoldState::Open {
                self.dated.insert(key);
            } else {
                self.dated.remove(&key);
            }
        }
        self.touched.holds.insert(hold.id);
        self.holds.insert(hold.id, hold);
    }

    /// The open hold of `account` that expires first.
    pub fn next_hold(&self, account: Account) -> Option<(Timestamp, HoldId)> {
        let all = (account, Timestamp::MIN, HoldId(uuid::Uuid::nil()))..;
        self.dated.range(all).next().filter(|key| key.0 == account).map(|key| (key.1, key.2))
    }

    /// Soonest first.
    pub fn pins(&self, hold: HoldId) -> Vec<Pin> {
        let mut pins = self.pins.get(&hold).cloned().unwrap_or_default();
        pins.sort_by_key(|pin| self.lot_keys.get(&pin.lot).copied());
        pins
    }

    pub fn add_pin(&mut self, pin: Pin) {
        self.pins.entry(pin.hold).or_default().push(pin);
        self.changes.pins.push(pin);
    }

    pub fn lot(&self, lot: LotId) -> Option<Lot> {
        self.lot_keys.get(&lot).map(|key| self.lots[key])
    }

    /// As [`Self::named_hold`].
    pub fn named_lot(&self, lot: LotId) -> Option<Lot> {
        self.known.lots.get(&lot).and_then(|_| self.lot(lot))
    }

    pub fn make_lot(&mut self, lot: Lot) {
        self.known.lots.insert(lot.id, lot.account);
        self.set_lot(lot);
    }

    pub fn set_lot(&mut self, lot: Lot) {
        let key = (lot.account, lot.expires_at, lot.id);
        self.touched.lots.insert(key);
        self.lot_keys.insert(lot.id, key);
        self.lots.insert(key, lot);
    }

    /// Lots of `account` with anything free, soonest first.
    pub fn free_lots(&self, account: Account) -> impl Iterator<Item = &Lot> {
        let all = (account, Timestamp::MIN, LotId(uuid::Uuid::nil()))..;
        let own = self.lots.range(all).take_while(move |(key, _)| key.0 == account);
        own.map(|(_, lot)| lot).filter(|lot| lot.free() > 0)
    }

    fn note_taken_back(&mut self, taken: TakenBack) {
        *self.taken_back.entry(taken.of).or_default().entry(taken.by).or_default() += taken.amount;
    }

    /// What stands of what was taken back of a transaction, in the order of ids.
    pub fn taken_back(&self, of: TransactionId) -> Vec<TakenBack> {
        let all = self.taken_back.get(&of).into_iter().flatten();
        let standing = all.filter(|(by, _)| !self.reversed.contains(by));
        standing.map(|(by, amount)| TakenBack { of, by: *by, amount: *amount }).collect()
    }

    pub fn add_leg(&mut self, leg: Leg) {
        if let Some(of) = leg.takes_back {
            self.note_taken_back(TakenBack { of, by: leg.transaction, amount: leg.amount });
        }
        self.known.legs.entry(leg.transaction).or_default().push(leg);
        self.changes.legs.push(leg);
    }

    pub fn add_movement(&mut self, movement: LotMovement) {
        self.known.movements.entry(movement.transaction).or_default().push(movement);
        self.changes.movements.push(movement);
    }

    /// What a leg did to lots, those that expire soonest first.
    pub fn movements(&self, leg: &Leg) -> Vec<LotMovement> {
        let all = self.known.movements.get(&leg.transaction).into_iter().flatten();
        let mut movements: Vec<_> = all.filter(|movement| movement.leg == leg.n).copied().collect();
        movements.sort_by_key(|movement| self.lot_keys.get(&movement.lot).copied());
        movements
    }

    /// A transaction that can be reversed or told about: of this batch, or known before it.
    pub fn transaction(&self, id: TransactionId) -> Option<&Transaction> {
        self.known.transactions.get(&id)
    }

    pub fn record(&mut self, transaction: Transaction) {
        if let Some(reversed) = transaction.reverses.filter(|_| transaction.is_applied()) {
            self.reversed.insert(reversed);
        }
        self.known.transactions.insert(transaction.id, transaction.clone());
        self.decided.insert(transaction.id, transaction.clone());
        self.changes.transactions.push(transaction);
    }
}

impl Directory for Books {
    fn hold(&self, hold: HoldId) -> Option<Account> {
        self.known.hold(hold)
    }

    fn lot(&self, lot: LotId) -> Option<Account> {
        self.known.lot(lot)
    }

    fn legs(&self, transaction: TransactionId) -> &[Leg] {
        self.known.legs(transaction)
    }
}
