//! What the operator chooses, and why a spool cannot start.

use std::path::PathBuf;
use std::time::Duration;

use prometheus::IntGauge;
use rollbook_queue::FileError;
use thiserror::Error;

#[derive(Clone, Debug)]
pub struct Options {
    /// The file. Another process on this host that uses the same path takes `…-2`, `…-3` beside it.
    pub path: PathBuf,
    /// The spool is full at this many callbacks, or at this many bytes; a callback counts as its body
    /// and 1 KiB.
    pub max_callbacks: u64,
    pub max_bytes: u64,
    /// How long a callback is offered to a broker that does not answer. With the file's own few
    /// milliseconds it must stay below the time that its sender waits.
    pub budget: Duration,
    /// The same for what is drained, which nobody waits for.
    pub drain_budget: Duration,
    /// While the broker is away, one waiting callback is offered to it this often.
    pub probe_every: Duration,
    /// How often files are looked for that another process left behind.
    pub adopt_every: Duration,
    /// Always says what this process's spool holds.
    pub depth: IntGauge,
}

impl Options {
    /// The defaults: 1,000,000 callbacks or 1 GiB.
    pub fn new(path: PathBuf, depth: IntGauge) -> Self {
        Self {
            path,
            max_callbacks: 1_000_000,
            max_bytes: 1 << 30,
            budget: Duration::from_millis(1_500),
            drain_budget: Duration::from_secs(5),
            probe_every: Duration::from_millis(500),
            adopt_every: Duration::from_secs(30),
            depth,
        }
    }
}

#[derive(Debug, Error)]
pub enum OpenError {
    /// The disk or its permissions must be mended, or the configuration must name another place.
    #[error("the spool cannot be opened: {source}; mend the disk or name another file")]
    File { source: FileError },
    #[error("{path} and the {most} names beside it are taken or damaged; name another file for the spool")]
    NoName { path: PathBuf, most: u32 },
}
