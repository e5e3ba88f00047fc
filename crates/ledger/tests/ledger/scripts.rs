//! Random commands of a small world that often run into each other.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rollbook_domain::{Email, PersonId};
use rollbook_ledger::{
    Account, Actor, Asset, Command, Destination, Due, GroupId, HoldId, LotId, Move, Order, Owner, Role, Share,
    TransactionId,
};
use uuid::Uuid;

use crate::tables::Tables;

pub fn person(n: usize) -> PersonId {
    PersonId::of_first_address(&Email::parse(&format!("member{n}@example.org")).unwrap())
}

pub fn group(n: usize) -> GroupId {
    GroupId(Uuid::from_u128(0x6006 + n as u128))
}

/// Three persons, then two groups.
pub fn owner(n: usize) -> Owner {
    if n < 3 { Owner::Person(person(n)) } else { Owner::Group(group(n - 3)) }
}

pub fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
}

pub fn id(n: usize) -> TransactionId {
    TransactionId::of_key(&format!("command {n}"))
}

pub fn world() -> Tables {
    let roles = [(0, 0, Role::Owner), (0, 1, Role::Spender), (0, 2, Role::Viewer), (1, 1, Role::Owner)];
    let members = roles.into_iter().map(|(of, who, role)| ((group(of), person(who)), role)).collect();
    Tables { members, ..Tables::default() }
}

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
    /// Asks again for an earlier command.
    Again(usize),
    /// Asks for something else with an earlier command's id.
    Conflict(usize, i64),
}

/// A step, when it happens after the one before (sometimes before it), and who asks.
pub type Scripted = (Step, i64, Option<usize>, bool);

pub fn script(longest: usize) -> impl Strategy<Value = Vec<Scripted>> {
    let by = prop_oneof![4 => Just(None), 1 => (0..3_usize).prop_map(Some)];
    let pause = prop_oneof![6 => 0..4_i64, 1 => -6..0_i64, 1 => 4..15_i64];
    let minutes = prop::bool::weighted(0.05);
    prop::collection::vec((step(), pause, by, minutes), 1..longest)
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
        5 => (prop::option::weighted(0.3, who.clone()), 1..25_i64, of)
            .prop_map(|(from, amount, of)| Step::TakeBack { from, amount, of }),
        4 => (who.clone(), 1..20_i64, life()).prop_map(|(from, amount, life)| Step::Hold { from, amount, life }),
        4 => (which, prop::collection::vec((0..7_usize, 1..12_i64), 1..3))
            .prop_map(|(hold, shares)| Step::Settle { hold, shares }),
        2 => which.prop_map(Step::Void),
        1 => which.prop_map(Step::ExpireHold),
        2 => (which, 0..3_u32).prop_map(|(of, n)| Step::ExpireLot(of, n)),
        5 => which.prop_map(Step::Reverse),
        1 => which.prop_map(Step::ReverseExpiry),
        2 => which.prop_map(Step::Again),
        1 => (which, 1..9_i64).prop_map(|(of, amount)| Step::Conflict(of, amount)),
    ]
}

/// The commands of a script. Malformed ones are left out: they never get as far.
pub fn commands(script: &[Scripted]) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut now = 100;
    for (n, (step, pause, by, minutes)) in script.iter().enumerate() {
        now += pause;
        let asset = if *minutes { Asset::Minutes } else { Asset::Points };
        let actor = by.map_or(Actor::System, |n| Actor::Person(person(n)));
        commands.extend(command(&commands, n, step, now, actor, asset));
    }
    commands
}

fn command(earlier: &[Command], n: usize, step: &Step, now: i64, actor: Actor, asset: Asset) -> Option<Command> {
    let new = |order| Command::new(id(n), at(now), actor, order).ok();
    let holds: Vec<_> =
        earlier.iter().filter(|one| matches!(one.order(), Order::Hold { .. })).map(Command::id).collect();
    let pick = |which: &usize| Some(earlier.get(which % earlier.len().max(1))?.id());
    let hold = |which: &usize| Some(HoldId::placed_by(*holds.get(which % holds.len().max(1))?));
    match step {
        Step::Again(which) => {
            let before = earlier.get(which % earlier.len().max(1))?;
            let later = Command::new(before.id(), at(now), before.actor(), before.order().clone());
            Some(later.unwrap_or_else(|_| before.clone()))
        }
        Step::Conflict(which, amount) => {
            let moves = vec![Move::Spend { from: owner(0), to: Destination::Redeemed, amount: *amount }];
            Command::new(pick(which)?, at(now), actor, Order::Post { asset, moves }).ok()
        }
        Step::ExpireHold(which) => Some(Command::expiring(Due::Hold(hold(which)?), at(now))),
        Step::ExpireLot(which, lot) => Some(Command::expiring(Due::Lot(LotId::of(pick(which)?, *lot)), at(now))),
        Step::Settle { hold: which, shares } => {
            let shares = shares.iter().map(|(to, amount)| Share { to: destination(*to), amount: *amount }).collect();
            new(Order::Settle { hold: hold(which)?, shares })
        }
        Step::Void(which) => new(Order::Void { hold: hold(which)? }),
        Step::Reverse(which) => new(Order::Reverse { transaction: pick(which)? }),
        Step::ReverseExpiry(which) => {
            new(Order::Reverse { transaction: TransactionId::expiring_lot(LotId::of(pick(which)?, 0)) })
        }
        Step::Hold { from, amount, life } => {
            let from = Account::available(asset, owner(*from));
            new(Order::Hold { from, amount: *amount, expires_at: life.map(|life| at(now + life)) })
        }
        Step::TakeBack { from, amount, of } => {
            let of = of.and_then(|which| earlier.get(which % earlier.len().max(1)));
            let from = from.map(owner).or_else(|| receiver(of?)).unwrap_or_else(|| owner(0));
            let moves = vec![Move::TakeBack { from, amount: *amount, of: of.map(Command::id) }];
            new(Order::Post { asset, moves })
        }
        posting => new(Order::Post { asset, moves: moves(posting, now, n) }),
    }
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

fn moves(step: &Step, now: i64, n: usize) -> Vec<Move> {
    let award = |to: usize, amount: i64, life: Option<i64>| {
        let expires_at = life.map(|life| at(now + life));
        Move::Award { to: owner(to), amount, expires_at }
    };
    let spend = |from: usize, to: Destination, amount: i64| Move::Spend { from: owner(from), to, amount };
    match step {
        Step::Award { to, amount, life } => vec![award(*to, *amount, *life)],
        Step::Redeem { from, amount } => vec![spend(*from, Destination::Redeemed, *amount)],
        Step::Transfer { from, to, amount } => vec![spend(*from, Destination::Owner(owner(*to)), *amount)],
        Step::Many(many) => {
            let one = |&(from, to, amount, life): &(usize, usize, i64, Option<i64>)| match to {
                6 => award(from, amount, life),
                // Of a command just before, or of this one.
                7 => {
                    let of = life.map(|back| id(n.saturating_sub(usize::try_from(back / 2).unwrap_or_default())));
                    Move::TakeBack { from: owner(from), amount, of }
                }
                _ => spend(from, destination(to), amount),
            };
            many.iter().map(one).collect()
        }
        _ => Vec::new(),
    }
}

/// Five owners, and beyond them the till.
fn destination(n: usize) -> Destination {
    if n < 5 { Destination::Owner(owner(n)) } else { Destination::Redeemed }
}
