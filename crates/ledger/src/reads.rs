//! What a store must lock and read before a batch can be decided.
//!
//! First come rows that never change and lead to the accounts ([`Wanted`], [`Known`]), then the
//! locks ([`accounts_of`]), then what the locks guard ([`Needs`]). What was committed between the
//! first reading and the locks cannot be named by this batch, as if it came after: its caller had not
//! been answered when this batch began.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollbook_domain::PersonId;

use crate::{
    Account, AccountId, Asset, Command, Destination, Due, GroupId, HoldId, Leg, LotId, LotMovement, Move, Order, Owner,
    Place, Transaction, TransactionId,
};

/// Rows to be read before the locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub holds: BTreeSet<HoldId>,
    pub lots: BTreeSet<LotId>,
    /// To be reversed or taken back: the transaction, its legs and its lot movements.
    pub transactions: BTreeSet<TransactionId>,
}

impl Wanted {
    pub fn by(commands: &[Command]) -> Self {
        let mut wanted = Self::default();
        for command in commands {
            match &command.order {
                Order::Settle { hold, .. } | Order::Void { hold } | Order::Expire(Due::Hold(hold)) => {
                    wanted.holds.insert(*hold);
                }
                Order::Expire(Due::Lot(lot)) => {
                    wanted.lots.insert(*lot);
                }
                Order::Reverse { transaction } => {
                    wanted.transactions.insert(*transaction);
                }
                Order::Post { moves, .. } => wanted.transactions.extend(taken_back(moves).map(|(_, of)| of)),
                Order::Hold { .. } => {}
            }
        }
        wanted
    }
}

fn taken_back(moves: &[Move]) -> impl Iterator<Item = (Owner, TransactionId)> + '_ {
    moves.iter().filter_map(|step| match *step {
        Move::TakeBack { from, of, .. } => Some((from, of?)),
        Move::Award { .. } | Move::Spend { .. } => None,
    })
}

/// What was found of [`Wanted`]. None of it ever changes, so no lock is needed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub holds: BTreeMap<HoldId, Account>,
    pub lots: BTreeMap<LotId, Account>,
    pub transactions: BTreeMap<TransactionId, Transaction>,
    pub legs: BTreeMap<TransactionId, Vec<Leg>>,
    pub movements: BTreeMap<TransactionId, Vec<LotMovement>>,
}

impl Known {
    /// Movements come in the order in which they were decided, legs in that of their numbers.
    pub fn add(&mut self, legs: Vec<Leg>, movements: Vec<LotMovement>) {
        for leg in legs {
            self.legs.entry(leg.transaction).or_default().push(leg);
        }
        for movement in movements {
            self.movements.entry(movement.transaction).or_default().push(movement);
        }
    }
}

/// Where holds, lots and transactions lie.
pub(crate) trait Directory {
    fn hold(&self, hold: HoldId) -> Option<Account>;
    fn lot(&self, lot: LotId) -> Option<Account>;
    fn legs(&self, transaction: TransactionId) -> &[Leg];
}

impl Directory for Known {
    fn hold(&self, hold: HoldId) -> Option<Account> {
        self.holds.get(&hold).copied()
    }

    fn lot(&self, lot: LotId) -> Option<Account> {
        self.lots.get(&lot).copied()
    }

    fn legs(&self, transaction: TransactionId) -> &[Leg] {
        self.legs.get(&transaction).map_or(&[], Vec::as_slice)
    }
}

/// The accounts to lock for a batch, each once, in the order in which every process locks them.
/// Rows that are missing are to be made first, with zeros.
pub fn accounts_of(commands: &[Command], known: &Known) -> BTreeSet<Account> {
    by_command(commands, known).into_iter().flatten().collect()
}

fn by_command(commands: &[Command], known: &Known) -> Vec<BTreeSet<Account>> {
    let mut earlier: BTreeMap<TransactionId, BTreeSet<Account>> = BTreeMap::new();
    let mut all = Vec::with_capacity(commands.len());
    for command in commands {
        let mut accounts = accounts(command, known);
        accounts.extend(of_this_batch(command, known, &earlier));
        earlier.entry(command.id).or_insert_with(|| accounts.clone());
        all.push(accounts);
    }
    all
}

