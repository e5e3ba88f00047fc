//! Migrations: forward only, all that are missing in one transaction under the write lock.
//!
//! Rejected: `PRAGMA user_version` alone. It cannot tell an edited migration from the released one.

use std::fmt::Write as _;

use rollbook_store::StoreError;
use sha2::{Digest as _, Sha256};
use sqlx::{Executor as _, Row as _, SqliteConnection};

use crate::fault::store_error;

pub struct Migration {
    pub number: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../../migrations/sqlite/", $name, ".sql")),
        }),*]
    };
}

pub const MIGRATIONS: &[Migration] = migrations![
    1 "0001_idempotency",
    2 "0002_people",
    3 "0003_payments",
    4 "0004_documents",
    5 "0005_envelopes",
    6 "0006_dead_letters",
    7 "0007_outbox",
    8 "0008_probe",
    9 "0009_worker",
    10 "0010_ledger",
    11 "0011_group",
];

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number     INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL,
    applied_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT";

/// What the file has, compared with what this binary knows.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Same,
    /// Has the first so many migrations.
    Older(usize),
    Newer(i64),
    /// This migration was applied with another text.
    Edited(String),
}

impl Migration {
    fn checksum(&self) -> String {
        let mut text = String::new();
        for byte in Sha256::digest(self.sql) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// Applies what is missing of `migrations`; the caller has begun the transaction and commits it.
pub async fn migrate(connection: &mut SqliteConnection, migrations: &[Migration]) -> Result<(), StoreError> {
    connection.execute(LEDGER).await.map_err(store_error)?;
    let done = match standing(connection, migrations).await? {
        Standing::Older(done) => done,
        other => return refuse(&other),
    };
    for migration in &migrations[done..] {
        apply(connection, migration).await?;
    }
    Ok(())
}

async fn apply(connection: &mut SqliteConnection, migration: &Migration) -> Result<(), StoreError> {
    sqlx::raw_sql(migration.sql).execute(&mut *connection).await.map_err(store_error)?;
    sqlx::query("INSERT INTO schema_migration (number, name, checksum) VALUES (?1, ?2, ?3)")
        .bind(migration.number)
        .bind(migration.name)
        .bind(migration.checksum())
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// The names of what `migrate` would apply.
pub async fn pending(connection: &mut SqliteConnection) -> Result<Vec<&'static str>, StoreError> {
    match standing(connection, MIGRATIONS).await? {
        Standing::Older(done) => Ok(MIGRATIONS[done..].iter().map(|migration| migration.name).collect()),
        other => refuse(&other).map(|()| Vec::new()),
    }
}

/// Refuses a schema that this binary was not made for, with the command to run.
pub async fn check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    refuse(&standing(connection, MIGRATIONS).await?)
}

fn refuse(standing: &Standing) -> Result<(), StoreError> {
    let message = match standing {
        Standing::Same => return Ok(()),
        Standing::Older(0) => "the store has no tables yet; run `rollbook up`".to_owned(),
        Standing::Older(done) => format!(
            "the store's schema is at migration {done} and this binary needs {}; run `rollbook up`",
            MIGRATIONS.len()
        ),
        Standing::Newer(number) => format!(
            "the store's schema is at migration {number} and this binary knows {}; install the newer rollbook \
             (its `rollbook up` has run already)",
            MIGRATIONS.len()
        ),
        Standing::Edited(name) => format!(
            "migration {name} was applied with another text; install the rollbook that applied it, then run its \
             `rollbook up`"
        ),
    };
    Err(StoreError::Schema(message))
}

async fn standing(connection: &mut SqliteConnection, migrations: &[Migration]) -> Result<Standing, StoreError> {
    let applied = applied(connection).await?;
    for (migration, (number, checksum)) in migrations.iter().zip(&applied) {
        if migration.number != *number || migration.checksum() != *checksum {
            return Ok(Standing::Edited(migration.name.to_owned()));
        }
    }
    Ok(match applied.last() {
        Some((number, _)) if applied.len() > migrations.len() => Standing::Newer(*number),
        _ if applied.len() == migrations.len() => Standing::Same,
        _ => Standing::Older(applied.len()),
    })
}

async fn applied(connection: &mut SqliteConnection) -> Result<Vec<(i64, String)>, StoreError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'schema_migration')")
        .fetch_one(&mut *connection)
        .await
        .map_err(store_error)?;
    if !known {
        return Ok(Vec::new());
    }
    let rows = sqlx::query("SELECT number, checksum FROM schema_migration ORDER BY number").fetch_all(connection).await;
    rows.map_err(store_error)?
        .iter()
        .map(|row| Ok((row.try_get(0).map_err(store_error)?, row.try_get(1).map_err(store_error)?)))
        .collect()
}

#[cfg(test)]
mod tests;
