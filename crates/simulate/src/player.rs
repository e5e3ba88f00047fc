//! Plays the providers: sends callbacks and goes on until each has an answer.
//!
//! A callback without an answer, or with a 5xx, is sent again later, signed anew; 2xx and 4xx are
//! final. Each connection keeps its own waiting list and its own answers, so that nothing is
//! shared on the way but three counters; the lists are joined at the end. Only plain `http://` is
//! spoken: it plays providers beside the service, or behind the proxy that ends TLS.

mod options;
mod wire;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::Uri;
use thiserror::Error;
use tokio::time::Instant;

use crate::{Answer, Callback, Record, Sent};

pub use options::{PlayerOptions, Progress, ProgressFn, Retry};
use wire::Wire;
use work::{Done, Worker};

#[derive(Debug, Error)]
pub enum PlayError {
    /// The caller corrects the address.
    #[error("`{0}` is no address such as http://127.0.0.1:8080")]
    BadAddress(String),
    /// A secret cannot sign for its provider; the caller corrects the configuration.
    #[error("source `{source_name}` cannot sign")]
    CannotSign {
        source_name: String,
        #[source]
        source: rollbook_providers::KeyFault,
    },
    #[error("a sending task failed")]
    Task(#[source] tokio::task::JoinError),
}

pub struct Player {
    options: PlayerOptions,
    wire: Wire,
}

impl Player {
    pub fn new(options: PlayerOptions) -> Result<Self, PlayError> {
        let base: Uri = options.base.parse().map_err(|_| PlayError::BadAddress(options.base.clone()))?;
        if base.scheme_str() != Some("http") || base.authority().is_none() {
            return Err(PlayError::BadAddress(options.base));
        }
        let wire = Wire::new(&options);
        Ok(Self { options, wire })
    }

    /// Sends all of `callbacks`, roughly in their order, until each has its answer, has been tried
    /// too often, the time is up, or the caller stops it.
    pub async fn play(&self, callbacks: Vec<Callback>) -> Result<Record, PlayError> {
        let started = Instant::now();
        let run = Arc::new(Run::new(self, callbacks, started));
        let workers = (0..self.options.concurrency.max(1)).map(|number| Worker::new(&run, number).work());
        let tasks: Vec<_> = workers.map(tokio::spawn).collect();
        let mut record = Record::empty();
        let mut answers = vec![Answer::UNSENT; run.callbacks.len()];
        for task in tasks {
            let done: Done = task.await.map_err(PlayError::Task)??;
            let _ = record.ack.add(&done.ack);
            let _ = record.ack_from_first.add(&done.ack_from_first);
            for (index, answer) in done.answers {
                answers[index] = answer;
            }
        }
        record.elapsed = started.elapsed();
        let callbacks = Arc::try_unwrap(run).map_or_else(|run| run.callbacks.clone(), |run| run.callbacks);
        record.sent =
            callbacks.into_iter().zip(answers).map(|(callback, answer)| Sent::new(callback, answer)).collect();
        Ok(record)
    }
}

/// What all connections of one run share.
struct Run {
    callbacks: Vec<Callback>,
    options: PlayerOptions,
    wire: Wire,
    started: Instant,
    next: AtomicUsize,
    counted: Counted,
}

#[derive(Default)]
struct Counted {
    sent: AtomicU64,
    acked: AtomicU64,
    refused: AtomicU64,
    retries: AtomicU64,
}

impl Run {
    fn new(player: &Player, callbacks: Vec<Callback>, started: Instant) -> Self {
        Self {
            callbacks,
            options: player.options.clone(),
            wire: player.wire.clone(),
            started,
            next: AtomicUsize::new(0),
            counted: Counted::default(),
        }
    }

    /// When the callback of this number is to be sent for the first time.
    fn planned(&self, index: usize) -> Instant {
        let Some(rate) = self.options.rate.filter(|rate| *rate > 0.0) else { return self.started };
        #[expect(clippy::cast_precision_loss, reason = "a run is far shorter than 2^52 callbacks")]
        let after_s = index as f64 / rate;
        self.started + Duration::try_from_secs_f64(after_s).unwrap_or(Duration::MAX / 4)
    }

    fn ends(&self) -> Option<Instant> {
        self.options.deadline.map(|deadline| self.started + deadline)
    }

    fn tell(&self) {
        let Some(progress) = &self.options.progress else { return };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        progress(Progress {
            total: self.callbacks.len() as u64,
            sent: read(&self.counted.sent),
            acked: read(&self.counted.acked),
            refused: read(&self.counted.refused),
            retries: read(&self.counted.retries),
        });
    }
}

#[cfg(test)]
mod tests;
