//! Promises over random scripts: the model agrees, batches are invisible, replays change nothing.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollbook_ledger::model::{Model, Step, Tables, Told, World, at, in_order, script, standing};
use rollbook_ledger::{Account, Actor, Answer, Asset, Command, Move, Order, Verdict};

const WORLD: World = World(0);

fn empty() -> Tables {
    Tables::new(WORLD.members())
}

fn one_by_one(commands: &[Command]) -> (Vec<Answer>, Tables) {
    let mut tables = empty();
    let answers = commands.iter().map(|command| tables.run_one(command.clone())).collect();
    (answers, tables)
}

/// No earlier than anything that happened.
fn end(tables: &Tables) -> i64 {
    tables.rows.transactions.iter().map(|one| one.at.as_second()).max().unwrap_or(100)
}

fn applied(tables: &mut Tables, n: usize, now: i64, moves: Vec<Move>) {
    let order = Order::Post { asset: Asset::Points, moves };
    let answer = tables.run_one(Command::new(WORLD.id(n), at(now), Actor::System, order).unwrap());
    assert_eq!(answer.verdict, Verdict::Applied);
    tables.assert_sound();
}

/// What is posted, and what is owed as a negative.
fn has(tables: &Tables, n: usize) -> (i64, i64) {
    let owner = WORLD.owner(n);
    let posted = |account: Account| {
        let found = tables.rows.balances.iter().find(|row| row.account == account);
        found.map_or(0, |row| row.sums.posted)
    };
    (posted(Account::available(Asset::Points, owner)), posted(Account::owed(Asset::Points, owner)))
}

