//! A second opinion on the ledger, for tests: a naive model, random scripts, a store in memory.
//!
//! [`Model`] was written independently of the decision: every unit is a thing of its own that lies in a
//! purse. It knows no balances, legs, versions or batches. A command is tried on a copy and thrown
//! away if it cannot be done. What a store answers must be what the model tells ([`Told`]), and
//! who then has what must be [`Standing`].
//!
//! [`World::drawn`] gives scripts, the same ones for the same seed; [`script`] is their strategy, for
//! tests that shrink. [`Tables`] is a store in memory, for answers and rows to the last word.
//!
//! A store's suite does so:
//! ```
//! use rollbook_ledger::model::{Model, Tables, Told, World};
//!
//! let world = World(7);
//! let (mut model, mut store) = (Model::new(world.members()), Tables::new(world.members()));
//! for commands in world.drawn(1, 40) {
//!     let expected = model.run(&[commands.clone()]);
//!     let answers = store.run(&[commands]);
//!     assert_eq!(answers.iter().map(Told::of).collect::<Vec<_>>(), expected);
//! }
//! assert_eq!(rollbook_ledger::model::standing(&store.rows), model.standing());
//! ```

mod doing;
mod expiry;
mod scripts;
mod standing;
mod tables;
mod undo;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use scripts::{Scripted, Step, script};
pub use standing::{Standing, standing};
pub use tables::{Tables, in_order};
pub use world::{Members, World, at};

use crate::{
    Account, Answer, Asset, Command, Destination, Due, HoldId, HoldState, LotId, Move, Order, Owner, Sums,
    TransactionId, Verdict,
};

type PurseId = (Asset, Owner);
type No = &'static str;

/// One unit. Sorted as it is to be spent: soonest first, what never expires last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    lot: Option<(Timestamp, LotId)>,
    held: Option<HoldId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Purse {
    units: Vec<Unit>,
    debt: i64,
}

#[derive(Clone, Debug)]
struct Held {
    purse: PurseId,
    amount: i64,
    state: HoldState,
    expires_at: Option<Timestamp>,
}

/// What a transaction did, to be undone.
#[derive(Clone, Debug)]
enum Deed {
    PaidDebt(PurseId, i64),
    Gave(PurseId, i64, Option<LotId>),
    /// The units as they were, and the lots they came into.
    Took(PurseId, Option<PurseId>, Vec<(Unit, Option<LotId>)>),
    /// The units as they were, and what became a debt.
    TookBack(PurseId, Vec<Unit>, i64),
}

/// What the model tells of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// None: applied.
    pub reason: Option<String>,
    pub left: Option<Sums>,
}

impl Told {
    /// What an answer of the ledger tells, to be compared.
    pub fn of(answer: &Answer) -> Self {
        let reason = match &answer.verdict {
            Verdict::Applied => None,
            Verdict::Rejected(refusal) => Some(refusal.reason.as_str().to_owned()),
        };
        Self { reason, left: answer.left }
    }
}

/// Who has what, unit by unit.
#[derive(Clone, Default)]
pub struct Model {
    members: Members,
    purses: BTreeMap<PurseId, Purse>,
    holds: BTreeMap<HoldId, Held>,
    /// What was asked (times taken out) and told.
    told: BTreeMap<TransactionId, (String, Told)>,
    deeds: BTreeMap<TransactionId, Vec<Deed>>,
    /// Whose accounts a transaction's legs touched, the payer of the first first.
    moved: BTreeMap<TransactionId, Vec<PurseId>>,
    /// Posts and settles that were done.
    undoable: BTreeSet<TransactionId>,
    reversed: BTreeSet<TransactionId>,
    /// What took back of each.
    taken_back: BTreeMap<TransactionId, Vec<TransactionId>>,
    lapsed: BTreeSet<LotId>,
    /// What lies where expired units go.
    expired: BTreeMap<LotId, Vec<Unit>>,
    lots_made: u32,
}

impl Model {
    pub fn new(members: Members) -> Self {
        Self { members, ..Self::default() }
    }

    /// One after another.
    pub fn run(&mut self, commands: &[Command]) -> Vec<Told> {
        commands.iter().map(|command| self.run_one(command)).collect()
    }

