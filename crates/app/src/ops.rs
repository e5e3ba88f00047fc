//! The operations port: `/healthz`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use rollbook_store::Database;
use rollbook_telemetry::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What the three answers are made from.
#[derive(Clone)]
pub struct Ops {
    pub metrics: Arc<Metrics>,
    pub database: Arc<dyn Database>,
    /// Set once every listener of the process accepts.
    pub started: CancellationToken,
}

/// Takes the port at once, so that a port in use is an error at the start and not later.
pub async fn bind(listen: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(listen).await
}

pub async fn serve(listener: TcpListener, ops: Ops, shutdown: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(ops);
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await
}

async fn healthz(State(ops): State<Ops>) -> impl IntoResponse {
    if ops.started.is_cancelled() { (StatusCode::OK, "ok\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "starting\n") }
}

/// Ready means that a callback sent now would be applied soon: the store answers too.
async fn readyz(State(ops): State<Ops>) -> impl IntoResponse {
    if !ops.started.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "starting\n");
    }
    match ops.database.outbox_depth().await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be reached; callbacks are queued\n"),
    }
}

async fn metrics(State(ops): State<Ops>) -> impl IntoResponse {
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    match ops.metrics.render() {
        Ok(text) => (StatusCode::OK, content_type, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, content_type, format!("{error}\n")),
    }
}
