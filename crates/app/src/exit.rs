//! Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, 3 found problems.

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
    eprintln!("rollbook: {:#}", failure.error);
    ExitCode::from(failure.code)
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
