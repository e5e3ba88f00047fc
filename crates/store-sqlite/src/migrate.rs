//! Migrations: forward only, all that are missing in one transaction under the write lock.
//!
//! Rejected: `PRAGMA user_version` alone. It cannot tell an edited migration from the released one.

use rollbook_store::StoreError;
use rollbook_store::migrations::{self, Applied, Migration};
use sqlx::{Executor as _, Row as _, SqliteConnection};

use crate::fault::store_error;

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
    12 "0012_earning",
];

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number     INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL,
    applied_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000000 AS INTEGER))
) STRICT";

/// Applies what is missing of `migrations`; the caller has begun the transaction and commits it.
pub async fn migrate(connection: &mut SqliteConnection, migrations: &[Migration]) -> Result<(), StoreError> {
    connection.execute(LEDGER).await.map_err(store_error)?;
    for migration in migrations::missing(migrations, &applied(connection).await?)? {
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
    let missing = migrations::missing(MIGRATIONS, &applied(connection).await?)?;
    Ok(missing.iter().map(|migration| migration.name).collect())
}

/// Refuses a schema that this binary was not made for, with the command to run.
pub async fn check(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    migrations::check(MIGRATIONS, &applied(connection).await?)
}

async fn applied(connection: &mut SqliteConnection) -> Result<Vec<Applied>, StoreError> {
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
        .map(|row| Ok(Applied { number: row.try_get(0)?, checksum: row.try_get(1)? }))
        .collect::<Result<_, _>>()
        .map_err(store_error)
}

#[cfg(test)]
mod tests;
