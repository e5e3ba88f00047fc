//! What a failed statement means to whoever asked for it.
//!
//! Errors of the server are copied without their detail: it quotes the row, and a row may hold an
//! address.

use std::time::Duration;

use rollbook_store::StoreError;
use sqlx::postgres::PgDatabaseError;
use thiserror::Error;

/// A unique key that is taken means that another writer came first. A mistake in a statement is
/// `Refused` like a bad row: it must end among the dead letters and not be retried for ever. What
/// no row can be blamed for is `Unavailable`, even where an operator must mend it: a probe fails
/// for the same reason, and work waits.
pub fn store_error(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast::<PgDatabaseError>() {
            Ok(error) => by_code(Refusal::of(&error)),
            Err(other) => StoreError::Refused(other.into_error()),
        },
        error @ (sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)) => StoreError::Unavailable(error.into()),
        other => StoreError::Refused(other.into()),
    }
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
fn by_code(refusal: Refusal) -> StoreError {
    match refusal.code.as_str() {
        // serialization_failure, deadlock_detected, unique_violation, and one statement that met
        // one row twice: two events of one batch came first to each other.
        "40001" | "40P01" | "23505" | "21000" => StoreError::Conflict(refusal.into()),
        // invalid_catalog_name
        "3D000" => StoreError::Schema(
            "the store's database does not exist; make it with `createdb`, then run `rollbook migrate`".to_owned(),
        ),
        // undefined_table, undefined_column, undefined_function
        "42P01" | "42703" | "42883" => {
            StoreError::Schema("the store lacks what this binary uses; run `rollbook migrate`".to_owned())
        }
        // lock_not_available, query_canceled (a time-out), read_only_sql_transaction (a standby),
        // the time-outs of idle sessions, insufficient_privilege, damaged data
        "55P03" | "57014" | "25006" | "25P03" | "42501" | "XX001" | "XX002" => StoreError::Unavailable(refusal.into()),
        code => match code.get(..2) {
            // connection, authorization, resources, limits of the program, operator, system
            Some("08" | "28" | "53" | "54" | "57" | "58") => StoreError::Unavailable(refusal.into()),
            _ => StoreError::Refused(refusal.into()),
        },
    }
}

/// What the server said, without the values of any row.
#[derive(Debug, Error)]
#[error("{message} (PostgreSQL {code}{})", constraint.as_ref().map_or_else(String::new, |name| format!(", {name}")))]
pub struct Refusal {
    pub code: String,
    pub constraint: Option<String>,
    message: String,
}

impl Refusal {
    fn of(error: &PgDatabaseError) -> Self {
        // Class 22 quotes the value that it cannot take.
        let quotes = error.code().starts_with("22");
        Self {
            code: error.code().to_owned(),
            constraint: error.constraint().map(str::to_owned),
            message: if quotes { "a value that its type cannot hold" } else { error.message() }.to_owned(),
        }
    }
}

/// What this adapter finds by itself.
#[derive(Debug, Error)]
pub enum Complaint {
    #[error("a fact to be decided again is not an ignored one any more")]
    NotIgnored,
    #[error("an earlier statement of this transaction failed")]
    Broken,
    #[error("no answer within {0:?}")]
    Silent(Duration),
}
