//! Stopping: a signal, then everything in hand is settled.

use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Tasks;
use crate::exit::{Done, FAILED};

/// SIGTERM, or SIGINT from a terminal.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Until a signal, then until everything in hand is settled. A second signal stops at once: what
/// is unsettled comes again at the next start.
pub async fn wait(mut tasks: Tasks, mut signals: Signals, stop: CancellationToken) -> Done {
    let mut code = ExitCode::SUCCESS;
    while !tasks.is_empty() {
        tokio::select! {
            () = signals.next() => if asked_twice(&stop) { return Ok(ExitCode::from(FAILED)) },
            Some(ended) = tasks.join_next() => {
                if let Some(problem) = problem(ended, &stop) {
                    tracing::error!("{problem:#}; stopping");
                    code = ExitCode::from(FAILED);
                    stop.cancel();
                }
            }
        }
    }
    Ok(code)
}

fn asked_twice(stop: &CancellationToken) -> bool {
    let again = stop.is_cancelled();
    info!(
        "{}",
        if again { "asked twice: stopping at once" } else { "finishing what is in hand; ask again to stop at once" }
    );
    stop.cancel();
    again
}

/// A loop that ends unasked is a fault, whatever it returned.
fn problem(
    ended: Result<anyhow::Result<()>, tokio::task::JoinError>,
    stop: &CancellationToken,
) -> Option<anyhow::Error> {
    match ended {
        Ok(Ok(())) if stop.is_cancelled() => None,
        Ok(Ok(())) => Some(anyhow::anyhow!("a part of the service ended by itself")),
        Ok(Err(error)) => Some(error),
        Err(panic) => Some(anyhow::Error::new(panic).context("a part of the service panicked")),
    }
}
