//! A store in memory. It loads what `Needs` names and not a row more, so that a need that is not
//! named shows, and refuses what a database would refuse.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Members;
use crate::{
    Account, Answer, Balance, Changes, Command, Due, Hold, HoldId, HoldState, Known, Loaded, Lot, LotId, Need, Needs,
    Rows, Sums, TakenBack, TransactionId, Wanted, accounts_of, decide, examine,
};

/// All rows, and the roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    pub rows: Rows,
    pub members: Members,
}

impl Tables {
    pub fn new(members: Members) -> Self {
        Self { members, ..Self::default() }
    }

    pub fn run(&mut self, commands: &[Command]) -> Vec<Answer> {
        let known = self.known(&Wanted::by(commands));
        self.run_knowing(known, commands)
    }

    /// As a store does that another process overtakes between its first reading and its locks.
    pub fn run_overtaken(&mut self, before: &Self, commands: &[Command]) -> Vec<Answer> {
        self.run_knowing(before.known(&Wanted::by(commands)), commands)
    }

    fn run_knowing(&mut self, known: Known, commands: &[Command]) -> Vec<Answer> {
        let loaded = in_any_order(self.load(known, commands));
        let (answers, changes) = decide(loaded, commands);
        self.write(changes);
        answers
    }

    pub fn run_one(&mut self, command: Command) -> Answer {
        self.run(&[command]).remove(0)
    }

    /// What a sweep at `now` would issue: everything that is due, in no particular order.
    pub fn due(&self, now: Timestamp) -> Vec<Command> {
        let holds = self.rows.holds.iter().filter(|hold| hold.state == HoldState::Open);
        let holds = holds.filter(|hold| hold.expires_at.is_some_and(|date| date <= now)).map(|hold| Due::Hold(hold.id));
        let lots = self.rows.lots.iter().filter(|lot| lot.expires_at <= now && lot.free() > 0);
        lots.map(|lot| Due::Lot(lot.id)).chain(holds).map(|due| Command::expiring(due, now)).collect()
    }

    pub fn assert_sound(&self) {
        for check in examine(&self.rows) {
            assert!(check.broken.is_empty(), "{}: {:?}", check.name, check.broken);
        }
    }

    fn load(&self, known: Known, commands: &[Command]) -> Loaded {
        let accounts = accounts_of(commands, &known);
        let needs = Needs::of(commands, &known);
        assert!(accounts.iter().eq(needs.accounts.keys()), "what is read is locked");
        let holds = self.holds(&needs);
        let pins: Vec<_> = self.rows.pins.iter().filter(|pin| holds.contains_key(&pin.hold)).copied().collect();
        let mut lots = self.lots(&needs);
        for lot in self.rows.lots.iter().filter(|lot| pins.iter().any(|pin| pin.lot == lot.id)) {
            lots.insert(lot.id, *lot);
        }
        let decided = self.rows.transactions.iter().filter(|one| needs.decided.contains(&one.id)).cloned().collect();
        let reversals = self.rows.transactions.iter().filter(|one| one.is_applied()).filter_map(|one| one.reverses);
        Loaded {
            decided,
            reversed: reversals.filter(|id| needs.reversals.contains(id)).collect(),
            taken_back: self.taken_back(&needs.taken_back),
            balances: self.rows.balances.iter().filter(|row| accounts.contains(&row.account)).copied().collect(),
            holds: holds.into_values().collect(),
            pins,
            lots: lots.into_values().collect(),
            members: self
                .members
                .iter()
                .filter(|(key, _)| needs.members.contains(key))
                .map(|(k, v)| (*k, *v))
                .collect(),
            known,
        }
    }

    fn taken_back(&self, wanted: &BTreeSet<TransactionId>) -> Vec<TakenBack> {
        let reversed = |by| self.rows.transactions.iter().any(|one| one.is_applied() && one.reverses == Some(by));
        let legs = self.rows.legs.iter().filter(|leg| !reversed(leg.transaction));
        let taken =
            legs.filter_map(|leg| Some(TakenBack { of: leg.takes_back?, by: leg.transaction, amount: leg.amount }));
        taken.filter(|taken| wanted.contains(&taken.of)).collect()
    }

    fn known(&self, wanted: &Wanted) -> Known {
        let holds = self.rows.holds.iter().filter(|hold| wanted.holds.contains(&hold.id));
        let lots = self.rows.lots.iter().filter(|lot| wanted.lots.contains(&lot.id));
        let mut known = Known {
            holds: holds.map(|hold| (hold.id, hold.account)).collect(),
            lots: lots.map(|lot| (lot.id, lot.account)).collect(),
            ..Known::default()
        };
        for one in self.rows.transactions.iter().filter(|one| wanted.transactions.contains(&one.id)) {
            known.transactions.insert(one.id, one.clone());
        }
        for leg in self.rows.legs.iter().filter(|leg| wanted.transactions.contains(&leg.transaction)) {
            known.legs.entry(leg.transaction).or_default().push(*leg);
        }
        for one in self.rows.movements.iter().filter(|one| wanted.transactions.contains(&one.transaction)) {
            known.movements.entry(one.transaction).or_default().push(*one);
        }
        known
    }

