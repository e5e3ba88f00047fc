//! What the operator chooses, checked before the first connection.

use std::fmt;
use std::time::Duration;

use lapin::uri::AMQPUri;
use rollbook_domain::Clock;
use thiserror::Error;

/// Asked of the broker where the URL does not say. A peer that says nothing for twice as long is
/// dead; a busy one is not yet.
const HEARTBEAT_S: u16 = 10;

/// A quorum queue takes no more.
const MOST_PREFETCH: u16 = 2_000;

pub struct Options {
    /// The nodes, tried in turn: `amqp://user:password@host:5672/vhost`, or `amqps://`.
    pub urls: Vec<String>,
    /// In front of every name at the broker, so that two installations can share one.
    pub prefix: String,
    /// Delays that have queues of their own; a retry waits for the nearest.
    pub levels: Vec<Duration>,
    /// Deliveries that a consumer holds before it settles one: 2 to 4 batches, at most 2,000.
    pub prefetch: u16,
    /// How long a publish may take before its outcome is unknown. Below the shortest time that a
    /// provider waits (5 s).
    pub patience: Duration,
    pub clock: Clock,
}

impl Options {
    /// Everything but the nodes by default. The levels are the default retry schedule.
    pub fn new(urls: Vec<String>, clock: Clock) -> Self {
        Self {
            urls,
            prefix: "rollbook".to_owned(),
            levels: [1, 5, 30, 2 * 60, 10 * 60, 60 * 60, 6 * 60 * 60].map(Duration::from_secs).to_vec(),
            prefetch: 512,
            patience: Duration::from_secs(4),
            clock,
        }
    }

    pub(crate) fn checked(&self) -> Result<Vec<AMQPUri>, ConnectError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.chars().all(plain) {
            return Err(ConnectError::Prefix);
        }
        let waits = |level: &Duration| *level >= Duration::from_millis(1) && *level <= Duration::from_hours(24 * 30);
        if self.levels.is_empty() || !self.levels.iter().all(waits) {
            return Err(ConnectError::Levels);
        }
        if self.prefetch == 0 || self.prefetch > MOST_PREFETCH {
            return Err(ConnectError::Prefetch);
        }
        if self.urls.is_empty() {
            return Err(ConnectError::NoNode);
        }
        self.urls.iter().zip(1..).map(|(url, number)| node(url, number)).collect()
    }
}

fn node(url: &str, number: usize) -> Result<AMQPUri, ConnectError> {
    let mut uri: AMQPUri = url.parse().map_err(|why| ConnectError::Url { number, why })?;
    uri.query.heartbeat = uri.query.heartbeat.or(Some(HEARTBEAT_S));
    Ok(uri)
}

/// URLs hold passwords.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("nodes", &self.urls.len())
            .field("prefix", &self.prefix)
            .field("levels", &self.levels)
            .field("prefetch", &self.prefetch)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

/// The configuration must be changed; a broker that is away is no error here.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConnectError {
    #[error("the queue names no node; give at least one amqp:// or amqps:// URL")]
    NoNode,
    /// Names the URL by its place, because it may hold a password.
    #[error("URL {number} of the queue cannot be read: {why}")]
    Url { number: usize, why: String },
    #[error("the queue's prefix must have 1 to 64 letters, digits, dots, dashes or underscores")]
    Prefix,
    #[error("the queue needs at least one delay to retry after, each between 1 ms and 30 days")]
    Levels,
    #[error("the queue's prefetch must lie between 1 and {MOST_PREFETCH}")]
    Prefetch,
}
