//! The naive way: each command its own transaction, written by hand for this one kind of command.
//! It does less than the ledger: no lots, no holds, no answer kept for who asks again.

use std::path::Path;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use rollbook_ledger::{Account, Asset, Owner, TransactionId};
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Executor as _, PgPool, Row as _};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::Way;

/// With one connection a caller it is slower on one hot account, and no faster on many.
const CONNECTIONS: u32 = 16;

fn account(owner: Owner) -> Uuid {
    Account::available(Asset::Points, owner).id().0
}

pub struct NaivePostgres(PgPool);

impl NaivePostgres {
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        Ok(Self(PgPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?))
    }
}

#[async_trait]
impl Way for NaivePostgres {
    async fn transfer(&self, id: TransactionId, from: Owner, to: Owner) -> anyhow::Result<()> {
        let (from, to) = (account(from), account(to));
        let mut transaction = self.0.begin().await?;
        let locked = sqlx::query(
            "SELECT id, posted - held AS left, version FROM ledger_account WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        );
        let rows = locked.bind(vec![from, to]).fetch_all(&mut *transaction).await?;
        let of = |id| rows.iter().find(|row| row.get::<Uuid, _>("id") == id).context("an account");
        ensure!(of(from)?.get::<i64, _>("left") >= 1, "too little is left");
        sqlx::query(
            "INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at)
             VALUES ($1, 'post', $2, 'applied', now(), now())",
        )
        .bind(id.0)
        .bind(&[0_u8; 16][..])
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, from_version, to_version)
             VALUES ($1, 0, 'points', $2, $3, 1, $4, $5)",
        )
        .bind(id.0)
        .bind(from)
        .bind(to)
        .bind(of(from)?.get::<i64, _>("version") + 1)
        .bind(of(to)?.get::<i64, _>("version") + 1)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// All callers stand in line for one connection: SQLite lets one write at a time whatever they have,
/// and makes the others poll for their turn.
pub struct NaiveSqlite(Mutex<SqliteConnection>);

impl NaiveSqlite {
    pub async fn open(path: &Path) -> anyhow::Result<Self> {
        let connection = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await?;
        Ok(Self(Mutex::new(connection)))
    }
}

#[async_trait]
impl Way for NaiveSqlite {
    async fn transfer(&self, id: TransactionId, from: Owner, to: Owner) -> anyhow::Result<()> {
        let (from, to) = (account(from), account(to));
        let mut connection = self.0.lock().await;
        connection.execute("BEGIN IMMEDIATE").await?;
        let read = sqlx::query("SELECT id, posted - held AS left, version FROM ledger_account WHERE id IN (?, ?)");
        let rows = read.bind(from).bind(to).fetch_all(&mut *connection).await?;
        let of = |id| rows.iter().find(|row| row.get::<Uuid, _>("id") == id).context("an account");
        ensure!(of(from)?.get::<i64, _>("left") >= 1, "too little is left");
        sqlx::query(
            "INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at)
             VALUES (?, 'post', zeroblob(16), 'applied', 0, 0)",
        )
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, from_version, to_version)
             VALUES (?, 0, 'points', ?, ?, 1, ?, ?)",
        )
        .bind(id.0)
        .bind(from)
        .bind(to)
        .bind(of(from)?.get::<i64, _>("version") + 1)
        .bind(of(to)?.get::<i64, _>("version") + 1)
        .execute(&mut *connection)
        .await?;
        connection.execute("COMMIT").await?;
        Ok(())
    }
}
