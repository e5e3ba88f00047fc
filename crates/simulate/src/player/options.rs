//! How to play.

use std::sync::Arc;
use std::time::Duration;

use rollbook_domain::Clock;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// Told after every answer; it must be quick.
pub type ProgressFn = Arc<dyn Fn(Progress) + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub total: u64,
    /// Callbacks that were tried at least once.
    pub sent: u64,
    pub acked: u64,
    pub refused: u64,
    /// Tries after a callback's first.
    pub retries: u64,
}

#[derive(Clone)]
pub struct PlayerOptions {
    /// Such as `http://127.0.0.1:8080`; `/webhooks/{source}` is added.
    pub base: String,
    /// Connections at once; at least 1.
    pub concurrency: usize,
    /// Callbacks a second over all connections; `None` is as fast as they are answered.
    pub rate: Option<f64>,
    /// Of one try. Providers wait 5 s at least.
    pub timeout: Duration,
    pub retry: Retry,
    /// Of the whole run. What has no answer then is given up.
    pub deadline: Option<Duration>,
    /// Of the jitter.
    pub seed: u64,
    pub clock: Clock,
    pub progress: Option<ProgressFn>,
    /// Ends the run early; tries that are under way get their answer.
    pub stop: CancellationToken,
}

impl PlayerOptions {
    /// 16 connections, as fast as they are answered, retries for as long as it takes.
    pub fn new(base: impl Into<String>, clock: Clock) -> Self {
        Self {
            base: base.into(),
            concurrency: 16,
            rate: None,
            timeout: Duration::from_secs(10),
            retry: Retry::default(),
            deadline: None,
            seed: 0,
            clock,
            progress: None,
            stop: CancellationToken::new(),
        }
    }
}

/// When an unanswered callback is sent again: after `first`, then twice as long each time up to
/// `longest`, each with jitter between half of it and all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    pub first: Duration,
    pub longest: Duration,
    /// Tries of one callback in all.
    pub tries: u32,
}

impl Default for Retry {
    /// As providers do, but in seconds instead of hours.
    fn default() -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(2), tries: 1000 }
    }
}

impl Retry {
    /// How long to wait after so many tries. `draw` is random in 0..1.
    pub fn wait(&self, tries: u32, draw: f64) -> Duration {
        let doubled = self.first.saturating_mul(1_u32 << tries.saturating_sub(1).min(20));
        doubled.min(self.longest).mul_f64(0.5 + draw.clamp(0.0, 1.0) / 2.0)
    }
}
