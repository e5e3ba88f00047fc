//! Random commands of a small world that often run into each other.

use jiff::Timestamp;
use proptest::collection::SizeRange;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::world::{World, at};
use crate::{
    Account, Actor, Asset, Command, Destination, Due, HoldId, LotId, Move, Order, Owner, Share, TransactionId,
};

/// Owners, earlier commands and holds are numbers: any is good, a great one counts from the start again.
#[derive(Clone, Debug)]
pub enum Step {
    Award {
        to: usize,
        amount: i64,
        life: Option<i64>,
    },
    Redeem {
        from: usize,
        amount: i64,
    },
    Transfer {
        from: usize,
        to: usize,
        amount: i64,
    },
    Many(Vec<(usize, usize, i64, Option<i64>)>),
    /// From none: from whoever got it.
    TakeBack {
        from: Option<usize>,
        amount: i64,
        of: Option<usize>,
        /// Which of the dates that `of` names; beyond them none.
        expiring: usize,
    },
    Hold {
        from: usize,
        amount: i64,
        life: Option<i64>,
    },
    Settle {
        hold: usize,
        shares: Vec<(usize, i64)>,
    },
    Void(usize),
    ExpireHold(usize),
    ExpireLot(usize, u32),
    Reverse(usize),
    ReverseExpiry(usize),
    /// Of the commands that took something back of another: the other is reversed.
    ReverseTaken(usize),
    /// The same: they are themselves.
    ReverseTaking(usize),
    /// Asks again for an earlier command.
    Again(usize),
    /// Asks for something else with an earlier command's id.
    Conflict(usize, i64),
}

/// A step, when it happens after the one before (sometimes before it), and who asks.
pub type Scripted = (Step, i64, Option<usize>, bool);

/// Scripts of so many steps.
pub fn script(steps: impl Into<SizeRange>) -> impl Strategy<Value = Vec<Scripted>> {
    let by = prop_oneof![4 => Just(None), 1 => (0..3_usize).prop_map(Some)];
    let pause = prop_oneof![6 => 0..4_i64, 1 => -6..0_i64, 1 => 4..15_i64];
    let minutes = prop::bool::weighted(0.05);
    prop::collection::vec((step(), pause, by, minutes), steps)
}

fn step() -> impl Strategy<Value = Step> {
    let (who, which) = (0..5_usize, any::<usize>());
    let life = || prop::option::weighted(0.7, 1..20_i64);
    let moves = prop::collection::vec((0..5_usize, 0..8_usize, 1..12_i64, life()), 1..4);
    let of = prop::option::weighted(0.9, any::<usize>());
    prop_oneof![
        6 => (who.clone(), 1..30_i64, life()).prop_map(|(to, amount, life)| Step::Award { to, amount, life }),
        4 => (who.clone(), 1..25_i64).prop_map(|(from, amount)| Step::Redeem { from, amount }),
        4 => (who.clone(), who.clone(), 1..20_i64).prop_map(|(from, to, amount)| Step::Transfer { from, to, amount }),
        2 => moves.prop_map(Step::Many),
        5 => (prop::option::weighted(0.3, who.clone()), 1..25_i64, of, 0..4_usize)
            .prop_map(|(from, amount, of, expiring)| Step::TakeBack { from, amount, of, expiring }),
        4 => (who.clone(), 1..20_i64, life()).prop_map(|(from, amount, life)| Step::Hold { from, amount, life }),
        4 => (which, prop::collection::vec((0..7_usize, 1..12_i64), 1..3))
            .prop_map(|(hold, shares)| Step::Settle { hold, shares }),
        2 => which.prop_map(Step::Void),
        1 => which.prop_map(Step::ExpireHold),
        2 => (which, 0..3_u32).prop_map(|(of, n)| Step::ExpireLot(of, n)),
        5 => which.prop_map(Step::Reverse),
        1 => which.prop_map(Step::ReverseExpiry),
        5 => which.prop_map(Step::ReverseTaken),
        4 => which.prop_map(Step::ReverseTaking),
        2 => which.prop_map(Step::Again),
        1 => (which, 1..9_i64).prop_map(|(of, amount)| Step::Conflict(of, amount)),
    ]
}

