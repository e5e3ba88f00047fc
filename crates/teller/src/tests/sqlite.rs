//! With a real ledger in a file.

use rollbook_ledger::{Actor, Asset, Destination, Move, Order, Owner, Verdict, reasons};
use rollbook_store::{Ledger, Standing};
use rollbook_store_sqlite::SqliteStore;
use tempfile::TempDir;

use super::*;
use crate::fakes::{context, days, member, noon};
use crate::{Pace, Sweep, Swept};

async fn open(folder: &TempDir) -> Arc<SqliteStore> {
    let store = SqliteStore::open(&folder.path().join("rollbook.db")).await.unwrap();
    store.migrate().await.unwrap();
    Arc::new(store)
}

fn teller(store: &Arc<SqliteStore>) -> Teller {
    Teller::new(Arc::clone(store) as Arc<dyn Ledger>, context(), Options::default())
}

fn post(name: &str, step: Move) -> Command {
    Command::new(id(name), noon(), Actor::System, Order::Post { asset: Asset::Points, moves: vec![step] }).unwrap()
}

fn give(name: &str, to: Owner, amount: i64) -> Command {
    post(name, Move::Award { to, amount, expires_at: None })
}

fn redeem(name: &str, from: Owner, amount: i64) -> Command {
    post(name, Move::Spend { from, to: Destination::Redeemed, amount })
}

fn transfer(name: &str, from: Owner, to: Owner) -> Command {
    post(name, Move::Spend { from, to: Destination::Owner(to), amount: 1 })
}

async fn posted(store: &SqliteStore, owner: Owner) -> i64 {
    store.standing(Asset::Points, owner).await.unwrap().sums.posted
}

/// Two tellers are two processes: they share nothing but the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_redemptions_at_once_exactly_one_is_covered() {
    let folder = TempDir::new().unwrap();
    let (here, there) = (open(&folder).await, open(&folder).await);
    let tellers = [teller(&here), teller(&there)];
    tellers[0].execute(give("award", member("ada"), 100)).await.unwrap();
    let calls = (0..64).map(|n| {
        let teller = tellers[n % 2].clone();
        tokio::spawn(async move { teller.execute(redeem(&format!("r{n}"), member("ada"), 100)).await })
    });
    let mut applied = 0;
    for (n, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        let answer = call.await.unwrap().unwrap();
        assert_eq!(answer.id, id(&format!("r{n}")), "another's answer");
        match answer.verdict {
            Verdict::Applied => applied += 1,
            Verdict::Rejected(refusal) => assert_eq!(refusal.reason, reasons::INSUFFICIENT_POINTS),
        }
    }
    assert_eq!((applied, posted(&here, member("ada")).await), (1, 0));
}

/// Callers give up at any moment and ask again, until they have heard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_that_give_up_and_ask_again_move_each_point_once() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let teller = teller(&store);
    teller.execute(give("award", member("ada"), 1000)).await.unwrap();
    let callers = (0..16_u64).map(|caller| {
        let teller = teller.clone();
        tokio::spawn(async move {
            for n in 0..20 {
                let name = format!("{caller}-{n}");
                let command = transfer(&name, member("ada"), member("bea"));
                assert!(teller.execute(command.clone()).now_or_never().is_none());
                let mut patience = Duration::from_micros(100 * (caller + 1));
                loop {
                    let Ok(answer) = tokio::time::timeout(patience, teller.execute(command.clone())).await else {
                        patience += patience / 2;
                        continue;
                    };
                    assert_eq!(answer.unwrap().verdict, Verdict::Applied);
                    break;
                }
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    assert_eq!((posted(&store, member("ada")).await, posted(&store, member("bea")).await), (680, 320));
}

#[tokio::test]
async fn commands_in_order_build_on_each_other_in_one_batch() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let teller = teller(&store);
    let commands = vec![give("a", member("ada"), 5), redeem("b", member("ada"), 5), redeem("c", member("ada"), 1)];
    let answers = teller.execute_all(commands.clone()).await.unwrap();
    let left: Vec<_> = answers.iter().map(|answer| answer.left.unwrap().posted).collect();
    assert_eq!(left, [5, 0, 0]);
    assert!(matches!(answers[2].verdict, Verdict::Rejected(_)));
    let again = teller.execute_all(commands).await.unwrap();
    let repeated = answers.into_iter().map(|answer| Answer { repeated: true, ..answer });
    assert_eq!(again, repeated.collect::<Vec<_>>());
}

#[tokio::test]
async fn the_sweep_expires_what_lies() {
    let folder = TempDir::new().unwrap();
    let store = open(&folder).await;
    let teller = teller(&store);
    let lot = |n: i64| {
        let (to, expires_at) = (member(&format!("m{n}")), Some(days(n)));
        let moves = vec![Move::Award { to, amount: 10, expires_at }];
        let order = Order::Post { asset: Asset::Points, moves };
        Command::new(id(&format!("lot {n}")), days(0), Actor::System, order).unwrap()
    };
    teller.execute_all((1..=30).map(lot).collect()).await.unwrap();
    let later = crate::Context { clock: Arc::new(|| days(25)), ..context() };
    let teller = Teller::new(Arc::clone(&store) as Arc<dyn Ledger>, later, Options::default());
    let sweep = Sweep::new(teller, Pace { page: 10, ..Pace::default() });
    assert_eq!(sweep.round().await.unwrap(), Swept { expired: 25, ..Swept::default() });
    assert_eq!(sweep.round().await.unwrap(), Swept::default());
    let Standing { sums, owed } = store.outstanding(Asset::Points).await.unwrap();
    assert_eq!((sums.posted, owed), (50, 0));
}
