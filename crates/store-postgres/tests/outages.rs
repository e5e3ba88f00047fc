//! The server away, silent, or busy with somebody else: `Unavailable`, in time, and well again
//! afterwards.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_domain::Reads;
use rollbook_store::{Records as _, Store as _, StoreError};
use rollbook_store_postgres::{Options, PostgresStore};
use sqlx::PgConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::fixture::Fresh;
use super::sample::{batch, email, membership, newcomer};
use super::{World, make};

fn ada() -> Reads {
    Reads { people: [email("ada@example.org")].into(), ..Reads::default() }
}

async fn register(store: &PostgresStore, address: &str) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    tx.write(&batch(membership(), vec![newcomer(address, address)])).await?;
    tx.commit().await
}

async fn terminate(stranger: &mut PgConnection) {
    let sql = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()) AS ended";
    let ended: i64 = sqlx::query_scalar(sql).fetch_one(stranger).await.expect("terminated");
    assert!(ended > 0, "nobody was connected");
}

fn unavailable<T>(result: Result<T, StoreError>) {
    match result {
        Err(StoreError::Unavailable(_)) => {}
        Err(other) => panic!("not unavailable: {other:?}"),
        Ok(_) => panic!("it succeeded"),
    }
}

#[tokio::test]
async fn a_terminated_connection_is_replaced() {
    let world = make().await;
    let mut stranger = world.fresh.connect().await;
    for number in 0..10 {
        register(&world.store, &format!("idle-{number}@example.org")).await.unwrap();
        terminate(&mut stranger).await;
    }
    assert_eq!(world.store.members(None).await.unwrap().len(), 10);
}

#[tokio::test]
async fn a_transaction_whose_connection_is_terminated_is_unavailable() {
    let world = make().await;
    let mut stranger = world.fresh.connect().await;
    let work = batch(membership(), vec![newcomer("ada@example.org", "paid")]);

    let mut tx = world.store.begin().await.unwrap();
    terminate(&mut stranger).await;
    unavailable(tx.load(&membership(), &ada()).await);
    let mut tx = world.store.begin().await.unwrap();
    tx.load(&membership(), &ada()).await.unwrap();
    terminate(&mut stranger).await;
    unavailable(tx.write(&work).await);
    let mut tx = world.store.begin().await.unwrap();
    tx.write(&work).await.unwrap();
    terminate(&mut stranger).await;
    unavailable(tx.commit().await);

    world.store.probe().await.unwrap();
    assert!(world.store.members(None).await.unwrap().is_empty());
    register(&world.store, "ada@example.org").await.unwrap();
}

/// The same options, but hurried.
fn hurried(world: &World, statement_timeout: Duration, lock_timeout: Duration) -> PostgresStore {
    let options = Options { statement_timeout, lock_timeout, ..Options::new(&world.fresh.url) };
    PostgresStore::connect(&options).expect("a store")
}

#[tokio::test]
async fn a_lock_that_somebody_holds_is_not_waited_for_for_ever() {
    let world = make().await;
    register(&world.store, "ada@example.org").await.unwrap();
    let mut stranger = world.fresh.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE person IN ACCESS EXCLUSIVE MODE").execute(&mut stranger).await.unwrap();
    let (soon, late) = (Duration::from_millis(200), Duration::from_secs(20));
    for (statement_timeout, lock_timeout) in [(late, soon), (soon, Duration::ZERO)] {
        let store = hurried(&world, statement_timeout, lock_timeout);
        let began = Instant::now();
        unavailable(store.begin().await.unwrap().load(&membership(), &ada()).await);
        unavailable(store.members(None).await);
        unavailable(register(&store, "bob@example.org").await);
        assert!(began.elapsed() < late / 2, "{:?}", began.elapsed());
        // The server is well, only busy: the probe says so.
        store.probe().await.unwrap();
    }
    sqlx::raw_sql("COMMIT").execute(&mut stranger).await.unwrap();
    register(&world.store, "bob@example.org").await.unwrap();
}

/// A worker that is stopped between load and commit must not hold its people for ever.
#[tokio::test]
async fn an_idle_transaction_is_ended_by_the_server() {
    let world = make().await;
    register(&world.store, "ada@example.org").await.unwrap();
    let asleep = hurried(&world, Duration::from_millis(300), Duration::ZERO);
    let mut stopped = asleep.begin().await.unwrap();
    stopped.load(&membership(), &ada()).await.unwrap();
    let mut next = world.store.begin().await.unwrap();
    next.load(&membership(), &ada()).await.unwrap();
    next.commit().await.unwrap();
    unavailable(stopped.write(&batch(membership(), vec![newcomer("bob@example.org", "b")])).await);
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_may_come_later() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let store = PostgresStore::connect(&Options::new(format!("postgres://r@{nobody}/r"))).unwrap();
    let (begun, probed) = tokio::join!(store.begin(), store.probe());
    unavailable(begun);
    unavailable(probed);
    unavailable(store.migrate().await);
}

#[tokio::test]
async fn a_pool_that_is_empty_is_unavailable() {
    let world = make().await;
    let options = Options { max_connections: 1, ..Options::new(&world.fresh.url) };
    let store = PostgresStore::connect(&options).unwrap();
    let held = store.begin().await.unwrap();
    unavailable(store.begin().await);
    drop(held);
    store.probe().await.unwrap();
}

/// Passes bytes on while `open`, and holds them back otherwise, as a network that drops packets.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut open: watch::Receiver<bool>) {
    let mut buffer = vec![0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let opened = open.wait_for(|open| *open).await.is_ok();
        if !opened || to.write_all(&buffer[..read]).await.is_err() {
            break;
        }
    }
}

/// A way to the server that can be closed. Returns the URL of its near end.
async fn gate(fresh: &Fresh, open: watch::Receiver<bool>) -> String {
    let (before, after) = fresh.url.split_once('@').expect("an address");
    let (server, database) = after.split_once('/').expect("a database");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let near = listener.local_addr().expect("a port");
    let server: Arc<str> = server.into();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (here, there) =
                (client.into_split(), TcpStream::connect(&*server).await.expect("the server").into_split());
            tokio::spawn(pass(here.0, there.1, open.clone()));
            tokio::spawn(pass(there.0, here.1, open.clone()));
        }
    });
    format!("{before}@{near}/{database}")
}

/// No reset, no answer: only our own clock can end it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_unavailable() {
    let world = make().await;
    let (valve, open) = watch::channel(true);
    let options = Options {
        statement_timeout: Duration::from_secs(1),
        max_connections: 2,
        ..Options::new(gate(&world.fresh, open).await)
    };
    let store = PostgresStore::connect(&options).unwrap();
    register(&store, "ada@example.org").await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let began = Instant::now();
    valve.send(false).unwrap();
    unavailable(tx.load(&membership(), &ada()).await);
    drop(tx);
    unavailable(register(&store, "bob@example.org").await);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    valve.send(true).unwrap();
    register(&store, "bob@example.org").await.unwrap();
}
