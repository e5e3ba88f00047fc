//! The operations port: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use rollbook_queue::Queue;
use rollbook_spool::Spool;
use rollbook_store::Database;
use rollbook_telemetry::Metrics;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What the three answers are made from.
#[derive(Clone)]
pub struct Ops {
    pub metrics: Arc<Metrics>,
    /// Empty until the store could be opened; nothing for a role that needs no store.
    pub database: Option<Arc<OnceLock<Arc<dyn Database>>>>,
    pub queue: Arc<dyn Queue>,
    /// In front of a broker, where callbacks are taken.
    pub spool: Option<Arc<Spool>>,
    /// Set once every listener of the process accepts.
    pub started: CancellationToken,
}

/// Takes the port at once, so that a port in use is an error at the start and not later.
pub async fn bind(listen: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(listen).await
}

/// How long a request may be under way when the service stops, and a probe of the store may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Until `shutdown`. A client that never ends its request does not keep the process alive.
pub async fn serve(listener: TcpListener, ops: Ops, shutdown: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(ops);
    let drained = axum::serve(listener, router).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    tokio::select! {
        served = drained.into_future() => served,
        () = async { shutdown.cancelled().await; sleep(PATIENCE).await } => Ok(()),
    }
}

async fn healthz(State(ops): State<Ops>) -> impl IntoResponse {
    if ops.started.is_cancelled() { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "starting\n") }
}

/// Ready means that this process can do its work. For ingest: a callback sent now would be answered
/// with success, from the spool if need be; a load balancer must not turn away from that. For a
/// worker: queue and store take writes. Callbacks are accepted and kept without a store.
async fn readyz(State(ops): State<Ops>) -> impl IntoResponse {
    if !ops.started.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting\n");
    }
    let spool = ops.spool.as_ref().map(|spool| spool.state());
    if spool.is_some_and(|state| !state.ready()) {
        return SPOOL_FULL;
    }
    if ops.database.is_none() {
        let spooling = spool.is_some_and(|state| !state.broker || state.waiting > 0);
        return if spooling { SPOOLING } else { READY };
    }
    let (queue, store) = tokio::join!(queue_answers(&ops), store_answers(&ops));
    match (queue, store) {
        (false, _) => QUEUE_AWAY,
        (true, false) => STORE_AWAY,
        (true, true) => READY,
    }
}

const READY: (StatusCode, &str) = (StatusCode::OK, "ready\n");

const SPOOLING: (StatusCode, &str) = (StatusCode::OK, "ready; callbacks wait in the spool for the broker\n");

const SPOOL_FULL: (StatusCode, &str) =
    (StatusCode::SERVICE_UNAVAILABLE, "the broker is away and the spool is full; callbacks are refused\n");

async fn queue_answers(ops: &Ops) -> bool {
    matches!(timeout(PATIENCE, ops.queue.depths(&[])).await, Ok(Ok(_)))
}

async fn store_answers(ops: &Ops) -> bool {
    let Some(slot) = &ops.database else { return true };
    let Some(database) = slot.get() else { return false };
    matches!(timeout(PATIENCE, database.probe()).await, Ok(Ok(())))
}

const QUEUE_AWAY: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "the queue cannot be reached\n");

const STORE_AWAY: (StatusCode, &str) =
    (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be written; callbacks are accepted and queued\n");

async fn metrics(State(ops): State<Ops>) -> impl IntoResponse {
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    match ops.metrics.render() {
        Ok(text) => (StatusCode::OK, content_type, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, content_type, format!("{error}\n")),
    }
}
