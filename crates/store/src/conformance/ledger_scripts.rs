//! Random scripts against the naive model, in batches of any size.

use rollbook_ledger::Command;
use rollbook_ledger::model::{Model, Told, World, standing};

use super::Harness;
use super::ledger_samples::{Pair, the_invariants_agree};
use super::samples::nothing_is_broken;

/// Cuts of any size up to `most`, the same ones for the same seed.
fn batches(commands: &[Command], seed: u32, most: usize) -> Vec<&[Command]> {
    let (mut rest, mut state) = (commands, u64::from(seed) + 1);
    let mut batches = Vec::new();
    while !rest.is_empty() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let size = usize::try_from(state >> 33).unwrap_or_default() % most + 1;
        let (batch, left) = rest.split_at(size.min(rest.len()));
        batches.push(batch);
        rest = left;
    }
    batches
}

/// The store answers what the model tells, has what the tables in memory have, and asked once more,
/// in one batch and after everything else, answers as before.
async fn play(harness: &impl Harness, seeds: [u32; 3], most: usize) {
    let (store, worlds) = (harness.store(), seeds.map(World));
    let mut pair = Pair::of_worlds(&*store, &worlds).await;
    let mut model = Model::new(pair.memory.tables.members.clone());
    let mut scripts = Vec::new();
    for world in worlds {
        let script = world.drawn(u64::from(world.0), 60);
        pair.look_at(&[world]);
        for batch in batches(&script, world.0, most) {
            let answers = pair.run(batch).await;
            assert_eq!(answers.iter().map(Told::of).collect::<Vec<_>>(), model.run(batch), "{world:?}: {batch:?}");
        }
        scripts.extend(script);
    }
    assert_eq!(standing(&pair.memory.tables.rows), model.standing());
    the_invariants_agree(harness, &pair.memory).await;

    let before = pair.memory.tables.rows.clone();
    pair.look_at(&worlds);
    pair.run(&scripts).await;
    assert_eq!(pair.memory.tables.rows, before, "a replay changes nothing");
    nothing_is_broken(harness).await;
}

pub async fn scripts_go_as_the_model_says_one_by_one(harness: &impl Harness) {
    play(harness, [1, 2, 3], 1).await;
}

pub async fn scripts_go_as_the_model_says_in_small_batches(harness: &impl Harness) {
    play(harness, [4, 5, 6], 5).await;
}

pub async fn scripts_go_as_the_model_says_in_large_batches(harness: &impl Harness) {
    play(harness, [7, 8, 9], 40).await;
}
