//! How fast points change hands: `tests/services run postgres -- sh -c 'cargo run --release
//! -p rollbook-store-postgres --example ledger_rate_postgres -- $ROLLBOOK_TEST_POSTGRES [SECONDS]'` fills that
//! database (a throwaway one!) and prints a line a way of working, each measured for so many
//! seconds, on one hot account and on 10000. Beside it the naive way: a transaction a transfer, rows
//! locked by `SELECT … FOR UPDATE`, 16 connections. After that, what other kinds of work cost by the
//! size of a commit. Not a test: figures are for people.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{
    Account, Actor, Asset, Command, Destination, LARGEST, Move, Order, Owner, TransactionId, Verdict,
};
use rollbook_store::conformance::ledger_rate;
use rollbook_store::{Ledger as _, StoreError};
use rollbook_store_postgres::{Options, PostgresStore};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ACCOUNTS: u64 = 10_000;
const NAIVE: u32 = 16;

/// From whom to whom the n-th transfer goes: each of those who give gives in turn.
#[derive(Clone, Copy)]
struct Scene {
    name: &'static str,
    givers: u64,
}

const SCENES: [Scene; 2] =
    [Scene { name: "one hot account", givers: 1 }, Scene { name: "10000 accounts", givers: ACCOUNTS }];

fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

fn owner(number: u64) -> Owner {
    Owner::Person(PersonId(Uuid::from_u64_pair(0xa11c_e000_0000_0000 | number, number)))
}

impl Scene {
    fn ends(self, number: u64) -> (Owner, Owner) {
        let giver = spread(number) % self.givers;
        let taker = 1 + (giver + spread(number.wrapping_add(77)) % (ACCOUNTS - 2)) % (ACCOUNTS - 1);
        let taker = if taker == giver { taker % (ACCOUNTS - 1) + 1 } else { taker };
        (owner(giver), owner(taker))
    }

    fn transfer(self, number: u64) -> Command {
        let (from, to) = self.ends(number);
        post(number, Move::Spend { from, to: Destination::Owner(to), amount: 1 })
    }
}

static NUMBER: AtomicU64 = AtomicU64::new(0);

fn post(number: u64, step: Move) -> Command {
    let id = TransactionId::of_key(&format!("{}:{number}", std::process::id()));
    let order = Order::Post { asset: Asset::Points, moves: vec![step] };
    Command::new(id, at(), Actor::System, order).expect("a command")
}

fn at() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

async fn execute(store: &PostgresStore, commands: &[Command]) -> Result<(), StoreError> {
    loop {
        match store.execute(commands, at()).await {
            Ok(answers) => {
                assert!(answers.iter().all(|answer| answer.verdict == Verdict::Applied));
                return Ok(());
            }
            Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Everybody gets enough to give for as long as this runs.
async fn fill(store: &PostgresStore) -> Result<(), StoreError> {
    let awards: Vec<_> = (0..ACCOUNTS)
        .map(|number| {
            let amount = if number == 0 { LARGEST / 2 } else { 1_000_000_000 };
            post(NUMBER.fetch_add(1, Ordering::Relaxed), Move::Award { to: owner(number), amount, expires_at: None })
        })
        .collect();
    for some in awards.chunks(500) {
        execute(store, some).await?;
    }
    Ok(())
}

/// What one way of working did.
#[derive(Default)]
struct Told {
    transfers: u64,
    took: Duration,
    waits: Vec<Duration>,
}

impl Told {
    fn print(mut self, scene: Scene, way: &str) {
        self.waits.sort_unstable();
        let at = |part: usize| self.waits.get(self.waits.len() * part / 100).map_or(0, Duration::as_micros);
        let ms = |part: usize| format!("{}.{:02}", at(part) / 1000, at(part) % 1000 / 10);
        let rate = u128::from(self.transfers) * 1000 / self.took.as_millis().max(1);
        println!("{:>16}  {way:>22}  {rate:>11}  {:>8}  {:>8}", scene.name, ms(50), ms(99));
    }
}

async fn batched(store: &PostgresStore, scene: Scene, size: u64, last: Duration) -> Result<Told, StoreError> {
    let (began, mut told) = (Instant::now(), Told::default());
    while began.elapsed() < last {
        let first = NUMBER.fetch_add(size, Ordering::Relaxed);
        let commands: Vec<_> = (first..first + size).map(|number| scene.transfer(number)).collect();
        let asked = Instant::now();
        execute(store, &commands).await?;
        told.waits.push(asked.elapsed());
        told.transfers += size;
    }
    told.took = began.elapsed();
    Ok(told)
}

async fn naive(pool: &PgPool, scene: Scene, last: Duration) -> Result<Told, Failure> {
    let began = Instant::now();
    let workers = (0..NAIVE).map(|_| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while began.elapsed() < last {
                let asked = Instant::now();
                naive_transfer(&pool, scene, NUMBER.fetch_add(1, Ordering::Relaxed)).await?;
                waits.push(asked.elapsed());
            }
            Ok::<_, sqlx::Error>(waits)
        })
    });
    let mut told = Told::default();
    for worker in workers.collect::<Vec<_>>() {
        told.waits.extend(worker.await??);
    }
    told.transfers = told.waits.len() as u64;
    told.took = began.elapsed();
    Ok(told)
}

async fn naive_transfer(pool: &PgPool, scene: Scene, number: u64) -> Result<(), sqlx::Error> {
    let (command, (from, to)) = (scene.transfer(number), scene.ends(number));
    let [from, to] = [from, to].map(|owner| Account::available(Asset::Points, owner).id().0);
    let mut transaction = pool.begin().await?;
    let lock =
        "SELECT id, posted - held AS left, version FROM ledger_account WHERE id IN ($1, $2) ORDER BY id FOR UPDATE";
    let rows = sqlx::query(lock).bind(from).bind(to).fetch_all(&mut *transaction).await?;
    let row = |id: Uuid| rows.iter().find(|row| row.get::<Uuid, _>("id") == id).expect("an account");
    assert!(row(from).get::<i64, _>("left") >= 1);
    let decided = "INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at, account, left_posted, left_held)
                   VALUES ($1, 'post', $2, 'applied', now(), now(), $3, 0, 0)";
    sqlx::query(decided).bind(command.id().0).bind([0_u8; 16]).bind(from).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO leg VALUES ($1, 0, 'points', $2, $3, 1, $4, $5)")
        .bind(command.id().0)
        .bind(from)
        .bind(to)
        .bind(row(from).get::<i64, _>("version") + 1)
        .bind(row(to).get::<i64, _>("version") + 1)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let url = std::env::args().nth(1).ok_or("the URL of a throwaway database, please")?;
    let last = Duration::from_secs(std::env::args().nth(2).map_or(Ok(5), |seconds| seconds.parse())?);
    let store = PostgresStore::connect(&Options::new(&url))?;
    store.migrate().await?;
    fill(&store).await?;
    let pool = PgPoolOptions::new().max_connections(NAIVE).connect(&url).await?;
    println!("{:>16}  {:>22}  {:>11}  {:>8}  {:>8}", "", "", "transfers/s", "p50 ms", "p99 ms");
    for scene in SCENES {
        naive(&pool, scene, last).await?.print(scene, "naive, 16 connections");
        for size in [1, 64, 250, 500] {
            batched(&store, scene, size, last).await?.print(scene, &format!("batches of {size}"));
        }
    }
    Ok(ledger_rate(&store, 5_000, |line| println!("{line}")).await?)
}
