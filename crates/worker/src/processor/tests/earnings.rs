//! What events earn goes to the ledger in the transaction that settles them.

use rollbook_domain::{FactRef, Owner};
use rollbook_ledger::{Command, Move, Order, TransactionId};
use uuid::Uuid;

use super::*;

fn commands(world: &World) -> Vec<Command> {
    world.store.look().batches.iter().flat_map(|batch| batch.commands.clone()).collect()
}

fn earned_by(transaction: &str) -> TransactionId {
    let key = format!("payment:{transaction}:captured").into();
    TransactionId::earned_by(&FactRef { account: "merchant".into(), key })
}

#[tokio::test(start_paused = true)]
async fn a_fact_that_earns_is_one_command() {
    let world = World::with(["earn-a=15 plain", "earn-b=0.07 earn-a=15", "earn-none=0"]);
    world.run().await;
    let commands = commands(&world);
    let ids: Vec<_> = commands.iter().map(Command::id).collect();
    assert_eq!(ids, [earned_by("earn-a"), earned_by("earn-b")]);
    let to = Owner::Person(PersonId(Uuid::nil()));
    let Order::Post { moves, .. } = commands[1].order() else { panic!("no post: {commands:?}") };
    assert_eq!(moves[..], [Move::Award { to, amount: 7, expires_at: None }]);
    assert_eq!(commands[1].at(), fakes::event("earn-b").occurred_at);
    assert_eq!(world.applied(), 4);
}

/// The ledger would never take it, so the batch is split until it stands alone.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_moved_is_a_dead_letter_alone() {
    let world = World::with(["earn-a=15", "earn-b=90071992547409.92", "earn-c=15"]);
    world.run().await;
    assert_eq!(commands(&world).iter().map(Command::id).collect::<Vec<_>>(), ["earn-a", "earn-c"].map(earned_by));
    assert_eq!(world.dead(), dead(&[("store_refused", 3)]));
    assert_eq!(world.applied(), 2);
}