/// A command may name what an earlier one of its batch makes. What an earlier one makes without
/// having its id (an expiry, a lot) can only lie in one of the accounts locked so far.
fn of_this_batch(
    command: &Command,
    known: &Known,
    earlier: &BTreeMap<TransactionId, BTreeSet<Account>>,
) -> BTreeSet<Account> {
    let (found, named) = match command.order {
        Order::Settle { hold, .. } | Order::Void { hold } | Order::Expire(Due::Hold(hold)) => {
            (known.hold(hold).is_some(), Some(TransactionId(hold.0)))
        }
        Order::Reverse { transaction } => (known.transactions.contains_key(&transaction), Some(transaction)),
        Order::Expire(Due::Lot(lot)) => (known.lot(lot).is_some(), None),
        Order::Post { .. } | Order::Hold { .. } => (true, None),
    };
    if found {
        return BTreeSet::new();
    }
    match named.and_then(|id| earlier.get(&id)) {
        Some(accounts) => accounts.iter().flat_map(|account| shared_out(command, *account)).collect(),
        None => earlier.values().flatten().copied().collect(),
    }
}

/// The accounts of the owner, and those a settle hands units of this asset to.
fn shared_out(command: &Command, account: Account) -> Vec<Account> {
    let mut accounts = with_debt(account);
    if let Order::Settle { shares, .. } = &command.order {
        accounts.extend(shares.iter().filter_map(|share| target(account.asset, share.to)));
    }
    accounts
}

/// The accounts of one command, as far as `directory` knows.
pub(crate) fn accounts(command: &Command, directory: &impl Directory) -> BTreeSet<Account> {
    match &command.order {
        Order::Post { asset, moves } => moves.iter().flat_map(|step| of_move(*asset, *step)).collect(),
        Order::Hold { from, .. } => BTreeSet::from([*from]),
        Order::Settle { hold, shares } => {
            let held = directory.hold(*hold);
            let asset = held.map(|account| account.asset);
            let targets = shares.iter().filter_map(|share| target(asset?, share.to));
            targets.chain(held).filter(|account| account.has_balance()).collect()
        }
        Order::Void { hold } | Order::Expire(Due::Hold(hold)) => directory.hold(*hold).into_iter().collect(),
        Order::Expire(Due::Lot(lot)) => directory.lot(*lot).into_iter().collect(),
        Order::Reverse { transaction } => {
            let ends = directory.legs(*transaction).iter().flat_map(|leg| [leg.from, leg.to]);
            ends.flat_map(with_debt).collect()
        }
    }
}

fn of_move(asset: Asset, step: Move) -> Vec<Account> {
    match step {
        Move::Award { to: owner, .. } | Move::TakeBack { from: owner, .. } => {
            vec![Account::available(asset, owner), Account::owed(asset, owner)]
        }
        Move::Spend { from, to, .. } => {
            let mut accounts = vec![Account::available(asset, from)];
            accounts.extend(target(asset, to).filter(|account| account.has_balance()));
            accounts
        }
    }
}

fn target(asset: Asset, to: Destination) -> Option<Account> {
    match to {
        Destination::Redeemed => None,
        Destination::Owner(owner) => Some(Account::available(asset, owner)),
    }
}

/// Both accounts of the owner: what is available and what is owed.
fn with_debt(account: Account) -> Vec<Account> {
    let Account { asset, place } = account;
    let both = place.owner().map(|owner| [Account::available(asset, owner), Account::owed(asset, owner)]);
    both.into_iter().flatten().collect()
}

/// What to read under the locks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// By id: what was decided of the batch's own commands.
    pub decided: BTreeSet<TransactionId>,
    /// Whether there is an applied reversal of these.
    pub reversals: BTreeSet<TransactionId>,
    /// What legs take back of these ([`crate::Leg::takes_back`]), less those of transactions that have an
    /// applied reversal.
    pub taken_back: BTreeSet<TransactionId>,
    /// These holds, and every open hold of an account that expires by its `due_by`; the pins of all
    /// of them, and the lots of those pins.
    pub holds: BTreeSet<HoldId>,
    /// These lots, whatever is left in them.
    pub lots: BTreeSet<LotId>,
    /// What these persons may do in these groups.
    pub members: BTreeSet<(GroupId, PersonId)>,
    pub accounts: BTreeMap<Account, Need>,
}