    fn run_one(&mut self, command: &Command) -> Told {
        let body = body(command);
        if let Some((asked, told)) = self.told.get(&command.id()) {
            let conflict = Told { reason: Some("conflicting_duplicate".to_owned()), left: None };
            return if *asked == body { told.clone() } else { conflict };
        }
        let purses = self.purses_of(command);
        self.expire_due(&purses, command.at());
        if let Order::Expire(due) = command.order() {
            return self.swept(command, *due);
        }
        let mut copy = self.clone();
        copy.lots_made = 0;
        let result = copy.carry_out(command);
        if result.is_ok() {
            *self = copy;
            if matches!(command.order(), Order::Post { .. } | Order::Settle { .. }) {
                self.undoable.insert(command.id());
            }
            self.drop_overdue(&purses, command.at(), command.id());
        }
        let may_know = result != Err("not_a_spender");
        let left = self.subject(command).filter(|_| may_know).map(|of| self.sums(of));
        let told = Told { reason: result.err().map(str::to_owned), left };
        self.told.insert(command.id(), (body, told.clone()));
        told
    }

    fn purse(&mut self, id: PurseId) -> &mut Purse {
        self.purses.entry(id).or_default()
    }

    fn sums(&self, id: PurseId) -> Sums {
        let units = self.purses.get(&id).map_or(&[][..], |purse| &purse.units);
        let held = units.iter().filter(|unit| unit.held.is_some()).count();
        Sums { posted: count(units.len()), held: count(held) }
    }

    fn purses_of(&self, command: &Command) -> Vec<PurseId> {
        let held = |hold: &HoldId| self.holds.get(hold).map(|hold| hold.purse);
        match command.order() {
            Order::Post { asset, moves } => moves.iter().flat_map(|step| ends(*asset, *step)).collect(),
            Order::Hold { from, .. } => vec![purse_of(*from)],
            Order::Settle { hold, shares } => held(hold).map_or_else(Vec::new, |purse| {
                let to = shares.iter().filter_map(|share| target(purse.0, share.to));
                to.chain([purse]).collect()
            }),
            Order::Void { hold } | Order::Expire(Due::Hold(hold)) => held(hold).into_iter().collect(),
            Order::Expire(Due::Lot(lot)) => self.purse_with(*lot).into_iter().collect(),
            Order::Reverse { transaction } => self.moved.get(transaction).cloned().unwrap_or_default(),
        }
    }

    /// An empty lot has nothing that could be due, wherever it was.
    fn purse_with(&self, lot: LotId) -> Option<PurseId> {
        let mut all = self.deeds.values().flatten();
        all.find_map(|deed| match deed {
            Deed::Gave(to, _, Some(made)) if *made == lot => Some(*to),
            Deed::Took(_, Some(to), units) if units.iter().any(|(_, made)| *made == Some(lot)) => Some(*to),
            _ => None,
        })
    }

    fn subject(&self, command: &Command) -> Option<PurseId> {
        match command.order() {
            Order::Post { asset, moves } => Some((*asset, moves.first()?.subject())),
            Order::Hold { from, .. } => Some(purse_of(*from)),
            Order::Settle { hold, .. } | Order::Void { hold } => self.holds.get(hold).map(|hold| hold.purse),
            Order::Reverse { transaction } => self.moved.get(transaction)?.first().copied(),
            Order::Expire(_) => None,
        }
    }
}

fn purse_of(account: Account) -> PurseId {
    (account.asset, account.place.owner().expect("only owners have balances"))
}

fn count(units: usize) -> i64 {
    i64::try_from(units).expect("scripts move few units")
}

fn target(asset: Asset, to: Destination) -> Option<PurseId> {
    match to {
        Destination::Redeemed => None,
        Destination::Owner(owner) => Some((asset, owner)),
    }
}

fn ends(asset: Asset, step: Move) -> Vec<PurseId> {
    match step {
        Move::Award { to: owner, .. } | Move::TakeBack { from: owner, .. } => vec![(asset, owner)],
        Move::Spend { from, to, .. } => [(asset, from)].into_iter().chain(target(asset, to)).collect(),
    }
}

/// What is asked, without times.
fn body(command: &Command) -> String {
    let mut order = command.order().clone();
    match &mut order {
        Order::Hold { expires_at, .. } => *expires_at = None,
        Order::Post { moves, .. } => {
            for step in moves {
                if let Move::Award { expires_at, .. } = step {
                    *expires_at = None;
                }
            }
        }
        _ => {}
    }
    format!("{:?} {order:?}", command.actor())
}
