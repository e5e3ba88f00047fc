//! One till: it makes commands, and knows what each moves if it is applied.

use std::collections::VecDeque;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp, Unit};
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Command, Destination, HoldId, Malformed, Move, Order, Owner, Share, TransactionId,
    Verdict,
};

use super::{Cast, Told};

/// Commands that are kept to be undone or asked again.
const REMEMBERED: usize = 64;

/// One command to ask for.
#[derive(Clone, Debug)]
pub struct Step {
    pub command: Command,
    /// What each owner then has more, debts deducted.
    pub moves: Vec<(Owner, i64)>,
    /// It was asked before, and this is what was told.
    pub before: Option<Told>,
    /// The hold it places, of so many units of this owner.
    places: Option<(Owner, i64)>,
}

/// Whoever is asked at one place. Several callers may take steps from one till.
pub struct Till {
    cast: Cast,
    name: String,
    random: Rng,
    count: u64,
    holds: Vec<(HoldId, Owner, i64)>,
    undoable: VecDeque<(TransactionId, Vec<(Owner, i64)>)>,
    past: VecDeque<(Step, Told)>,
}

impl Till {
    /// `name` must be another for each till of a run, and for each life of one.
    pub fn new(cast: Cast, name: String, seed: u64) -> Self {
        let random = Rng::with_seed(seed);
        Self { cast, name, random, count: 0, holds: Vec::new(), undoable: VecDeque::new(), past: VecDeque::new() }
    }

    pub fn step(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        let now = now.round(Unit::Microsecond).unwrap_or(now);
        match self.random.u32(..100) {
            0..30 => self.award(now),
            30..55 => self.redeem(now),
            55..70 => self.transfer(now),
            70..80 => self.hold(now),
            80..88 => self.resolve(now),
            88..94 => self.undo(now),
            _ => self.again(now),
        }
    }

    /// Remembers what was told; says what is wrong with it.
    pub fn heard(&mut self, step: Step, answer: &Answer) -> Option<String> {
        let told = Told::of(answer);
        if let Some(before) = &step.before {
            let same = *before == told && answer.repeated;
            return (!same).then(|| format!("asked again, it was told {told:?} and before {before:?}"));
        }
        if answer.verdict == Verdict::Applied {
            if let Some((owner, amount)) = step.places {
                self.holds.push((HoldId::placed_by(step.command.id()), owner, amount));
            } else if !step.moves.is_empty() {
                remember(&mut self.undoable, (step.command.id(), step.moves.clone()));
            }
        }
        remember(&mut self.past, (step, told));
        None
    }

    fn award(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        let (to, amount) = (self.owner(), self.amount());
        // Far enough away that none expires while the soak runs, near enough to stand in lots.
        let expires_at = self.random.bool().then(|| now + SignedDuration::from_hours(24 * self.random.i64(30..40)));
        let moves = vec![Move::Award { to, amount, expires_at }];
        self.order(now, Actor::System, Order::Post { asset: Asset::Points, moves }, vec![(to, amount)])
    }

    fn redeem(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        let (actor, from) = self.spender();
        let amount = self.amount();
        let moves = vec![Move::Spend { from, to: Destination::Redeemed, amount }];
        self.order(now, actor, Order::Post { asset: Asset::Points, moves }, vec![(from, -amount)])
    }

    fn transfer(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        let (actor, from) = self.spender();
        let (to, amount) = (self.owner(), self.amount());
        if to == from {
            return self.redeem(now);
        }
        let moves = vec![Move::Spend { from, to: Destination::Owner(to), amount }];
        self.order(now, actor, Order::Post { asset: Asset::Points, moves }, vec![(from, -amount), (to, amount)])
    }

    fn hold(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        let (actor, from) = self.spender();
        let amount = self.amount();
        // Some end by themselves while the soak runs.
        let seconds = self.random.i64(1..120);
        let expires_at = Some(now + SignedDuration::from_secs(seconds));
        let order = Order::Hold { from: Account::available(Asset::Points, from), amount, expires_at };
        let mut step = self.order(now, actor, order, Vec::new())?;
        step.places = Some((from, amount));
        Ok(step)
    }

    /// A hold is settled or voided, and stays known for a while: the second time must be refused.
    fn resolve(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        if self.holds.is_empty() {
            return self.hold(now);
        }
        let at = self.random.usize(..self.holds.len());
        let (hold, owner, amount) = if self.random.u8(..3) == 0 { self.holds[at] } else { self.holds.swap_remove(at) };
        if self.random.bool() {
            return self.order(now, Actor::System, Order::Void { hold }, Vec::new());
        }
        let spent = self.random.i64(1..=amount);
        let shares = vec![Share { to: Destination::Redeemed, amount: spent }];
        self.order(now, Actor::System, Order::Settle { hold, shares }, vec![(owner, -spent)])
    }

    fn undo(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        let Some((transaction, moves)) = self.undoable.pop_front() else { return self.award(now) };
        let back = moves.into_iter().map(|(owner, amount)| (owner, -amount)).collect();
        let mut step = self.order(now, Actor::System, Order::Reverse { transaction }, back)?;
        // What undoes something cannot be undone itself.
        step.before = None;
        Ok(step)
    }

    fn again(&mut self, now: Timestamp) -> Result<Step, Malformed> {
        let Some((step, told)) = self.past.pop_front() else { return self.award(now) };
        Ok(Step { before: Some(told), ..step })
    }

    fn order(
        &mut self,
        now: Timestamp,
        actor: Actor,
        order: Order,
        moves: Vec<(Owner, i64)>,
    ) -> Result<Step, Malformed> {
        self.count += 1;
        let id = TransactionId::of_key(&format!("soak|{}|{}|{}", self.cast.tag(), self.name, self.count));
        Ok(Step { command: Command::new(id, now, actor, order)?, moves, before: None, places: None })
    }

    fn amount(&mut self) -> i64 {
        self.random.i64(1..=100)
    }

    fn owner(&mut self) -> Owner {
        let owners = self.cast.owners();
        owners[self.random.usize(..owners.len())]
    }

    /// Who spends, and whose points: their own, or those of a group of theirs.
    fn spender(&mut self) -> (Actor, Owner) {
        let member = self.random.usize(..self.cast.members.len());
        let person = self.cast.members[member];
        let group = if self.random.bool() { self.cast.group_of(member, self.random.usize(..8)) } else { None };
        (Actor::Person(person), group.map_or(Owner::Person(person), Owner::Group))
    }
}

fn remember<T>(past: &mut VecDeque<T>, what: T) {
    past.push_back(what);
    if past.len() > REMEMBERED {
        past.pop_front();
    }
}