fn net(tables: &Tables, n: usize) -> i64 {
    let (posted, owed) = has(tables, n);
    posted + owed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// After every step, the model says the same of the answer and of who has what; all invariants hold.
    #[test]
    fn the_ledger_does_what_the_naive_model_does(script in script(1..60)) {
        let (mut tables, mut model) = (empty(), Model::new(WORLD.members()));
        for (n, command) in WORLD.commands(&script).into_iter().enumerate() {
            let expected = model.run(std::slice::from_ref(&command)).remove(0);
            let answer = tables.run_one(command.clone());
            prop_assert_eq!(Told::of(&answer), expected, "step {}: {:?}", n, command);
            prop_assert_eq!(standing(&tables.rows), model.standing(), "step {}: {:?}", n, command);
            tables.assert_sound();
        }
    }

    /// I10. Also the rows are the same, to the last one.
    #[test]
    fn no_batching_shows(script in script(1..60), cuts in prop::collection::vec(1..20_usize, 60)) {
        let commands = WORLD.commands(&script);
        let (expected, alone) = one_by_one(&commands);
        let (mut tables, mut answers, mut rest) = (empty(), Vec::new(), &commands[..]);
        for cut in cuts {
            let (batch, later) = rest.split_at(cut.min(rest.len()));
            answers.extend(tables.run(batch));
            tables.assert_sound();
            rest = later;
        }
        prop_assert_eq!(answers, expected);
        prop_assert_eq!(tables, alone);
    }

    /// Whatever another process commits between the first reading and the locks.
    #[test]
    fn a_batch_that_is_overtaken_stays_sound(script in script(1..60), cuts in prop::collection::vec((1..5_usize, 0..4_usize), 60)) {
        let commands = WORLD.commands(&script);
        let (mut snapshots, mut rest) = (vec![empty()], &commands[..]);
        for (cut, behind) in cuts {
            let (batch, later) = rest.split_at(cut.min(rest.len()));
            let mut tables = snapshots.last().cloned().unwrap_or_default();
            let before = &snapshots[snapshots.len().saturating_sub(behind + 1)];
            tables.run_overtaken(before, batch);
            tables.assert_sound();
            snapshots.push(tables);
            rest = later;
        }
    }

    /// I6 and I7: any commands again, in any order, alone or together with an earlier `at` or not.
    #[test]
    fn replays_change_nothing(script in script(1..40), again in prop::collection::vec(any::<prop::sample::Index>(), 1..40)) {
        let commands = WORLD.commands(&script);
        prop_assume!(!commands.is_empty());
        let (answers, mut tables) = one_by_one(&commands);
        let before = tables.clone();
        let recorded = |n: usize| before.rows.transactions.iter().any(|one| one.id == commands[n].id());
        let picked: Vec<_> = again.iter().map(|index| index.index(commands.len())).filter(|n| recorded(*n)).collect();
        let replayed: Vec<_> = picked.iter().map(|n| commands[*n].clone()).collect();
        let told_again = tables.run(&replayed);
        prop_assert_eq!(&tables, &before);
        for (n, answer) in picked.into_iter().zip(told_again) {
            // A sweep that came too early was told so; by now it may be done.
            let early = matches!(commands[n].order(), rollbook_ledger::Order::Expire(_));
            prop_assert!(early || Told::of(&answer) == Told::of(&answers[n]), "{:?}", commands[n]);
        }
    }

    /// Where time does not run backwards, sweeps may run at any time, or never until the end.
    #[test]
    fn it_does_not_matter_when_the_sweep_runs(script in script(1..40), swept in prop::collection::vec(any::<bool>(), 40)) {
        // Whoever names an expiry sees whether it was booked.
        let named = |step: &Step| matches!(step, Step::ReverseExpiry(_) | Step::ExpireHold(_) | Step::ExpireLot(..));
        let forward = script.into_iter().filter(|one| !named(&one.0)).map(|one| (one.0, one.1.abs(), one.2, one.3));
        let commands = WORLD.commands(&forward.collect::<Vec<_>>());
        let (expected, mut never) = one_by_one(&commands);
        let mut often = empty();
        for ((command, sweeps), answer) in commands.iter().zip(swept).zip(expected) {
            if sweeps {
                often.run(&often.due(command.at()));
            }
            prop_assert_eq!(often.run_one(command.clone()), answer);
            often.assert_sound();
        }
        for tables in [&mut never, &mut often] {
            tables.run(&tables.due(at(10_000)));
            prop_assert!(tables.due(at(10_000)).is_empty(), "one sweep does all");
            tables.rows = in_order(std::mem::take(&mut tables.rows));
            // Expiries of different accounts may be booked in another order, and versions with them.
            for leg in &mut tables.rows.legs {
                (leg.from_version, leg.to_version) = (None, None);
            }
        }
        prop_assert_eq!(never, often);
    }

    /// I13: in whatever state, and even if what was awarded expires in between.
    #[test]
    fn an_award_taken_back_leaves_available_and_owed_where_they_began(
        script in script(1..40), to in 0..5_usize, amount in 1..30_i64, life in prop::option::of(1..20_i64), later in 0..30_i64,
    ) {
        let (_, mut tables) = one_by_one(&WORLD.commands(&script));
        let now = end(&tables);
        tables.run(&tables.due(at(now + later)));
        let before = net(&tables, to);
        let award = Move::Award { to: WORLD.owner(to), amount, expires_at: life.map(|life| at(now + life)) };
        applied(&mut tables, 1000, now, vec![award]);
        tables.run(&tables.due(at(now + later)));
        let take_back = Move::TakeBack { from: WORLD.owner(to), amount, of: Some(WORLD.id(1000)), expiring: None };
        applied(&mut tables, 1001, now + later, vec![take_back]);
        prop_assert_eq!(net(&tables, to), before);
    }

    #[test]
    fn parts_take_back_as_much_as_the_whole(
        script in script(1..40), from in 0..5_usize, parts in prop::collection::vec(1..20_i64, 1..4), of in any::<prop::sample::Index>(),
    ) {
        let commands = WORLD.commands(&script);
        prop_assume!(!commands.is_empty());
        let (_, tables) = one_by_one(&commands);
        let (now, of) = (end(&tables), Some(commands[of.index(commands.len())].id()));
        let take_back = |amount| Move::TakeBack { from: WORLD.owner(from), amount, of, expiring: None };
        let (mut whole, mut apart, mut together) = (tables.clone(), tables.clone(), tables);
        applied(&mut whole, 1000, now, vec![take_back(parts.iter().sum())]);
        for (n, part) in parts.iter().enumerate() {
            applied(&mut apart, 1000 + n, now, vec![take_back(*part)]);
        }
        applied(&mut together, 1000, now, parts.iter().map(|part| take_back(*part)).collect());
        prop_assert_eq!(has(&apart, from), has(&whole, from));
        prop_assert_eq!(has(&together, from), has(&whole, from));
    }

    /// I13 again, by the other way: refused as long as a part was taken back otherwise, and then whole.
    #[test]
    fn an_award_is_reversed_once_its_take_backs_are(
        script in script(1..40), to in 0..5_usize, parts in prop::collection::vec(1..20_i64, 1..4),
        life in prop::option::of(1..20_i64), later in 0..30_i64,
    ) {
        let (_, mut tables) = one_by_one(&WORLD.commands(&script));
        let (now, awarded) = (end(&tables), parts.iter().sum());
        tables.run(&tables.due(at(now + later)));
        let before = net(&tables, to);
        let award = Move::Award { to: WORLD.owner(to), amount: awarded, expires_at: life.map(|life| at(now + life)) };
        applied(&mut tables, 1000, now, vec![award]);
        for (n, part) in (1001..).zip(&parts) {
            let take_back = Move::TakeBack { from: WORLD.owner(to), amount: *part, of: Some(WORLD.id(1000)), expiring: None };
            applied(&mut tables, n, now + later, vec![take_back]);
        }
        let reverse = |tables: &mut Tables, n: usize, transaction: usize| {
            let order = Order::Reverse { transaction: WORLD.id(transaction) };
            Told::of(&tables.run_one(Command::new(WORLD.id(n), at(now + later), Actor::System, order).unwrap())).reason
        };
        prop_assert_eq!(net(&tables, to), before);
        for (n, _) in (0..).zip(&parts) {
            prop_assert_eq!(reverse(&mut tables, 2000 + n, 1000), Some("already_taken_back".to_owned()));
            prop_assert_eq!(reverse(&mut tables, 3000 + n, 1001 + n), None);
        }
        prop_assert_eq!(reverse(&mut tables, 4000, 1000), None);
        tables.assert_sound();
        prop_assert_eq!(net(&tables, to), before);
    }

    /// A dispute that is won: every unit lies where it lay, and every debt is as it was.
    #[test]
    fn a_take_back_reversed_at_once_was_never_there(
        script in script(1..40), from in 0..5_usize, amount in 1..40_i64, of in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let commands = WORLD.commands(&script);
        prop_assume!(!commands.is_empty());
        let (_, mut tables) = one_by_one(&commands);
        let now = end(&tables);
        tables.run(&tables.due(at(now)));
        let before = standing(&tables.rows);
        let of = of.map(|of| commands[of.index(commands.len())].id());
        applied(&mut tables, 1000, now, vec![Move::TakeBack { from: WORLD.owner(from), amount, of, expiring: None }]);
        let reverse = Order::Reverse { transaction: WORLD.id(1000) };
        let answer = tables.run_one(Command::new(WORLD.id(1001), at(now), Actor::System, reverse).unwrap());
        prop_assert_eq!(answer.verdict, Verdict::Applied);
        tables.assert_sound();
        prop_assert_eq!(standing(&tables.rows), before);
    }
}

/// Scripts that never come to it would show nothing of it.
#[test]
fn scripts_reverse_what_was_taken_back() {
    let (mut refused, mut after) = (0, 0);
    for seed in 0..200 {
        let (answers, tables) = one_by_one(&WORLD.drawn(seed, 60));
        refused += answers.iter().filter(|one| Told::of(one).reason.as_deref() == Some("already_taken_back")).count();
        let taken: BTreeSet<_> = tables.rows.legs.iter().filter_map(|leg| leg.takes_back).collect();
        let reversals = tables.rows.transactions.iter().filter(|one| one.is_applied()).filter_map(|one| one.reverses);
        after += reversals.filter(|reversed| taken.contains(reversed)).count();
    }
    assert!(refused >= 30 && after >= 15, "{refused} refused, {after} after the take-backs were reversed");
}
