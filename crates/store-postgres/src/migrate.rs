//! Migrations: forward only, all that are missing in one transaction under an advisory lock.
//!
//! Rejected: `sqlx::migrate!`. Its table differs from the other store's, and it applies each
//! migration in a transaction of its own, so that a process that dies leaves half a schema behind.

use rollbook_store::StoreError;
use rollbook_store::migrations::{self, Applied, Migration};
use sqlx::{Executor as _, PgConnection, Row as _};

use crate::fault::store_error;

macro_rules! migrations {
    ($($number:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../../migrations/postgres/", $name, ".sql")),
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

/// Whoever migrates holds it: "roll" and "migr", so that no other application uses it by chance.
const MIGRATING: i64 = 0x726f_6c6c_6d69_6772;

/// The others wait for as long as the first one takes.
const PATIENT: &str = "SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)";

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS schema_migration (
    number     bigint      PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)";

/// Applies what is missing of `migrations`; the caller has begun the transaction and commits it.
pub async fn migrate(connection: &mut PgConnection, migrations: &[Migration]) -> Result<(), StoreError> {
    connection.execute(PATIENT).await.map_err(store_error)?;
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATING);
    lock.execute(&mut *connection).await.map_err(store_error)?;
    let missing = migrations::missing(migrations, &applied(connection).await?)?;
    if missing.is_empty() {
        return Ok(());
    }
    connection.execute(LEDGER).await.map_err(may_not_create)?;
    for migration in missing {
        apply(connection, migration).await?;
    }
    Ok(())
}

async fn apply(connection: &mut PgConnection, migration: &Migration) -> Result<(), StoreError> {
    sqlx::raw_sql(migration.sql).execute(&mut *connection).await.map_err(may_not_create)?;
    sqlx::query("INSERT INTO schema_migration (number, name, checksum) VALUES ($1, $2, $3)")
        .bind(migration.number)
        .bind(migration.name)
        .bind(migration.checksum())
        .execute(connection)
        .await
        .map_err(store_error)?;
    Ok(())
}

/// Since PostgreSQL 15 not everybody may make tables in `public`.
fn may_not_create(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    if code.as_deref() == Some("42501") {
        return StoreError::Schema(
            "the store's user may not make tables; run `GRANT CREATE ON SCHEMA public TO` that user as the owner of \
             the database, then `rollbook migrate`"
                .to_owned(),
        );
    }
    store_error(error)
}

/// The names of what `migrate` would apply.
pub async fn pending(connection: &mut PgConnection) -> Result<Vec<&'static str>, StoreError> {
    let missing = migrations::missing(MIGRATIONS, &applied(connection).await?)?;
    Ok(missing.iter().map(|migration| migration.name).collect())
}

/// Refuses a schema that this binary was not made for, with the command to run.
pub async fn check(connection: &mut PgConnection) -> Result<(), StoreError> {
    migrations::check(MIGRATIONS, &applied(connection).await?)
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<Applied>, StoreError> {
    let known: bool = sqlx::query_scalar("SELECT to_regclass('schema_migration') IS NOT NULL")
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