    fn holds(&self, needs: &Needs) -> BTreeMap<HoldId, Hold> {
        let due = |hold: &&Hold| {
            let by = needs.accounts.get(&hold.account).map(|need| need.due_by);
            let open = hold.state == HoldState::Open;
            needs.holds.contains(&hold.id) || open && hold.expires_at.zip(by).is_some_and(|(date, by)| date <= by)
        };
        self.rows.holds.iter().filter(due).map(|hold| (hold.id, *hold)).collect()
    }

    fn lots(&self, needs: &Needs) -> BTreeMap<LotId, Lot> {
        let mut lots: BTreeMap<_, _> = BTreeMap::new();
        for lot in self.rows.lots.iter().filter(|lot| needs.lots.contains(&lot.id)) {
            lots.insert(lot.id, *lot);
        }
        for (account, need) in &needs.accounts {
            lots.extend(self.prefix(*account, *need).into_iter().map(|lot| (lot.id, lot)));
        }
        lots
    }

    fn prefix(&self, account: Account, need: Need) -> Vec<Lot> {
        let own = self.rows.lots.iter().filter(|lot| lot.account == account && lot.free() > 0);
        let mut own: Vec<_> = own.copied().collect();
        own.sort_by_key(|lot| (lot.expires_at, lot.id));
        let mut beyond = 0_i64;
        own.retain(|lot| {
            let wanted = lot.expires_at <= need.due_by || beyond < need.up_to;
            if lot.expires_at > need.due_by {
                beyond += lot.free();
            }
            wanted
        });
        own
    }

    /// As the triggers of a database do, with its checks after every row: holds released, legs, new
    /// holds. They end where the changes say.
    fn move_balances(&mut self, changes: &Changes) {
        for hold in &changes.resolved {
            let before = self.rows.holds.iter().find(|row| row.id == hold.id);
            assert_eq!(before.map(|row| row.state), Some(HoldState::Open), "resolved once");
            self.move_balance(hold.account, 0, -hold.amount);
        }
        for leg in &changes.legs {
            self.move_balance(leg.from, -leg.amount, 0);
            self.move_balance(leg.to, leg.amount, 0);
        }
        for hold in &changes.placed {
            assert!(self.rows.holds.iter().all(|row| row.id != hold.id), "placed once");
            let opened = if hold.state == HoldState::Open { hold.amount } else { 0 };
            self.move_balance(hold.account, 0, opened);
        }
        for balance in &changes.balances {
            let row = self.rows.balances.iter().find(|row| row.account == balance.account);
            assert_eq!(row, Some(balance), "the triggers and the decision agree");
        }
    }

    fn move_balance(&mut self, account: Account, posted: i64, held: i64) {
        if !account.has_balance() {
            return;
        }
        let stood = self.rows.balances.iter().find(|row| row.account == account).copied();
        let mut row = stood.unwrap_or(Balance { account, sums: Sums::default(), version: 0 });
        row.sums.posted += posted;
        row.sums.held += held;
        row.version += i64::from(posted != 0);
        assert!(account.floor().is_none_or(|floor| row.sums.available() >= floor), "no_overdraft");
        upsert(&mut self.rows.balances, vec![row], |row: &Balance| row.account);
    }

    fn write(&mut self, changes: Changes) {
        self.move_balances(&changes);
        let Changes { transactions, legs, movements, pins, balances: _, placed, resolved, lots } = changes;
        for one in transactions {
            assert!(self.rows.transactions.iter().all(|other| other.id != one.id), "an id twice");
            self.rows.transactions.push(one);
        }
        self.rows.legs.extend(legs);
        self.rows.movements.extend(movements);
        self.rows.pins.extend(pins);
        upsert(&mut self.rows.holds, placed, |row: &Hold| row.id);
        upsert(&mut self.rows.holds, resolved, |row: &Hold| row.id);
        upsert(&mut self.rows.lots, lots, |row: &Lot| row.id);
    }
}

/// Nothing may depend on the order in which a database gives its rows.
fn in_any_order(mut loaded: Loaded) -> Loaded {
    loaded.known.legs.values_mut().for_each(|legs| legs.reverse());
    loaded.known.movements.values_mut().for_each(|movements| movements.reverse());
    loaded.decided.reverse();
    loaded.taken_back.reverse();
    loaded.balances.reverse();
    loaded.holds.reverse();
    loaded.pins.reverse();
    loaded.lots.reverse();
    loaded
}

/// Rows stand in the order of their keys, so that tables can be compared.
fn upsert<T, K: Ord>(rows: &mut Vec<T>, new: Vec<T>, key: impl Fn(&T) -> K) {
    let mut by_key: BTreeMap<K, T> = std::mem::take(rows).into_iter().map(|row| (key(&row), row)).collect();
    by_key.extend(new.into_iter().map(|row| (key(&row), row)));
    rows.extend(by_key.into_values());
}

/// Rows in the order of their keys, so that two stores can be compared.
pub fn in_order(mut rows: Rows) -> Rows {
    rows.transactions.sort_by_key(|one| one.id);
    rows.legs.sort_by_key(|leg| (leg.transaction, leg.n));
    rows.movements.sort_by_key(|one| (one.transaction, one.leg, one.lot));
    rows.pins.sort_by_key(|pin| (pin.hold, pin.lot));
    rows.balances.sort_by_key(|balance| balance.account);
    rows.holds.sort_by_key(|hold| hold.id);
    rows.lots.sort_by_key(|lot| lot.id);
    rows
}
