//! What SQLite itself costs on this machine at this moment: the figures to compare with.

use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::{rate, row};

/// About a callback's size.
const BODY: [u8; 600] = [b'x'; 600];

pub async fn print() -> anyhow::Result<()> {
    println!("raw SQLite, WAL, synchronous=FULL, 600-byte rows with a unique key");
    for (rows_each, commits) in [(1, 2000), (50, 400), (250, 160)] {
        let per_second = inserts(rows_each, commits).await?;
        row(&format!("{rows_each} a commit, one multi-row statement"), per_second, "rows/s");
    }
    println!();
    Ok(())
}

async fn inserts(rows_each: usize, commits: usize) -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut connection = SqliteConnectOptions::new()
        .filename(folder.path().join("raw.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    connection
        .execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, body BLOB NOT NULL)")
        .await?;
    let sql = format!("INSERT INTO raw (name, body) VALUES {}", vec!["(?, ?)"; rows_each].join(", "));
    let begun = Instant::now();
    for commit in 0..commits {
        one(&mut connection, &sql, commit, rows_each).await?;
    }
    Ok(rate(rows_each * commits, begun.elapsed()))
}

async fn one(connection: &mut SqliteConnection, sql: &str, commit: usize, rows: usize) -> anyhow::Result<()> {
    connection.execute("BEGIN IMMEDIATE").await?;
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()));
    for n in 0..rows {
        query = query.bind(format!("payment:{commit}-{n}:captured")).bind(&BODY[..]);
    }
    query.execute(&mut *connection).await?;
    connection.execute("COMMIT").await?;
    Ok(())
}
