//! One request: route, gates, body, verify, publish, answer.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use ipnet::IpNet;
use rollbook_domain::{Clock, EnvelopeId};
use rollbook_providers::SignatureFault;
use rollbook_queue::{Message, PublishError};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use crate::Random;
use crate::body::{self, BodyFault, Limits};
use crate::client::Origin;
use crate::envelope::{Seal, lines};
use crate::gates::GateFault;
use crate::outcome::Outcome;
use crate::paced::{Pace, Phase};
use crate::publish::{Outbound, PublishFault};
use crate::route::{Counters, Prepared};

/// For a sender whom the queue itself gave no time.
const RETRY_AFTER_SECONDS: u64 = 5;

const PREFIX: &str = "/webhooks/";

/// What all requests share.
pub(crate) struct Front {
    pub routes: HashMap<String, Prepared>,
    pub unknown: Counters,
    pub trusted_proxies: Vec<IpNet>,
    pub body_timeout: Duration,
    /// Permits are bytes.
    pub memory: Arc<Semaphore>,
    pub outbound: Outbound,
    pub clock: Clock,
    pub random: Random,
}

/// Why a request was not recorded.
#[derive(Debug)]
enum Refusal {
    Method,
    Gate(GateFault),
    Body(BodyFault),
    Signature(SignatureFault),
    Publish(PublishFault),
    Panicked,
}

impl Refusal {
    fn outcome(&self) -> Outcome {
        match self {
            Self::Method => Outcome::Method,
            Self::Gate(fault) => (*fault).into(),
            Self::Body(fault) => fault.into(),
            Self::Signature(fault) => (*fault).into(),
            Self::Publish(fault) => fault.into(),
            Self::Panicked => Outcome::Panicked,
        }
    }

    /// Whole seconds, at least one.
    fn retry_after(&self) -> u64 {
        match self {
            Self::Publish(PublishFault::Refused(PublishError::Full { retry_after, .. })) => {
                (retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0)).max(1)
            }
            _ => RETRY_AFTER_SECONDS,
        }
    }
}

impl Front {
    pub async fn answer(&self, origin: Origin, pace: &Pace, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let started = Instant::now();
        let Some(route) = self.route(request.uri().path()) else {
            self.unknown.count(Outcome::NotFound);
            debug!(source = crate::route::UNKNOWN, outcome = "not_found", status = 404, client = %origin.peer, "answered");
            return response(Outcome::NotFound, http::StatusCode::NOT_FOUND);
        };
        let recorded = AssertUnwindSafe(self.record(route, origin, pace, request)).catch_unwind().await;
        let recorded = recorded.unwrap_or(Err(Refusal::Panicked));
        let outcome = recorded.as_ref().map_or_else(Refusal::outcome, |_| Outcome::Durable);
        let status = outcome.status(route.success);
        report(route, &recorded, outcome, started);
        debug!(
            source = route.source.as_str(),
            outcome = outcome.as_str(),
            status = status.as_u16(),
            envelope = recorded.as_ref().ok().map(tracing::field::display),
            duration_us = micros(started.elapsed()),
            client = %origin.peer,
            "answered"
        );
        let mut response = response(outcome, status);
        if let Err(refusal) = &recorded {
            explain(&mut response, refusal);
        } else {
            rollbook_crash::point("ingest.answering");
        }
        response
    }

    fn route(&self, path: &str) -> Option<&Prepared> {
        self.routes.get(path.strip_prefix(PREFIX)?)
    }

    async fn record(
        &self,
        route: &Prepared,
        origin: Origin,
        pace: &Pace,
        request: Request<Incoming>,
    ) -> Result<EnvelopeId, Refusal> {
        if request.method() != Method::POST {
            return Err(Refusal::Method);
        }
        let (head, body) = request.into_parts();
        route.gate.check(&origin, &head.headers, &self.trusted_proxies).map_err(Refusal::Gate)?;
        let limits = Limits { max_bytes: route.max_body_bytes, timeout: self.body_timeout };
        pace.advance_to(Phase::Body);
        let body = body::read(body, &limits, &self.memory).await;
        pace.advance_to(Phase::Busy);
        let body = body.map_err(Refusal::Body)?;
        let received_at = (self.clock)();
        let lines = lines(&head.headers);
        let signed = rollbook_providers::Request { headers: &lines, body: &body.bytes };
        route.verify(&signed, received_at).map_err(Refusal::Signature)?;
        rollbook_crash::point("ingest.verified");
        route.last_event.set(seconds(received_at));
        let seal = Seal { source: &route.source, provider: route.provider, received_at, random: &self.random };
        let envelope = seal.envelope(&head.headers, lines, body.bytes);
        let id = envelope.id;
        let message = Message { envelope, to: route.to.clone(), redecide: false };
        self.outbound.publish(message, body.room).await.map_err(Refusal::Publish)?;
        Ok(id)
    }
}

/// Counts, and warns of what an operator should see.
fn report(route: &Prepared, recorded: &Result<EnvelopeId, Refusal>, outcome: Outcome, started: Instant) {
    route.counters.count(outcome);
    let Err(refusal) = recorded else {
        route.ack_seconds.observe(started.elapsed().as_secs_f64());
        return;
    };
    if matches!(refusal, Refusal::Method | Refusal::Gate(_) | Refusal::Body(BodyFault::Broken)) {
        return;
    }
    let Some(count) = route.warnings[outcome as usize].pass(Instant::now()) else { return };
    let (source, reason) = (route.source.as_str(), outcome.as_str());
    match refusal {
        Refusal::Signature(SignatureFault::Stale { skew_s }) => {
            warn!(source, reason, count, skew_s, "refused: compare the clocks of both sides");
        }
        Refusal::Signature(_) => warn!(source, reason, count, "refused: somebody else sent it, or the secrets differ"),
        Refusal::Publish(PublishFault::Refused(error)) => {
            let cause = std::error::Error::source(error).map(tracing::field::display);
            warn!(source, reason, count, %error, cause, "the queue did not take it; the sender was asked to come again");
        }
        Refusal::Publish(_) => {
            warn!(source, reason, count, "the queue did not confirm in time; the sender will come again");
        }
        _ => warn!(source, reason, count, "not recorded"),
    }
}

fn response(outcome: Outcome, status: http::StatusCode) -> Response<Full<Bytes>> {
    // These two must not carry a body (RFC 9110, 15.3.5 and 15.3.6).
    let bare = matches!(status.as_u16(), 204 | 205);
    let text = if bare { &[] } else { outcome.text().as_bytes() };
    let mut response = Response::new(Full::new(Bytes::from_static(text)));
    *response.status_mut() = status;
    if !bare {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    }
    response
}

/// The headers that tell a program what to do next.
fn explain(response: &mut Response<Full<Bytes>>, refusal: &Refusal) {
    let headers = response.headers_mut();
    match refusal.outcome() {
        Outcome::Method => headers.insert(ALLOW, HeaderValue::from_static("POST")),
        Outcome::Unauthorized => headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"rollbook\"")),
        Outcome::Full | Outcome::Unavailable => headers.insert(RETRY_AFTER, refusal.retry_after().into()),
        // What the sender still has on its way would be read as the next request.
        Outcome::TooLarge | Outcome::Timeout => headers.insert(CONNECTION, HeaderValue::from_static("close")),
        _ => None,
    };
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus takes floats, and milliseconds stay exact until the year 287396"
)]
fn seconds(moment: jiff::Timestamp) -> f64 {
    moment.as_millisecond() as f64 / 1000.0
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
