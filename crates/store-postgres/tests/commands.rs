//! The ledger from several pools at once, as from several processes, beside workers and strangers.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Command, Destination, Move, Order, Owner, Sums, TransactionId, Verdict,
};
use rollbook_store::{Batch, Ledger as _, Store as _, StoreError};
use rollbook_store_postgres::{Options, PostgresStore};
use tokio::sync::Barrier;

use super::sample::{batch, email, membership, newcomer};
use super::{World, make};

fn owner(number: usize) -> Owner {
    Owner::Person(PersonId::of_first_address(&email(&format!("member-{number}@example.org"))))
}

fn post(key: &str, step: Move) -> Command {
    let order = Order::Post { asset: Asset::Points, moves: vec![step] };
    Command::new(TransactionId::of_key(key), Timestamp::UNIX_EPOCH, Actor::System, order).expect("a command")
}

fn award(key: &str, to: usize, amount: i64) -> Command {
    post(key, Move::Award { to: owner(to), amount, expires_at: None })
}

fn redeem(key: &str, from: usize, amount: i64) -> Command {
    post(key, Move::Spend { from: owner(from), to: Destination::Redeemed, amount })
}

/// Pools of their own, as many processes have them.
fn pools(world: &World, number: usize) -> Vec<PostgresStore> {
    (0..number).map(|_| PostgresStore::connect(&Options::new(&world.fresh.url)).expect("a store")).collect()
}

/// As a caller does it; no deadlock is expected.
async fn execute(store: &PostgresStore, commands: &[Command]) -> Vec<Answer> {
    for _ in 0..50 {
        match store.execute(commands, Timestamp::UNIX_EPOCH).await {
            Ok(answers) => return answers,
            Err(StoreError::Conflict(source)) => assert!(!source.to_string().contains("40P01"), "{source}"),
            Err(error) => panic!("neither done nor a conflict: {error:?}"),
        }
    }
    panic!("fifty conflicts in a row");
}

/// The same for a worker: an event of its own and these commands.
async fn work(store: &PostgresStore, key: &str, commands: Vec<Command>) {
    let event = newcomer(&format!("{key}@example.org"), key);
    let work = Batch { commands, ..batch(membership(), vec![event]) };
    for _ in 0..50 {
        let mut tx = store.begin().await.expect("begun");
        let written = match tx.write(&work).await {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => return,
            Err(StoreError::Conflict(source)) => assert!(!source.to_string().contains("40P01"), "{source}"),
            Err(error) => panic!("neither done nor a conflict: {error:?}"),
        }
    }
    panic!("fifty conflicts in a row");
}

fn reason(answer: &Answer) -> &str {
    match &answer.verdict {
        Verdict::Applied => "applied",
        Verdict::Rejected(refusal) => refusal.reason.as_str(),
    }
}

async fn posted(store: &PostgresStore, number: usize) -> i64 {
    store.standing(Asset::Points, owner(number)).await.expect("read").sums.posted
}

