//! The promise: duplicated, reordered, batched in any way and replayed any number of times, the
//! callbacks of a history give everybody the same points.

use proptest::prelude::*;
use proptest::test_runner::Config;
use rollbook_domain::{Event, Outcome, Owner};
use rollbook_ledger::{Actor, Asset, Command, Move, Order, TransactionId};
use rollbook_points::Points;

use crate::history::{History, history};
use crate::world::{World, every_kind, instant, owner};

/// Every event at least once, any of them more often, in any order.
type Schedule = Vec<(usize, bool)>;

fn schedule(events: usize) -> impl Strategy<Value = Schedule> {
    prop::collection::vec((0..events, any::<bool>()), 0..=events)
        .prop_map(move |again| (0..events).map(|event| (event, false)).chain(again).collect::<Schedule>())
        .prop_shuffle()
}

fn delivered() -> impl Strategy<Value = (History, Schedule, Vec<usize>)> {
    history().prop_flat_map(|history| {
        let events = history.events().len();
        (Just(history), schedule(events), prop::collection::vec(1..9_usize, 1..5))
    })
}

/// Ada owes 30 from before.
fn opened() -> World {
    let mut world = World::new();
    let back = Move::TakeBack { from: owner("ada@example.org"), amount: 30, of: None, expiring: None };
    let order = Order::Post { asset: Asset::Points, moves: vec![back] };
    let id = TransactionId::of_key("from before");
    world.ledger.run_one(Command::new(id, instant("2018-01-01T00:00:00Z"), Actor::System, order).expect("well-formed"));
    world
}

/// Retries everything, each event alone, until nothing changes.
fn settle(world: &mut World, points: &Points, events: &[Event]) {
    for _ in 0..3 {
        let before = world.clone();
        for event in events {
            world.deliver(points, &[(event.clone(), false)]);
        }
        if *world == before {
            return;
        }
    }
    panic!("retries never come to rest");
}

fn in_order(mut world: World, points: &Points, events: &[Event]) -> World {
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.occurred_at);
    for event in &events {
        world.deliver(points, &[(event.clone(), false)]);
    }
    settle(&mut world, points, &events);
    world
}

fn as_scheduled(mut world: World, points: &Points, events: &[Event], schedule: &Schedule, batches: &[usize]) -> World {
    let mut left = schedule.iter();
    for size in batches.iter().cycle() {
        let batch: Vec<_> =
            left.by_ref().take(*size).map(|(event, redecide)| (events[*event].clone(), *redecide)).collect();
        if batch.is_empty() {
            break;
        }
        world.deliver(points, &batch);
    }
    settle(&mut world, points, events);
    world
}

fn balances(world: &World) -> Vec<(Owner, i64, i64)> {
    let holdings = world.holdings().into_iter();
    holdings.map(|(owner, (lots, owed))| (owner, lots.values().sum(), owed)).collect()
}

fn outcomes(world: &World) -> std::collections::BTreeMap<rollbook_domain::FactRef, Outcome> {
    world.records.outcomes.iter().map(|(fact, seen)| (fact.clone(), seen.outcome)).collect()
}

/// What was moved is what may be: all of it without a cap, and under one no more than that.
fn assert_within_caps(world: &World) {
    for ((_, rule, scope), (earned, moved)) in world.sums() {
        let caps = scope.iter().flat_map(|scope| world.records.earned_in(scope)).filter_map(|earning| earning.capped);
        let cap = caps.map(|capped| capped.points).max().unwrap_or(i64::MAX);
        assert_eq!(moved, earned.min(cap), "{rule}");
        assert!(earned >= 0, "{rule}");
    }
}

/// The ledger moved what the rows say.
fn assert_posted(world: &World) {
    let mut moved = std::collections::BTreeMap::from([(owner("ada@example.org"), -30)]);
    for earning in world.records.earnings.values() {
        *moved.entry(earning.owner).or_default() += earning.moved;
    }
    moved.retain(|_, points| *points != 0);
    let posted: std::collections::BTreeMap<_, _> =
        balances(world).into_iter().map(|(owner, has, owes)| (owner, has - owes)).collect();
    assert_eq!(posted, moved);
}

proptest! {
    #![proptest_config(Config { cases: 256, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_delivery_gives_everybody_the_same_points((history, schedule, batches) in delivered()) {
        let (points, events) = (every_kind(), history.events());
        let expected = in_order(opened(), &points, events);
        let found = as_scheduled(opened(), &points, events, &schedule, &batches);
        prop_assert_eq!(outcomes(&found), outcomes(&expected));
        prop_assert_eq!(found.sums(), expected.sums());
        prop_assert_eq!(balances(&found), balances(&expected));
    }

    /// Without a debt, which the first award pays, even the dates on which they expire are the same.
    #[test]
    fn any_delivery_gives_points_that_expire_alike((history, schedule, batches) in delivered()) {
        let (points, events) = (every_kind(), history.events());
        let expected = in_order(World::new(), &points, events);
        let found = as_scheduled(World::new(), &points, events, &schedule, &batches);
        let expires = |world: &World| world.holdings().into_values().map(|(lots, _)| lots).collect::<Vec<_>>();
        prop_assert_eq!(expires(&found), expires(&expected));
    }

    #[test]
    fn a_replay_of_everything_changes_nothing((history, schedule, batches) in delivered()) {
        let (points, events) = (every_kind(), history.events());
        let mut world = in_order(opened(), &points, events);
        let before = world.clone();
        for batch in schedule.chunks(batches[0]) {
            let batch: Vec<_> = batch.iter().map(|(event, redecide)| (events[*event].clone(), *redecide)).collect();
            world.deliver(&points, &batch);
        }
        prop_assert_eq!(world, before);
    }

    #[test]
    fn caps_hold_and_the_ledger_follows_the_rows((history, schedule, batches) in delivered()) {
        let (points, events) = (every_kind(), history.events());
        let world = as_scheduled(opened(), &points, events, &schedule, &batches);
        assert_within_caps(&world);
        assert_posted(&world);
        world.ledger.assert_sound();
    }
}

/// The generator is worth something only if its histories hold what the rules are about.
#[test]
fn the_histories_are_not_dull() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut capped, mut taken_back, mut from_others, mut ignored, mut owing) = (0, 0, 0, 0, 0);
    for _ in 0..300 {
        let history = history().new_tree(&mut runner).expect("a history").current();
        let world = in_order(opened(), &every_kind(), history.events());
        let rows: Vec<_> = world.records.earnings.values().collect();
        capped += usize::from(rows.iter().any(|row| row.moved < row.earned));
        taken_back += usize::from(rows.iter().any(|row| row.moved < 0));
        from_others += usize::from(rows.iter().any(|row| row.earned == 0 && row.moved < 0));
        ignored += usize::from(outcomes(&world).values().any(|outcome| *outcome == Outcome::Ignored));
        owing += usize::from(balances(&world).iter().any(|(_, _, owes)| *owes > 0));
    }
    let seen = [capped, taken_back, from_others, ignored, owing];
    assert!(seen[0] > 100 && seen[1] > 100 && seen[2] > 10 && seen[3] > 50 && seen[4] > 50, "{seen:?}");
}
