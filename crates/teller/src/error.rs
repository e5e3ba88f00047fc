//! Errors, named by what the caller does next.

use std::error::Error as _;
use std::sync::Arc;

use rollbook_ledger::TransactionId;
use rollbook_store::StoreError;
use thiserror::Error;

/// Why a command has no answer. None of these says anything about a balance. What the store said is
/// the source and no part of the sentence, so that whoever prints both says everything once.
#[derive(Clone, Debug, Error)]
pub enum TellerError {
    /// The store did not answer, so whether the command happened is open until it is asked for again.
    #[error("it is open whether this happened; ask again with the same id")]
    Unavailable(#[source] Arc<StoreError>),
    /// Nothing happened.
    #[error("nothing happened; ask again with the same id")]
    Overtaken(#[source] Arc<StoreError>),
    /// The store will not take this command, or needs a stored value for it that cannot be read.
    /// Nothing happened, and asking again will not help before somebody has looked.
    #[error("command {id} cannot be decided and nothing happened; whoever runs this service must find out why")]
    Refused {
        id: TransactionId,
        #[source]
        why: Arc<StoreError>,
    },
    /// The schema is older or newer than this binary; the text says what to run.
    #[error("{0}")]
    Schema(String),
    /// Nothing happened.
    #[error("this process is shutting down and took no more commands; ask again with the same id")]
    Closed,
}

impl TellerError {
    /// Of a whole store, not of one command.
    pub(crate) fn away(error: StoreError) -> Self {
        match error {
            StoreError::Schema(text) => Self::Schema(text),
            other => Self::Unavailable(Arc::new(other)),
        }
    }
}

/// Why a sweep ended early. The next one goes on from there.
#[derive(Debug, Error)]
pub enum SweepError {
    #[error("what is due cannot be read")]
    Read(#[from] StoreError),
    #[error("what is due cannot be expired")]
    Expire(#[from] TellerError),
}

/// A store's error with its causes, for the log. Adapters leave the values of rows out of them. Some
/// libraries repeat a cause in their own sentence; it is told once.
pub(crate) fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
