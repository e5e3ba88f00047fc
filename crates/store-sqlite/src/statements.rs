//! The statements: a file each in `sql/`, so that two adapters can be compared file by file.
//! Rejected: texts put together at run time. Their plans and their mistakes would show too late.

use rollbook_store::StoreError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteExecutor};

use crate::fault::store_error;
use crate::row::Row;

/// The text of a statement in `sql/`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $name, ".sql"))
    };
}

/// A statement in `sql/` for many rows.
macro_rules! bulk {
    ($name:literal, $rows:literal) => {
        std::sync::LazyLock::new(|| rollbook_sqlite::Bulk::at_most(crate::statements::sql!($name), $rows))
    };
    ($name:literal) => {
        std::sync::LazyLock::new(|| rollbook_sqlite::Bulk::new(crate::statements::sql!($name)))
    };
}

pub(crate) use {bulk, sql};

pub type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// Runs it and returns how many rows it changed.
pub async fn execute(executor: impl SqliteExecutor<'_>, query: Query) -> Result<u64, StoreError> {
    Ok(query.execute(executor).await.map_err(store_error)?.rows_affected())
}

pub async fn fetch(executor: impl SqliteExecutor<'_>, query: Query) -> Result<Vec<Row>, StoreError> {
    Ok(query.fetch_all(executor).await.map_err(store_error)?.into_iter().map(Row).collect())
}