async fn the_ledger_is_sound(world: &World) {
    use rollbook_store::Records as _;
    let checks = world.store.snapshot().await.expect("a snapshot").checks().await.expect("checked");
    // These people have neither paid nor signed; that is not what is shown here.
    let broken: Vec<_> =
        checks.iter().filter(|check| check.broken > 0 && check.name != "people_have_an_effect").collect();
    assert!(broken.is_empty(), "{broken:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_points_are_redeemed_once_from_many_pools() {
    let world = make().await;
    execute(&world.store, &[award("award", 1, 10)]).await;
    let stores = pools(&world, 4);
    let tills = (0..64).map(|till| {
        let store = stores[till % stores.len()].clone();
        tokio::spawn(async move { execute(&store, &[redeem(&format!("till {till}"), 1, 10)]).await.remove(0) })
    });
    let mut applied = 0;
    for till in tills.collect::<Vec<_>>() {
        match reason(&till.await.expect("answered")) {
            "applied" => applied += 1,
            other => assert_eq!(other, "insufficient_points"),
        }
    }
    assert_eq!((applied, posted(&world.store, 1).await), (1, 0));
    the_ledger_is_sound(&world).await;
}

/// The same new owners in another order for each pool: circles wherever there is no common order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_over_the_same_new_accounts_do_not_deadlock() {
    let world = make().await;
    for round in 0..6 {
        let start = Arc::new(Barrier::new(6));
        let callers = pools(&world, 6).into_iter().enumerate().map(|(caller, store)| {
            let start = start.clone();
            // 101 is prime: every step visits each owner once.
            let owners = (0..101).map(|turn| round * 101 + (turn * (caller + 1) + caller * 9) % 101);
            let batch: Vec<_> = owners.map(|owner| award(&format!("{caller}:{owner}"), owner, 1)).collect();
            tokio::spawn(async move {
                start.wait().await;
                execute(&store, &batch).await;
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.expect("executed");
        }
        assert_eq!(posted(&world.store, round * 101 + 7).await, 6);
    }
    the_ledger_is_sound(&world).await;
}

/// Workers lock people and facts before, accounts last; callers lock accounts alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_and_callers_do_not_deadlock() {
    let world = make().await;
    let tasks = pools(&world, 6).into_iter().enumerate().map(|(task, store)| {
        tokio::spawn(async move {
            for round in 0..10 {
                let owners = (0..7).map(|turn| (turn * (task + 1) + round) % 7);
                let commands = owners.map(|owner| award(&format!("{task}:{round}:{owner}"), owner, 1)).collect();
                if task % 2 == 0 {
                    work(&store, &format!("{task}-{round}"), commands).await;
                } else {
                    execute(&store, &commands).await;
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("worked");
    }
    let all = world.store.outstanding(Asset::Points).await.expect("read");
    assert_eq!(all.sums, Sums { posted: 6 * 10 * 7, held: 0 });
    the_ledger_is_sound(&world).await;
}

/// One id for two owners: no account is locked by both, so the id itself must stop the second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_two_decide_at_once_is_a_conflict_and_then_a_duplicate() {
    let world = make().await;
    execute(&world.store, &[award("one", 1, 5), award("two", 2, 5)]).await;
    let mut first = world.store.begin().await.unwrap();
    let work = Batch { commands: vec![redeem("same", 1, 5)], ..batch(membership(), Vec::new()) };
    first.write(&work).await.unwrap();
    let store = world.store.clone();
    let second = tokio::spawn(async move { store.execute(&[redeem("same", 2, 5)], Timestamp::UNIX_EPOCH).await });
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut stranger = world.fresh.connect().await;
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut stranger).await.unwrap() == 0 {
        assert!(!second.is_finished(), "it did not wait");
    }
    first.commit().await.unwrap();
    let lost = second.await.unwrap();
    assert!(matches!(lost, Err(StoreError::Conflict(_))), "{lost:?}");
    let again = execute(&world.store, &[redeem("same", 2, 5)]).await;
    assert_eq!(reason(&again[0]), "conflicting_duplicate");
    assert_eq!((posted(&world.store, 1).await, posted(&world.store, 2).await), (0, 5));
}

/// What keeps a command from being decided is no answer to it: it leaves no row, and may be asked again.
#[tokio::test]
async fn a_busy_account_is_no_refusal() {
    let world = make().await;
    execute(&world.store, &[award("award", 1, 5)]).await;
    let mut stranger = world.fresh.connect().await;
    let account = Account::available(Asset::Points, owner(1)).id().0;
    sqlx::raw_sql("BEGIN").execute(&mut stranger).await.unwrap();
    let lock = sqlx::query("SELECT FROM ledger_account WHERE id = $1 FOR UPDATE").bind(account);
    lock.execute(&mut stranger).await.unwrap();
    let soon = Duration::from_millis(200);
    for (statement_timeout, lock_timeout) in [(soon * 100, soon), (soon, Duration::ZERO)] {
        let options = Options { statement_timeout, lock_timeout, ..Options::new(&world.fresh.url) };
        let hurried = PostgresStore::connect(&options).unwrap();
        let failed = hurried.execute(&[redeem("redeem", 1, 5)], Timestamp::UNIX_EPOCH).await;
        assert!(matches!(failed, Err(StoreError::Unavailable(_))), "{failed:?}");
    }
    sqlx::raw_sql("COMMIT").execute(&mut stranger).await.unwrap();
    assert_eq!(world.store.decided(TransactionId::of_key("redeem")).await.unwrap(), None);
    let answers = execute(&world.store, &[redeem("redeem", 1, 5)]).await;
    assert_eq!((reason(&answers[0]), answers[0].repeated), ("applied", false));
}

/// Decided by what stood there before, and written past every lock.
#[tokio::test]
async fn a_leg_by_an_outdated_balance_is_refused() {
    let world = make().await;
    execute(&world.store, &[award("one", 1, 5)]).await;
    let leg = "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, to_version)
               SELECT l.transaction_id, 9, 'points', l.from_account, l.to_account, 1, l.to_version + $1 FROM leg AS l";
    let mut stranger = world.fresh.connect().await;
    for (ahead, lawful) in [(0_i64, false), (2, false), (1, true)] {
        let written = sqlx::query(leg).bind(ahead).execute(&mut stranger).await;
        assert_eq!(written.is_ok(), lawful, "{ahead}: {written:?}");
    }
    assert_eq!(posted(&world.store, 1).await, 6);
    the_ledger_is_sound(&world).await;
}
