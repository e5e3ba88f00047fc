//! What a failed statement means to whoever asked for it.

use rollbook_sqlite::{Fault, OpenError, fault};
use rollbook_store::StoreError;
use thiserror::Error;

/// A unique key that is taken means that another writer came first. A mistake in a statement is
/// `Refused` like a bad row: it must end among the dead letters and not be retried for ever.
pub fn store_error(error: sqlx::Error) -> StoreError {
    if error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation) {
        return StoreError::Conflict(error.into());
    }
    match fault(&error) {
        Fault::Unavailable | Fault::Full | Fault::Corrupt => StoreError::Unavailable(error.into()),
        Fault::Constraint | Fault::Other => StoreError::Refused(error.into()),
    }
}

pub fn open_error(error: OpenError) -> StoreError {
    match error {
        OpenError::Missing { path } => StoreError::Schema(format!(
            "there is no store at {}; `rollbook up` makes one, or set store.url to the right file",
            path.display()
        )),
        other => StoreError::Unavailable(other.into()),
    }
}

/// What this adapter finds by itself.
#[derive(Debug, Error)]
pub enum Complaint {
    #[error("a fact to be decided again is not an ignored one any more")]
    NotIgnored,
    #[error("a row refers to a fact, a person, a payment or a document that is not there")]
    RefersToNothing,
    #[error("an earlier write of this transaction failed")]
    HalfWritten,
    #[error("less than {0} bytes are left on the disk")]
    DiskFull(u64),
}
