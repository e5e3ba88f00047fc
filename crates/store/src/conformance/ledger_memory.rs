//! The ledger in memory: it reads everything for every command, decides, and keeps all rows. What a
//! store reads too little of, or writes otherwise, shows against it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Balance, Changes, Command, Due, GroupId, Hold, HoldState, Known, Leg, Loaded, Lot,
    Owner, Place, Role, Rows, Sums, Transaction, Wanted, accounts_of, decide,
};

use crate::{Counterpart, HistoryFilter, HistoryRow, Standing};

#[derive(Default)]
pub struct Memory {
    pub rows: Rows,
    pub members: BTreeMap<(GroupId, PersonId), Role>,
    /// When each transaction was recorded, in the order of `rows.transactions`.
    recorded: Vec<Timestamp>,
}

impl Memory {
    pub fn run(&mut self, commands: &[Command], now: Timestamp) -> Vec<Answer> {
        let known = self.known();
        self.open(accounts_of(commands, &narrowed(&known, &Wanted::by(commands))));
        let (answers, changes) = decide(self.loaded(known), commands);
        self.write(changes, now);
        answers
    }

    fn known(&self) -> Known {
        let rows = &self.rows;
        let mut known = Known {
            holds: rows.holds.iter().map(|hold| (hold.id, hold.account)).collect(),
            lots: rows.lots.iter().map(|lot| (lot.id, lot.account)).collect(),
            transactions: rows.transactions.iter().map(|one| (one.id, one.clone())).collect(),
            ..Known::default()
        };
        for leg in &rows.legs {
            known.legs.entry(leg.transaction).or_default().push(*leg);
        }
        for movement in &rows.movements {
            known.movements.entry(movement.transaction).or_default().push(*movement);
        }
        known
    }

    fn open(&mut self, accounts: BTreeSet<Account>) {
        let there: BTreeSet<_> = self.rows.balances.iter().map(|balance| balance.account).collect();
        let missing = accounts.into_iter().filter(|account| !there.contains(account));
        let zeros = missing.map(|account| Balance { account, sums: Sums::default(), version: 0 });
        self.rows.balances.extend(zeros);
    }

    fn loaded(&self, known: Known) -> Loaded {
        let rows = self.rows.clone();
        let applied = rows.transactions.iter().filter(|one| one.is_applied());
        Loaded {
            reversed: applied.filter_map(|one| one.reverses).collect(),
            decided: rows.transactions,
            balances: rows.balances,
            holds: rows.holds,
            pins: rows.pins,
            lots: rows.lots,
            members: self.members.clone(),
            known,
        }
    }

    fn write(&mut self, changes: Changes, now: Timestamp) {
        let Changes { transactions, legs, movements, pins, balances, placed, resolved, lots } = changes;
        self.recorded.extend(transactions.iter().map(|_| now));
        self.rows.transactions.extend(transactions);
        self.rows.legs.extend(legs);
        self.rows.movements.extend(movements);
        self.rows.pins.extend(pins);
        put(&mut self.rows.balances, balances, |balance| balance.account);
        put(&mut self.rows.holds, placed.into_iter().chain(resolved), |hold| hold.id);
        put(&mut self.rows.lots, lots, |lot| lot.id);
    }

    pub fn standing(&self, asset: Asset, owner: Owner) -> Standing {
        self.sum(|account| account.asset == asset && account.place.owner() == Some(owner))
    }

    pub fn outstanding(&self, asset: Asset) -> Standing {
        self.sum(|account| account.asset == asset)
    }

    fn sum(&self, of: impl Fn(Account) -> bool) -> Standing {
        let mut standing = Standing::default();
        for Balance { account, sums, .. } in self.rows.balances.iter().filter(|balance| of(balance.account)) {
            match account.place {
                Place::Owed(_) => standing.owed -= sums.posted,
                _ => {
                    standing.sums.posted += sums.posted;
                    standing.sums.held += sums.held;
                }
            }
        }
        standing
    }

    pub fn open_holds(&self, asset: Asset, owner: Owner) -> Vec<Hold> {
        let account = Account::available(asset, owner);
        let placed = self.rows.transactions.iter();
        let holds = placed.filter_map(|one| self.rows.holds.iter().find(|hold| hold.id.0 == one.id.0));
        holds.filter(|hold| hold.account == account && hold.state == HoldState::Open).copied().collect()
    }