impl World {
    /// The commands of a script of so many steps: the same for the same seed. Malformed ones are left
    /// out.
    pub fn drawn(self, seed: u64, steps: usize) -> Vec<Command> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        let drawn = script(steps).new_tree(&mut runner).expect("nothing is filtered").current();
        self.commands(&drawn)
    }

    /// The commands of a script. Malformed ones are left out: they never get as far.
    pub fn commands(self, script: &[Scripted]) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        let mut now = 100;
        for (n, (step, pause, by, minutes)) in script.iter().enumerate() {
            now += pause;
            let asset = if *minutes { Asset::Minutes } else { Asset::Points };
            let actor = by.map_or(Actor::System, |n| Actor::Person(self.person(n)));
            let scene = Scene { world: self, earlier: &commands, n, now, actor, asset };
            let memo = if n % 3 == 0 { format!("step {n}") } else { String::new() };
            let command = scene.command(step).and_then(|command| command.with_memo(&memo).ok());
            commands.extend(command);
        }
        commands
    }
}

/// Where a step stands.
struct Scene<'a> {
    world: World,
    earlier: &'a [Command],
    n: usize,
    now: i64,
    actor: Actor,
    asset: Asset,
}

impl Scene<'_> {
    fn command(&self, step: &Step) -> Option<Command> {
        match step {
            Step::Again(which) => {
                let before = self.pick(*which)?;
                let later = Command::new(before.id(), at(self.now), before.actor(), before.order().clone());
                Some(later.unwrap_or_else(|_| before.clone()))
            }
            Step::Conflict(which, amount) => {
                let to = Destination::Redeemed;
                let moves = vec![Move::Spend { from: self.world.owner(0), to, amount: *amount }];
                let order = Order::Post { asset: self.asset, moves };
                Command::new(self.pick(*which)?.id(), at(self.now), self.actor, order).ok()
            }
            Step::ExpireHold(which) => Some(Command::expiring(Due::Hold(self.hold(*which)?), at(self.now))),
            Step::ExpireLot(which, lot) => {
                Some(Command::expiring(Due::Lot(LotId::of(self.pick(*which)?.id(), *lot)), at(self.now)))
            }
            _ => Command::new(self.world.id(self.n), at(self.now), self.actor, self.order(step)?).ok(),
        }
    }

    fn order(&self, step: &Step) -> Option<Order> {
        Some(match step {
            Step::Settle { hold, shares } => {
                let share = |(to, amount): &(usize, i64)| Share { to: self.destination(*to), amount: *amount };
                Order::Settle { hold: self.hold(*hold)?, shares: shares.iter().map(share).collect() }
            }
            Step::Void(which) => Order::Void { hold: self.hold(*which)? },
            Step::Reverse(which) => Order::Reverse { transaction: self.pick(*which)?.id() },
            Step::ReverseExpiry(which) => {
                Order::Reverse { transaction: TransactionId::expiring_lot(LotId::of(self.pick(*which)?.id(), 0)) }
            }
            Step::ReverseTaken(which) => Order::Reverse { transaction: self.taking(*which)?.1 },
            Step::ReverseTaking(which) => Order::Reverse { transaction: self.taking(*which)?.0 },
            Step::Hold { from, amount, life } => {
                let from = Account::available(self.asset, self.world.owner(*from));
                Order::Hold { from, amount: *amount, expires_at: life.map(|life| at(self.now + life)) }
            }
            posting => Order::Post { asset: self.asset, moves: self.moves(posting) },
        })
    }

    fn pick(&self, which: usize) -> Option<&Command> {
        self.earlier.get(which % self.earlier.len().max(1))
    }

    fn hold(&self, which: usize) -> Option<HoldId> {
        let holds = self.earlier.iter().filter(|one| matches!(one.order(), Order::Hold { .. }));
        let holds: Vec<_> = holds.map(Command::id).collect();
        Some(HoldId::placed_by(*holds.get(which % holds.len().max(1))?))
    }

    /// One that takes back, and what of.
    fn taking(&self, which: usize) -> Option<(TransactionId, TransactionId)> {
        let all = self.earlier.iter().filter_map(|command| Some((command.id(), taken(command)?)));
        let all: Vec<_> = all.collect();
        all.get(which % all.len().max(1)).copied()
    }

    fn moves(&self, step: &Step) -> Vec<Move> {
        let owner = |n: usize| self.world.owner(n);
        match step {
            Step::Award { to, amount, life } => vec![self.award(*to, *amount, *life)],
            Step::Redeem { from, amount } => {
                vec![Move::Spend { from: owner(*from), to: Destination::Redeemed, amount: *amount }]
            }
            Step::Transfer { from, to, amount } => {
                vec![Move::Spend { from: owner(*from), to: Destination::Owner(owner(*to)), amount: *amount }]
            }
            Step::TakeBack { from, amount, of, expiring } => {
                let of = of.and_then(|which| self.pick(which));
                let from = from.map(owner).or_else(|| receiver(of?)).unwrap_or_else(|| owner(0));
                let expiring = of.and_then(|of| dates(of).nth(*expiring));
                vec![Move::TakeBack { from, amount: *amount, of: of.map(Command::id), expiring }]
            }
            Step::Many(many) => many.iter().map(|one| self.one_of_many(*one)).collect(),
            _ => Vec::new(),
        }
    }

    fn award(&self, to: usize, amount: i64, life: Option<i64>) -> Move {
        Move::Award { to: self.world.owner(to), amount, expires_at: life.map(|life| at(self.now + life)) }
    }

    fn one_of_many(&self, (who, what, amount, life): (usize, usize, i64, Option<i64>)) -> Move {
        let from = self.world.owner(who);
        match what {
            6 => self.award(who, amount, life),
            // Of a command just before, or of this one.
            7 => {
                let before = life.map(|life| usize::try_from(life / 2).unwrap_or_default());
                let of = before.map(|before| self.world.id(self.n.saturating_sub(before)));
                let expiring = life.filter(|life| life % 3 == 0).map(|life| at(self.now + life));
                Move::TakeBack { from, amount, of, expiring }
            }
            to => Move::Spend { from, to: self.destination(to), amount },
        }
    }

    /// Five owners, and beyond them the till.
    fn destination(&self, n: usize) -> Destination {
        if n < 5 { Destination::Owner(self.world.owner(n)) } else { Destination::Redeemed }
    }
}

fn taken(command: &Command) -> Option<TransactionId> {
    let Order::Post { moves, .. } = command.order() else { return None };
    moves.iter().find_map(|step| match step {
        Move::TakeBack { of, .. } => *of,
        Move::Award { .. } | Move::Spend { .. } => None,
    })
}

/// When what it awards expires.
fn dates(command: &Command) -> impl Iterator<Item = Timestamp> + '_ {
    let moves = if let Order::Post { moves, .. } = command.order() { moves.as_slice() } else { &[] };
    moves.iter().filter_map(|step| if let Move::Award { expires_at, .. } = step { *expires_at } else { None })
}

fn receiver(command: &Command) -> Option<Owner> {
    let of_move = |step: &Move| match step {
        Move::Award { to, .. } | Move::Spend { to: Destination::Owner(to), .. } => Some(*to),
        Move::Spend { .. } | Move::TakeBack { .. } => None,
    };
    match command.order() {
        Order::Post { moves, .. } => moves.iter().find_map(of_move),
        Order::Settle { shares, .. } => shares.iter().find_map(|share| match share.to {
            Destination::Owner(to) => Some(to),
            Destination::Redeemed => None,
        }),
        _ => None,
    }
}
