//! What a teller is given. Built once by whoever reads the configuration.

use std::sync::Arc;
use std::time::Duration;

use rollbook_domain::Clock;
use rollbook_telemetry::Metrics;

/// Evenly spread over all of `u64`. Only jitter is drawn from it.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

#[derive(Clone)]
pub struct Context {
    /// When something is recorded, and what is due for the sweep. It decides no command: those carry
    /// their own time.
    pub clock: Clock,
    pub random: Random,
    pub metrics: Arc<Metrics>,
}

/// Sizes and times. A movement is what a command moves at least once: a move of a post, a share of a
/// settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Movements a transaction, at most, and so commands at most. A larger command goes alone.
    pub batch_max: usize,
    /// Movements that are taken and not answered, at most. Beyond it callers wait.
    pub room: usize,
    /// Tries in place of a batch that another writer beat, before it is halved.
    pub tries_in_place: u32,
    /// How long a batch may take, with all its tries, before its callers are told that the store
    /// cannot be reached.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { batch_max: 500, room: 10_000, tries_in_place: 10, patience: Duration::from_secs(30) }
    }
}