    pub fn open_lots(&self, asset: Asset, owner: Option<Owner>) -> Vec<Lot> {
        let own = |lot: &&Lot| {
            let place = lot.account.place;
            lot.account.asset == asset && owner.is_none_or(|owner| place.owner() == Some(owner)) && lot.remaining > 0
        };
        let mut lots: Vec<_> = self.rows.lots.iter().filter(own).copied().collect();
        lots.sort_by_key(|lot| lot.id);
        lots
    }

    pub fn due(&self, by: Timestamp) -> Vec<Due> {
        let holds = self.rows.holds.iter().filter(|hold| hold.state == HoldState::Open);
        let holds = holds.filter_map(|hold| Some((hold.expires_at?, Due::Hold(hold.id))));
        let lots = self.rows.lots.iter().filter(|lot| lot.free() > 0);
        let all = holds.chain(lots.map(|lot| (lot.expires_at, Due::Lot(lot.id))));
        let mut due: Vec<_> = all.filter(|(date, _)| *date <= by).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, due)| due).collect()
    }

    pub fn history(&self, filter: &HistoryFilter) -> Vec<HistoryRow> {
        let mut told = Vec::new();
        let mut posted = 0;
        for (transaction, recorded_at) in self.rows.transactions.iter().zip(&self.recorded) {
            for mut row in self.told(transaction, *recorded_at, filter) {
                posted += row.amount;
                row.posted = Some(posted);
                told.push(row);
            }
        }
        told.retain(|row| {
            filter.since.is_none_or(|since| row.at >= since) && filter.until.is_none_or(|until| row.at < until)
        });
        let most = filter.limit.map_or(told.len(), |limit| usize::try_from(limit).expect("a size"));
        told.split_off(told.len().saturating_sub(most))
    }

    fn told(&self, transaction: &Transaction, recorded_at: Timestamp, filter: &HistoryFilter) -> Vec<HistoryRow> {
        let available = Account::available(filter.asset, filter.owner);
        let row = HistoryRow {
            transaction: transaction.id,
            kind: transaction.kind,
            at: transaction.at,
            recorded_at,
            amount: 0,
            owed: 0,
            posted: None,
            other: None,
            actor: match transaction.actor {
                Actor::System => None,
                Actor::Person(person) => Some(person),
            },
            memo: transaction.memo.clone(),
            reason: transaction.reason().cloned(),
        };
        let legs: Vec<_> = self.rows.legs.iter().filter(|leg| leg.transaction == transaction.id).collect();
        if legs.is_empty() && transaction.account == Some(available) {
            return vec![row];
        }
        legs.into_iter()
            .filter_map(|leg| of_leg(&row, leg, available, Account::owed(filter.asset, filter.owner)))
            .collect()
    }
}

/// A store knows before the locks only what it asked for.
fn narrowed(known: &Known, wanted: &Wanted) -> Known {
    let mut known = known.clone();
    known.holds.retain(|hold, _| wanted.holds.contains(hold));
    known.lots.retain(|lot, _| wanted.lots.contains(lot));
    known.transactions.retain(|transaction, _| wanted.transactions.contains(transaction));
    known.legs.retain(|transaction, _| wanted.transactions.contains(transaction));
    known.movements.retain(|transaction, _| wanted.transactions.contains(transaction));
    known
}

/// Writes new rows over those of the same key.
fn put<T, K: Ord>(rows: &mut Vec<T>, new: impl IntoIterator<Item = T>, key: impl Fn(&T) -> K) {
    let mut places: BTreeMap<K, usize> = rows.iter().enumerate().map(|(place, row)| (key(row), place)).collect();
    for row in new {
        match places.get(&key(&row)) {
            Some(place) => rows[*place] = row,
            None => {
                places.insert(key(&row), rows.len());
                rows.push(row);
            }
        }
    }
}

fn of_leg(row: &HistoryRow, leg: &Leg, available: Account, owed: Account) -> Option<HistoryRow> {
    let other = if [available, owed].contains(&leg.from) {
        leg.to
    } else if [available, owed].contains(&leg.to) {
        leg.from
    } else {
        return None;
    };
    let side = |account| i64::from(leg.to == account) - i64::from(leg.from == account);
    let other = match other.place {
        Place::Available(owner) | Place::Owed(owner) => Counterpart::Owner(owner),
        Place::Issued => Counterpart::Issued,
        Place::Redeemed => Counterpart::Redeemed,
        Place::Expired => Counterpart::Expired,
    };
    Some(HistoryRow {
        amount: leg.amount * side(available),
        owed: -leg.amount * side(owed),
        other: Some(other),
        ..row.clone()
    })
}