/// Which lots of an account are needed, of those with anything free, in the order of (expiry, id):
/// all that expire by `due_by`, and after them as many as it takes to have `up_to` units free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    pub due_by: Timestamp,
    pub up_to: i64,
}

impl Needs {
    /// The accounts that can have holds and lots, with their ids: nothing is held of a debt, and none of
    /// it lies in lots.
    pub fn spendable(&self) -> impl Iterator<Item = (AccountId, Need)> + '_ {
        let spendable = self.accounts.iter().filter(|(account, _)| account.floor().is_some());
        spendable.map(|(account, need)| (account.id(), *need))
    }

    pub fn of(commands: &[Command], known: &Known) -> Self {
        let mut needs = Self::default();
        for (command, accounts) in commands.iter().zip(by_command(commands, known)) {
            needs.decided.insert(command.id);
            for account in accounts {
                needs.widen(account, command.at, spent(command, account));
            }
            needs.name(command, known);
        }
        let groups = needs.accounts.keys().filter_map(|account| group(*account));
        needs.members = groups.flat_map(|group| persons(commands).map(move |person| (group, person))).collect();
        needs
    }

    fn widen(&mut self, account: Account, at: Timestamp, amount: i64) {
        let need = self.accounts.entry(account).or_insert(Need { due_by: at, up_to: 0 });
        need.due_by = need.due_by.max(at);
        need.up_to = need.up_to.saturating_add(amount);
    }

    fn name(&mut self, command: &Command, known: &Known) {
        match &command.order {
            Order::Settle { hold, .. } | Order::Void { hold } | Order::Expire(Due::Hold(hold)) => {
                self.holds.extend(known.hold(*hold).map(|_| *hold));
            }
            Order::Expire(Due::Lot(lot)) => {
                self.lots.extend(known.lot(*lot).map(|_| *lot));
            }
            Order::Reverse { transaction } => {
                self.reversals.insert(*transaction);
                self.taken_back.insert(*transaction);
                let movements = known.movements.get(transaction).into_iter().flatten();
                self.lots.extend(movements.map(|movement| movement.lot));
            }
            Order::Post { asset, moves } => {
                for (from, of) in taken_back(moves) {
                    self.reversals.insert(of);
                    self.lots.extend(lots_given(known, of, Account::available(*asset, from)));
                }
            }
            Order::Hold { .. } => {}
        }
    }
}

/// The lots of `account` that a transaction added to. Those of others are not locked.
fn lots_given(known: &Known, of: TransactionId, account: Account) -> impl Iterator<Item = LotId> + '_ {
    let legs = known.legs(of).iter().filter(move |leg| leg.to == account).map(|leg| leg.n);
    let legs: BTreeSet<_> = legs.collect();
    let movements = known.movements.get(&of).into_iter().flatten();
    movements.filter(move |one| one.amount > 0 && legs.contains(&one.leg)).map(|one| one.lot)
}

fn group(account: Account) -> Option<GroupId> {
    match account.place {
        Place::Available(Owner::Group(group)) => Some(group),
        _ => None,
    }
}

fn persons(commands: &[Command]) -> impl Iterator<Item = PersonId> + '_ {
    commands.iter().filter_map(|command| command.actor.person())
}

/// How much of the free lots of `account` the command may take: a reversal may take anything, and what
/// is taken back may be undated, which is told by what is not.
fn spent(command: &Command, account: Account) -> i64 {
    match &command.order {
        Order::Post { moves, .. } => moves.iter().filter_map(|step| from(*step, account)).fold(0, i64::saturating_add),
        Order::Hold { amount, .. } => *amount,
        Order::Reverse { .. } => i64::MAX,
        Order::Settle { .. } | Order::Void { .. } | Order::Expire(_) => 0,
    }
}

fn from(step: Move, account: Account) -> Option<i64> {
    match step {
        Move::Spend { from, amount, .. } => (account.place == Place::Available(from)).then_some(amount),
        Move::TakeBack { from, amount, of, .. } => {
            (account.place == Place::Available(from)).then_some(if of.is_some() { i64::MAX } else { amount })
        }
        Move::Award { .. } => None,
    }
}
