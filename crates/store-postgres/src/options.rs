//! How to reach the server, and how long to put up with it.

use std::fmt;
use std::time::Duration;

/// What a [`crate::PostgresStore`] is made with.
#[derive(Clone)]
pub struct Options {
    /// `postgres://user:password@host:5432/database`, with `sslmode` and its like as parameters.
    pub url: String,
    /// Connections of this process: one a worker, and a few for whoever reads. At least 1.
    pub max_connections: u32,
    /// The longest that one statement may run, and that a transaction may stand idle, before the
    /// server ends it. Zero means for ever.
    pub statement_timeout: Duration,
    /// The longest wait for a lock that somebody else holds. Zero means for ever.
    pub lock_timeout: Duration,
}

impl Options {
    /// Ten connections, 30 s a statement, 5 s a lock.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            max_connections: 10,
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
        }
    }
}

/// Without the URL, which may hold a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_connections", &self.max_connections)
            .field("statement_timeout", &self.statement_timeout)
            .field("lock_timeout", &self.lock_timeout)
            .finish_non_exhaustive()
    }
}
