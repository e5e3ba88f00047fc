//! Several processes on one file: each has a store of its own, and only the file between them.

use std::sync::Arc;

use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{Actor, Answer, Asset, Command, Destination, Move, Order, Owner, TransactionId, Verdict};
use rollbook_store::{Ledger as _, StoreError};
use rollbook_store_sqlite::SqliteStore;
use uuid::Uuid;

use super::make;

const OWNER: Owner = Owner::Person(PersonId(Uuid::from_u128(7)));
const AT: Timestamp = Timestamp::constant(1_740_000_000, 0);

fn command(number: u32, step: Move) -> Command {
    let order = Order::Post { asset: Asset::Points, moves: vec![step] };
    Command::new(TransactionId::of_key(&number.to_string()), AT, Actor::System, order).expect("well-formed")
}

/// Whoever found the file locked for too long asks again.
async fn ask(store: &SqliteStore, command: Command) -> Answer {
    loop {
        match store.execute(std::slice::from_ref(&command), AT).await {
            Ok(mut answers) => return answers.remove(0),
            Err(StoreError::Unavailable(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_points_are_redeemed_once_by_four_processes() {
    let file = make().await;
    ask(&file.store, command(0, Move::Award { to: OWNER, amount: 10, expires_at: None })).await;
    let mut stores = Vec::new();
    for _ in 0..4 {
        stores.push(Arc::new(SqliteStore::open(&file.path()).await.unwrap()));
    }
    let redeem = Move::Spend { from: OWNER, to: Destination::Redeemed, amount: 10 };
    let callers = stores.iter().cycle().zip(1..=64_u32).map(|(store, number)| {
        let store = Arc::clone(store);
        tokio::spawn(async move { ask(&store, command(number, redeem)).await.verdict })
    });
    let (mut applied, mut insufficient) = (0, 0);
    for caller in callers.collect::<Vec<_>>() {
        match caller.await.unwrap() {
            Verdict::Applied => applied += 1,
            Verdict::Rejected(refusal) if refusal.reason.as_str() == "insufficient_points" => insufficient += 1,
            Verdict::Rejected(refusal) => panic!("{refusal:?}"),
        }
    }
    assert_eq!((applied, insufficient), (1, 63));
    assert_eq!(file.store.standing(Asset::Points, OWNER).await.unwrap().sums.posted, 0);
}
