//! Promises over random scripts: the model agrees, batches are invisible, replays change nothing.

use proptest::prelude::*;
use rollbook_ledger::model::{Model, Step, Tables, Told, World, at, in_order, script, standing};
use rollbook_ledger::{Answer, Command};

const WORLD: World = World(0);

fn empty() -> Tables {
    Tables::new(WORLD.members())
}

fn one_by_one(commands: &[Command]) -> (Vec<Answer>, Tables) {
    let mut tables = empty();
    let answers = commands.iter().map(|command| tables.run_one(command.clone())).collect();
    (answers, tables)
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
}
