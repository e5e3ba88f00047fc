//! The statements: a file each in `sql/`, so that two adapters can be compared file by file.
//! Rejected: texts put together at run time. Their plans and their mistakes would show too late.
//!
//! What a batch wants is looked up row by row, in a `LATERAL` that ends in `LIMIT 1` or `OFFSET 0`:
//! the planner cannot pull it up into a join, and so cannot read a whole table because it has no
//! statistics of it yet, or stale ones. A plain join did, and each batch took longer than the last.

use rollbook_store::StoreError;
use sqlx::postgres::PgArguments;
use sqlx::{PgConnection, Postgres};

use crate::fault::store_error;
use crate::row::Row;

/// The text of a statement in `sql/`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $name, ".sql"))
    };
}

pub(crate) use sql;

pub type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// Runs it and returns how many rows it changed.
pub async fn execute(connection: &mut PgConnection, query: Query) -> Result<u64, StoreError> {
    Ok(query.execute(connection).await.map_err(store_error)?.rows_affected())
}

pub async fn fetch(connection: &mut PgConnection, query: Query) -> Result<Vec<Row>, StoreError> {
    Ok(query.fetch_all(connection).await.map_err(store_error)?.into_iter().map(Row).collect())
}

/// One column of many rows, as the array that `UNNEST` takes apart again.
pub fn column<'r, R, T>(rows: &'r [R], cell: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(cell).collect()
}

/// No rows, no statement. Returns how many were written.
pub async fn many<R>(
    connection: &mut PgConnection,
    rows: &[R],
    query: impl FnOnce(&[R]) -> Query,
) -> Result<usize, StoreError> {
    if rows.is_empty() {
        return Ok(0);
    }
    let query = query(rows);
    Ok(usize::try_from(execute(connection, query).await?).unwrap_or(usize::MAX))
}
