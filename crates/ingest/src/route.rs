//! A route as requests meet it: everything looked up and decoded once, at the start.

use std::time::Instant;

use http::StatusCode;
use prometheus::{Gauge, Histogram, IntCounter};
use rollbook_domain::{ProcessorName, SourceName};
use rollbook_providers::{Provider, Request, SignatureFault};
use rollbook_telemetry::Metrics;
use tracing::warn;

use crate::gates::Gate;
use crate::outcome::Outcome;
use crate::throttle::Throttle;
use crate::{Options, Route, Verifier};

/// The label of requests that belong to no source.
pub(crate) const UNKNOWN: &str = "unknown";

/// One counter an outcome.
pub(crate) struct Counters(Vec<IntCounter>);

impl Counters {
    pub fn new(metrics: &Metrics, source: &str) -> Self {
        let counter = |outcome: Outcome| metrics.ingest_requests.with_label_values(&[source, outcome.as_str()]);
        Self(Outcome::ALL.into_iter().map(counter).collect())
    }

    pub fn count(&self, outcome: Outcome) {
        self.0[outcome as usize].inc();
    }
}

pub(crate) struct Prepared {
    pub source: SourceName,
    pub provider: &'static dyn Provider,
    pub verifier: Verifier,
    pub gate: Gate,
    pub to: Vec<ProcessorName>,
    pub max_body_bytes: usize,
    pub success: StatusCode,
    pub counters: Counters,
    pub ack_seconds: Histogram,
    pub last_event: Gauge,
    /// One for each outcome that is worth a warning.
    pub warnings: Vec<Throttle>,
}

impl Prepared {
    /// The error is one sentence without anything secret.
    pub fn new(route: Route, options: &Options, metrics: &Metrics) -> Result<Self, &'static str> {
        let source = route.source.as_str();
        check_name(source)?;
        if route.to.is_empty() {
            return Err("no processor is named that its callbacks go to");
        }
        let now = Instant::now();
        let status = StatusCode::from_u16(route.provider.success_status()).ok();
        metrics.source_insecure.with_label_values(&[source]).set(insecure(&route).into());
        Ok(Self {
            gate: Gate::new(&route.gates)?,
            max_body_bytes: route.max_body_bytes.unwrap_or(options.max_body_bytes),
            success: status.filter(StatusCode::is_success).ok_or("its provider answers success with no 2xx status")?,
            counters: Counters::new(metrics, source),
            ack_seconds: metrics.ingest_ack_seconds.with_label_values(&[source]),
            last_event: metrics.source_last_event.with_label_values(&[source]),
            warnings: Outcome::ALL.into_iter().map(|_| Throttle::new(now)).collect(),
            source: route.source,
            provider: route.provider,
            verifier: route.verifier,
            to: route.to,
        })
    }

    pub fn verify(&self, request: &Request<'_>, now: jiff::Timestamp) -> Result<(), SignatureFault> {
        match &self.verifier {
            Verifier::Keys(keys) => self.provider.verify(keys, request, now),
            Verifier::InsecureNone => Ok(()),
        }
    }
}

fn insecure(route: &Route) -> bool {
    let insecure = matches!(route.verifier, Verifier::InsecureNone);
    if insecure {
        warn!(
            source = route.source.as_str(),
            "SIGNATURES OF THIS SOURCE ARE NOT CHECKED: anybody who reaches its address can write records"
        );
    }
    insecure
}

/// Names are matched byte for byte and never decoded, so they hold only what nobody encodes
/// (RFC 3986, unreserved characters).
fn check_name(name: &str) -> Result<(), &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if name.is_empty() || !name.bytes().all(plain) || name.bytes().all(|byte| byte == b'.') {
        return Err(
            "its name must be made of letters, digits, `-`, `_`, `~` and `.`, because it is part of an address",
        );
    }
    if name == UNKNOWN {
        return Err("its name is taken: metrics count requests of no source under it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("cybersource", true)]
    #[case("Stripe_2.eu-west~1", true)]
    #[case("", false)]
    #[case("..", false)]
    #[case("a/b", false)]
    #[case("a b", false)]
    #[case("caf\u{e9}", false)]
    #[case("a%62", false)]
    #[case("unknown", false)]
    fn names(#[case] name: &str, #[case] fine: bool) {
        assert_eq!(check_name(name).is_ok(), fine);
    }
}
