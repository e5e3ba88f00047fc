//! Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, 3 found problems.

use std::error::Error;
use std::process::ExitCode;

pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;
pub const PROBLEMS: u8 = 3;

/// Why a command did not succeed: a sentence for the person and a code for the script.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    error: anyhow::Error,
}

impl Failure {
    pub fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self { code: FAILED, error: error.into() }
    }

    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { code: USAGE, error: error.into() }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::failed(error)
    }
}

impl From<rollbook_store::StoreError> for Failure {
    fn from(error: rollbook_store::StoreError) -> Self {
        Self::failed(error)
    }
}

/// Prints the sentence, with its causes, to standard error.
pub fn report(failure: &Failure) -> ExitCode {
    eprintln!("rollbook: {}", whole(failure.error.as_ref()));
    ExitCode::from(failure.code)
}

/// An error with its causes, in one line. A cause that the sentence before it ends with is not
/// repeated: some libraries quote it, and name it as their cause, too.
pub fn whole(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = next.source();
    }
    text
}

/// What every command returns.
pub type Done = Result<ExitCode, Failure>;

/// A panic's message may quote a value that belongs to a member, so only its place is told. The
/// parts of the service catch panics and go on.
pub fn hide_panic_messages() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        eprintln!("rollbook: a fault of the program at {place}; please report it");
    }));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rollbook_ledger::TransactionId;
    use rollbook_store::StoreError;
    use rollbook_teller::TellerError;
    use thiserror::Error;

    use super::*;

    /// As the SQL library tells its own.
    #[derive(Debug, Error)]
    #[error("error returned from database: {0}")]
    struct Quoting(#[source] std::io::Error);

    fn told(make: impl FnOnce(Arc<StoreError>) -> TellerError, store: StoreError) -> String {
        let error = anyhow::Error::from(make(Arc::new(store)));
        whole(error.as_ref())
    }

    #[test]
    fn every_sentence_is_told_once() {
        let cause = || Box::new(Quoting(std::io::Error::other("on purpose")));
        let refused = |why| TellerError::Refused { id: TransactionId::of_key("k"), why };
        let all = [
            told(refused, StoreError::Refused(cause())),
            told(TellerError::Unavailable, StoreError::Unavailable(cause())),
            told(TellerError::Overtaken, StoreError::Conflict(cause())),
        ];
        for text in all {
            let parts: Vec<_> = text.split(": ").collect();
            let once = |part: &&str| parts.iter().filter(|other| other.contains(*part)).count() == 1;
            assert!(parts.iter().all(once), "{text}");
            assert!(text.ends_with(": error returned from database: on purpose"), "{text}");
        }
    }
}
