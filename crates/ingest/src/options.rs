//! What the caller decides: limits, and one route for each source.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rollbook_domain::{ProcessorName, SourceName};
use rollbook_providers::{Keys, Provider};

use crate::Gates;

/// Ten random bytes a call, for ids and trace ids. They need not be secret.
pub type Random = Arc<dyn Fn() -> [u8; 10] + Send + Sync>;

/// Limits of the whole listener.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port 0 takes a free one; [`crate::Ingest::local_addr`] tells which.
    pub listen: SocketAddr,
    /// Largest body in bytes, for sources that set none of their own.
    pub max_body_bytes: usize,
    /// Bytes of bodies held in memory at one time, over all connections. Beyond it: 503.
    pub max_buffered_bytes: usize,
    /// Only these peers are believed when they name the client or its certificate.
    pub trusted_proxies: Vec<IpNet>,
    /// For a whole request head, from its first byte (on a new connection: from the connection).
    /// A peer that does not read its answers is given as long.
    pub header_timeout: Duration,
    /// For a whole body.
    pub body_timeout: Duration,
    /// How long an answer waits for the queue before it says 503. The shortest time-out of a
    /// provider is 5 s, and the road there and back takes some of it.
    pub publish_budget: Duration,
    /// Connections beyond it wait in the listen backlog, for a moment: then connections that rest
    /// or finish nothing are closed for them.
    pub max_connections: usize,
    /// While all are taken, a peer with more connections than this makes room before the others.
    /// Trusted proxies are not counted. `None` is half of [`Options::max_connections`].
    pub max_connections_per_peer: Option<usize>,
    /// How long a connection may rest between two requests.
    pub keep_alive_timeout: Duration,
    /// How long a shutdown waits for requests in flight.
    pub drain_timeout: Duration,
}

impl Options {
    /// The defaults, listening on `listen`.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            max_body_bytes: 1024 * 1024,
            max_buffered_bytes: 64 * 1024 * 1024,
            trusted_proxies: Vec::new(),
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(15),
            publish_budget: Duration::from_secs(4),
            max_connections: 1024,
            max_connections_per_peer: None,
            keep_alive_timeout: Duration::from_secs(75),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// One source: `POST /webhooks/{source}`.
pub struct Route {
    pub source: SourceName,
    pub provider: &'static dyn Provider,
    pub verifier: Verifier,
    pub gates: Gates,
    /// At least one. Each gets a delivery of its own.
    pub to: Vec<ProcessorName>,
    /// In bytes; `None` is [`Options::max_body_bytes`].
    pub max_body_bytes: Option<usize>,
}

/// Who may write through a route. There is no default: a source without a verifier has no route.
#[derive(Clone, Debug)]
pub enum Verifier {
    Keys(Keys),
    /// Everybody who passes the gates. Shouted at every start.
    InsecureNone,
}
