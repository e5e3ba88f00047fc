//! Errors, named by what the caller does next.

use std::error::Error;

use thiserror::Error;

type Source = Box<dyn Error + Send + Sync>;

#[derive(Debug, Error)]
pub enum StoreError {
    /// The database is away or too busy: probe, and try again in place.
    #[error("the store cannot be reached")]
    Unavailable(#[source] Source),
    /// Deadlock, serialization failure or a lost insert race: roll back, load and decide again.
    #[error("another writer came first")]
    Conflict(#[source] Source),
    /// The database refused these rows (a check, a foreign key): splitting the batch finds whose.
    #[error("the store refused a row")]
    Refused(#[source] Source),
    /// A stored value cannot be read: an operator must look.
    #[error("{table}.{column} of row {row} cannot be read")]
    Corrupt { table: &'static str, column: &'static str, row: String },
    /// The schema is older or newer than this binary; the text says what to run.
    #[error("{0}")]
    Schema(String),
}
