//! The listener: binds, accepts, and drains at the end.
//!
//! The accept loop is our own, because a server must survive what `accept` may answer (too many
//! open files, above all), must bound its connections, and must not let those who rest or finish
//! nothing keep others out (`places`).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_domain::{Clock, SourceName};
use rollbook_queue::Publisher;
use rollbook_telemetry::Metrics;
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::client::{Origin, canonical};
use crate::connection::{Signals, serve};
use crate::handle::Front;
use crate::paced::Patience;
use crate::places::{Place, Places};
use crate::publish::Outbound;
use crate::route::{Counters, Prepared, UNKNOWN};
use crate::throttle::Throttle;
use crate::{Options, Random, Route};

/// Connections that the kernel holds until we take them.
const BACKLOG: u32 = 1024;

/// Between two tries while the system has no descriptor or memory for us.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Error)]
pub enum BindError {
    /// Choose another address, or stop who holds it.
    #[error("cannot listen on {address}")]
    Address {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    /// Mend the configuration of this source.
    #[error("source `{name}`: {detail}")]
    Route { name: SourceName, detail: &'static str },
}

/// The bound front. Connections wait in the backlog from [`Ingest::bind`] on and are served by
/// [`Ingest::run`].
pub struct Ingest {
    listener: TcpListener,
    address: SocketAddr,
    front: Arc<Front>,
    patience: Patience,
    drain_timeout: Duration,
    places: Places,
    signals: Signals,
    tasks: TaskTracker,
}

impl Ingest {
    /// Must be called within a tokio runtime.
    #[expect(clippy::needless_pass_by_value, reason = "the caller hands over what the service owns from here on")]
    pub fn bind(
        options: Options,
        routes: Vec<Route>,
        publisher: Arc<dyn Publisher>,
        metrics: Arc<Metrics>,
        clock: Clock,
        random: Random,
    ) -> Result<Self, BindError> {
        let routes = prepare(routes, &options, &metrics)?;
        let failed = |source| BindError::Address { address: options.listen, source };
        let listener = listen(options.listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let tasks = TaskTracker::new();
        let front = Front {
            routes,
            unknown: Counters::new(&metrics, UNKNOWN),
            trusted_proxies: options.trusted_proxies.iter().copied().map(canonical).collect(),
            body_timeout: options.body_timeout,
            memory: Arc::new(Semaphore::new(options.max_buffered_bytes.min(Semaphore::MAX_PERMITS))),
            outbound: Outbound {
                publisher,
                confirm_seconds: metrics.publish_confirm_seconds.clone(),
                budget: options.publish_budget,
                tasks: tasks.clone(),
            },
            clock,
            random,
        };
        Ok(Self {
            listener,
            address,
            front: Arc::new(front),
            patience: Patience { head: options.header_timeout, rest: options.keep_alive_timeout },
            drain_timeout: options.drain_timeout,
            places: Places::new(options.max_connections, options.max_connections_per_peer),
            signals: Signals { finish: CancellationToken::new(), abort: CancellationToken::new() },
            tasks,
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown`, then stops accepting, finishes what was asked within
    /// [`Options::drain_timeout`], and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        info!(address = %self.address, sources = self.front.routes.len(), "ingest accepts callbacks");
        loop {
            let (stream, origin, place) = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = self.accept() => accepted,
            };
            let front = Arc::clone(&self.front);
            self.tasks.spawn(serve(front, stream, origin, self.patience, self.signals.clone(), place));
        }
        self.drain().await;
    }

    /// The place comes second: nobody is sent away before somebody is there who needs the room.
    async fn accept(&self) -> (TcpStream, Origin, Place) {
        let (stream, peer) = next(&self.listener).await;
        // Answers are small and must not wait for more of them. Without it they only come later.
        let _ = stream.set_nodelay(true);
        let origin = Origin::new(peer.ip(), &self.front.trusted_proxies);
        let place = self.places.take(origin).await;
        (stream, origin, place)
    }

    async fn drain(self) {
        drop(self.listener);
        self.signals.finish.cancel();
        self.tasks.close();
        if timeout(self.drain_timeout, self.tasks.wait()).await.is_err() {
            warn!(left = self.tasks.len(), "ingest stops with requests in flight; their senders will come again");
        }
        self.signals.abort.cancel();
    }
}

fn prepare(routes: Vec<Route>, options: &Options, metrics: &Metrics) -> Result<HashMap<String, Prepared>, BindError> {
    let mut prepared = HashMap::with_capacity(routes.len());
    for route in routes {
        let name = route.source.clone();
        let ready =
            Prepared::new(route, options, metrics).map_err(|detail| BindError::Route { name: name.clone(), detail })?;
        if prepared.insert(name.as_str().to_owned(), ready).is_some() {
            return Err(BindError::Route { name, detail: "it is there twice" });
        }
    }
    Ok(prepared)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the connections of its predecessor to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What `accept` needs of a listener, so that a test can let it fail.
trait Accept {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)>;
}

impl Accept for TcpListener {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }
}

/// The next connection, whatever went wrong before it.
async fn next(listener: &impl Accept) -> (TcpStream, SocketAddr) {
    let throttle = Throttle::new(Instant::now());
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if of_one_connection(&error) => {}
            Err(error) => {
                if let Some(count) = throttle.pass(Instant::now()) {
                    warn!(%error, count, "cannot accept connections; trying on");
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the next connection may be taken at once.
fn of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Failing {
        errors: Mutex<Vec<io::Error>>,
        listener: TcpListener,
    }

    impl Accept for Failing {
        async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
            let error = self.errors.lock().unwrap().pop();
            match error {
                Some(error) => Err(error),
                None => self.listener.accept().await,
            }
        }
    }

    #[tokio::test]
    async fn too_many_open_files_do_not_end_the_loop() {
        const EMFILE: i32 = 24;
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let errors = Mutex::new(vec![
            io::Error::from_raw_os_error(EMFILE),
            io::ErrorKind::ConnectionAborted.into(),
            io::Error::from_raw_os_error(EMFILE),
        ]);
        let (_stream, peer) = next(&Failing { errors, listener }).await;
        assert_eq!(peer, client.local_addr().unwrap());
    }

    #[tokio::test]
    async fn a_taken_address_is_named() {
        let taken = listen("127.0.0.1:0".parse().unwrap()).unwrap().into_std().unwrap();
        let error = listen(taken.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
