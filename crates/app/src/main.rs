//! `rollbook`: the one binary. Configuration, wiring and the command line; the only crate that
//! names adapters and reads the environment.

mod cli;
mod commands;
mod config;
mod exit;
mod ops;
mod output;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;

fn main() -> ExitCode {
    let cli = Cli::parse();
    arm_crash_point();
    exit::hide_panic_messages();
    // One TLS provider for the whole program; a second call would only find it installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit::report(&exit::Failure::failed(error)),
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(failure) => exit::report(&failure),
    }
}

/// `ROLLBOOK_CRASH_POINT=worker.committed:3` kills this process at the third passage, and
/// `ROLLBOOK_CRASH_ON_BODY=TEXT` whenever it translates a body with this text. Exists only in the
/// build that the crash tests make.
fn arm_crash_point() {
    #[cfg(feature = "crash-points")]
    #[expect(clippy::disallowed_methods, reason = "app is the one crate that reads the environment")]
    {
        if let Ok(spec) = std::env::var("ROLLBOOK_CRASH_POINT") {
            let (point, nth) = spec.split_once(':').unwrap_or((&spec, "1"));
            rollbook_crash::arm(point, nth.parse().unwrap_or(1));
        }
        if let Ok(mark) = std::env::var("ROLLBOOK_CRASH_ON_BODY") {
            rollbook_crash::arm_payload(&mark);
        }
    }
}
