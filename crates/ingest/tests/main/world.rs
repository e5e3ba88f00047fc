//! A running front with everything made up around it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rollbook_ingest::{Gates, Ingest, Options, Route, Verifier};
use rollbook_telemetry::Metrics;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::toy::{QUIET_TOY, TOY, Toy, ToyQueue, keys};

/// 2024-01-15T12:00:00Z: when everything here happens.
pub const NOW_S: i64 = 1_705_320_000;

pub struct World {
    pub address: SocketAddr,
    pub queue: Arc<ToyQueue>,
    pub metrics: Arc<Metrics>,
    pub shutdown: CancellationToken,
    pub running: JoinHandle<()>,
}

pub fn options() -> Options {
    Options {
        max_body_bytes: 64 * 1024,
        trusted_proxies: vec!["127.0.0.2/32".parse().unwrap()],
        ..Options::new("127.0.0.1:0".parse().unwrap())
    }
}

pub fn route(source: &str, provider: &'static Toy) -> Route {
    Route {
        source: source.into(),
        provider,
        verifier: Verifier::Keys(keys()),
        gates: Gates::default(),
        to: vec!["membership".into(), "waiver".into()],
        max_body_bytes: None,
    }
}

/// The sources of most tests.
pub fn routes() -> Vec<Route> {
    vec![
        route("toy", &TOY),
        route("quiet", &QUIET_TOY),
        Route { max_body_bytes: Some(10), ..route("small", &TOY) },
        Route { verifier: Verifier::InsecureNone, ..route("open", &TOY) },
    ]
}

impl World {
    pub fn start(options: Options, routes: Vec<Route>) -> Self {
        let queue = Arc::new(ToyQueue::new());
        let metrics = Arc::new(Metrics::new("test").unwrap());
        let drawn = AtomicU64::new(1);
        let random = move || {
            let mut bytes = [0; 10];
            bytes[..8].copy_from_slice(&drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            bytes
        };
        let clock = Arc::new(|| jiff::Timestamp::from_second(NOW_S).unwrap());
        let ingest = Ingest::bind(options, routes, queue.clone(), metrics.clone(), clock, Arc::new(random)).unwrap();
        let address = ingest.local_addr();
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(ingest.run(shutdown.clone()));
        Self { address, queue, metrics, shutdown, running }
    }

    pub fn plain() -> Self {
        Self::start(options(), routes())
    }

    /// Requests of `source` that ended as `outcome`.
    pub fn count(&self, source: &str, outcome: &str) -> u64 {
        self.metrics.ingest_requests.with_label_values(&[source, outcome]).get()
    }

    /// Until a count that follows the end of a connection is there.
    pub async fn counts(&self, source: &str, outcome: &str, expected: u64) {
        let reached = async {
            while self.count(source, outcome) != expected {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), reached).await.expect("the count is reached");
    }

    /// Stops it; every test that needs no other end ends with this, so that a front that hangs or
    /// panicked fails it.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap();
    }
}
