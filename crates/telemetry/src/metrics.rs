//! The metrics. Handles are made once and passed as an argument; there is no global registry, so
//! that two services can live in one test.

use prometheus::{
    Encoder as _, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

/// Seconds. From half a millisecond (a local commit) to the shortest provider time-out (5 s) and on.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0];

/// Everything that `/metrics` shows, without its prefix `rollbook_`.
pub struct Metrics {
    registry: Registry,
    /// `ingest_requests_total{source,outcome}`
    pub ingest_requests: IntCounterVec,
    /// `ingest_ack_seconds{source}`: from the request's head to its success answer. Refusals are
    /// quick and would hide the time that a provider waits.
    pub ingest_ack_seconds: HistogramVec,
    /// `publish_confirm_seconds`: until the queue has it durably.
    pub publish_confirm_seconds: Histogram,
    /// `spool_depth`
    pub spool_depth: IntGauge,
    /// `delivery_attempts_total{processor,outcome}`: deliveries by settlement.
    pub delivery_attempts: IntCounterVec,
    /// `event_outcomes_total{processor,outcome}`
    pub event_outcomes: IntCounterVec,
    /// `commit_seconds{processor}`: from begin to committed.
    pub commit_seconds: HistogramVec,
    /// `batch_events{processor}`
    pub batch_events: HistogramVec,
    /// `received_to_committed_seconds{processor}`
    pub received_to_committed_seconds: HistogramVec,
    /// `ledger_commands_total{outcome}`: applied, rejected, repeated (decided before), failed (no
    /// answer) or abandoned (its caller stopped waiting before it was begun).
    pub ledger_commands: IntCounterVec,
    /// `ledger_commit_seconds`: one transaction of the ledger, from begin to committed.
    pub ledger_commit_seconds: Histogram,
    /// `ledger_batch_commands`
    pub ledger_batch_commands: Histogram,
    /// `queue_ready{processor}`
    pub queue_ready: IntGaugeVec,
    /// `queue_oldest_age_seconds{processor}`
    pub queue_oldest_age_seconds: IntGaugeVec,
    /// `dead_letters{processor,reason}`: open ones.
    pub dead_letters: IntGaugeVec,
    /// `replays_total{outcome}`
    pub replays: IntCounterVec,
    /// `source_last_event_timestamp_seconds{source}`: when the last verified callback arrived.
    pub source_last_event: GaugeVec,
    /// `source_insecure{source}`: 1 for a source whose verifier is off.
    pub source_insecure: IntGaugeVec,
    /// `build_info{version}`: always 1.
    pub build_info: IntGaugeVec,
}

impl Metrics {
    /// Fails only if two metrics here have one name, which a test rules out.
    pub fn new(version: &str) -> Result<Self, prometheus::Error> {
        let make = Maker { registry: Registry::new_custom(Some("rollbook".to_owned()), None)? };
        let batch: Vec<f64> = (0..10).map(|power| f64::from(1_u32 << power)).collect();
        let events = &batch[..9];
        let metrics = Self {
            ingest_requests: make.counters(
                "ingest_requests_total",
                "Requests by what became of them.",
                &["source", "outcome"],
            )?,
            ingest_ack_seconds: make.histograms(
                "ingest_ack_seconds",
                "From a request's head to its success answer; refusals are not in it.",
                &["source"],
                &SECONDS,
            )?,
            publish_confirm_seconds: make.histogram(
                "publish_confirm_seconds",
                "Until the queue has a callback durably.",
                &SECONDS,
            )?,
            spool_depth: make.gauge("spool_depth", "Callbacks waiting in this host's spool.")?,
            delivery_attempts: make.counters(
                "delivery_attempts_total",
                "Deliveries by settlement.",
                &["processor", "outcome"],
            )?,
            event_outcomes: make.counters("event_outcomes_total", "Events by outcome.", &["processor", "outcome"])?,
            commit_seconds: make.histograms("commit_seconds", "From begin to committed.", &["processor"], &SECONDS)?,
            batch_events: make.histograms("batch_events", "Events a commit.", &["processor"], events)?,
            received_to_committed_seconds: make.histograms(
                "received_to_committed_seconds",
                "From receipt to commit.",
                &["processor"],
                &SECONDS,
            )?,
            ledger_commands: make.counters("ledger_commands_total", "Ledger commands by outcome.", &["outcome"])?,
            ledger_commit_seconds: make.histogram(
                "ledger_commit_seconds",
                "A transaction of the ledger, from begin to committed.",
                &SECONDS,
            )?,
            ledger_batch_commands: make.histogram("ledger_batch_commands", "Ledger commands a commit.", &batch)?,
            queue_ready: make.gauges("queue_ready", "Deliveries that are due.", &["processor"])?,
            queue_oldest_age_seconds: make.gauges(
                "queue_oldest_age_seconds",
                "Age of the oldest delivery.",
                &["processor"],
            )?,
            dead_letters: make.gauges("dead_letters", "Open dead letters.", &["processor", "reason"])?,
            replays: make.counters("replays_total", "Replayed deliveries by outcome.", &["outcome"])?,
            source_last_event: make.float_gauges(
                "source_last_event_timestamp_seconds",
                "When the last verified callback arrived.",
                &["source"],
            )?,
            source_insecure: make.gauges("source_insecure", "1 for a source whose verifier is off.", &["source"])?,
            build_info: make.gauges("build_info", "Always 1.", &["version"])?,
            registry: make.registry,
        };
        metrics.build_info.with_label_values(&[version]).set(1);
        Ok(metrics)
    }

    /// The text exposition format, as `/metrics` answers it.
    pub fn render(&self) -> Result<String, prometheus::Error> {
        let mut buffer = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer).into_owned())
    }
}

/// Makes and registers; nothing but brevity.
struct Maker {
    registry: Registry,
}

type Made<T> = Result<T, prometheus::Error>;

impl Maker {
    fn register<T: prometheus::core::Collector + Clone + 'static>(&self, metric: T) -> Made<T> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Made<IntCounterVec> {
        self.register(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str) -> Made<IntGauge> {
        self.register(IntGauge::new(name, help)?)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> Made<IntGaugeVec> {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn float_gauges(&self, name: &str, help: &str, labels: &[&str]) -> Made<GaugeVec> {
        self.register(GaugeVec::new(Opts::new(name, help), labels)?)
    }

    fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Made<Histogram> {
        self.register(Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?)
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str], buckets: &[f64]) -> Made<HistogramVec> {
        self.register(HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_registered_once_and_prefixed() {
        let metrics = Metrics::new("1.2.3").unwrap();
        metrics.ingest_requests.with_label_values(&["cybersource", "durable"]).inc();
        let text = metrics.render().unwrap();
        assert!(text.contains("rollbook_build_info{version=\"1.2.3\"} 1"), "{text}");
        assert!(
            text.contains("rollbook_ingest_requests_total{outcome=\"durable\",source=\"cybersource\"} 1"),
            "{text}"
        );
    }
}
