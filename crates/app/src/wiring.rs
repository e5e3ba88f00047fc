//! Wiring: which processors run, who is sent what, and (in [`places`]) which adapter a URL means.

pub mod places;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use rollbook_domain::{Clock, FactKind, Processor, ProcessorName};
use rollbook_ingest::Route;
use rollbook_membership::Membership;
use rollbook_points::Points;
use rollbook_providers::Provider;
use rollbook_queue::DEAD_LETTERS;
use rollbook_store::Ledger;
use rollbook_telemetry::Metrics;
use rollbook_teller::Teller;
use rollbook_waiver::Waiver;
use rollbook_worker::{Context, RetrySchedule, Sources, Subscribers};
use secrecy::ExposeSecret as _;

use crate::config::{self, Resolved, ResolvedSource};
use crate::exit::Failure;

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read; everybody else is given it")]
pub fn clock() -> Clock {
    Arc::new(Timestamp::now)
}

/// Bytes that nobody can guess.
pub fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("no randomness from the operating system")?;
    Ok(bytes)
}

/// Every processor, with its rules. Points run where the configuration has them.
pub fn processors(config: &Resolved) -> Vec<Arc<dyn Processor>> {
    let points = config.points.clone().map(|rules| Arc::new(Points::new(rules)) as _);
    let always: [Arc<dyn Processor>; 2] =
        [Arc::new(Membership::new(config.membership.clone())), Arc::new(Waiver::new(config.waiver.clone()))];
    always.into_iter().chain(points).collect()
}

/// A processor is sent a source's callbacks if the provider can state a fact that it wants. A
/// source that nobody wants still goes to the first processor, which records it as unwanted:
/// nothing is dropped.
pub fn subscribers(provider: &dyn Provider, processors: &[Arc<dyn Processor>]) -> Vec<ProcessorName> {
    let wants = |processor: &&Arc<dyn Processor>| provider.yields().iter().any(|kind| processor.wants().contains(kind));
    let mut names: Vec<_> = processors.iter().filter(wants).map(|processor| processor.name().into()).collect();
    if names.is_empty() {
        names.extend(processors.first().map(|processor| processor.name().into()));
    }
    names
}

/// Who hears of internal events.
fn announcements(processors: &[Arc<dyn Processor>]) -> Subscribers {
    let mut subscribers: HashMap<FactKind, Vec<ProcessorName>> = HashMap::new();
    for processor in processors {
        if processor.wants().contains(&FactKind::MemberRegistered) {
            subscribers.entry(FactKind::MemberRegistered).or_default().push(processor.name().into());
        }
    }
    subscribers
}

/// One route a source. A source whose verifier was never read has none.
pub fn routes(config: &Resolved, processors: &[Arc<dyn Processor>]) -> Vec<Route> {
    let route = |source: &ResolvedSource| {
        let verifier = match &source.verifier {
            config::Verifier::Keys(keys) => rollbook_ingest::Verifier::Keys(keys.clone()),
            config::Verifier::InsecureNone => rollbook_ingest::Verifier::InsecureNone,
            config::Verifier::Unread => return None,
        };
        Some(Route {
            source: source.name.clone(),
            provider: source.provider,
            verifier,
            gates: gates(&source.gates),
            to: subscribers(source.provider, processors),
            max_body_bytes: Some(source.max_body_bytes),
        })
    };
    config.sources.iter().filter_map(route).collect()
}

fn gates(gates: &config::Gates) -> rollbook_ingest::Gates {
    let login = |login: &config::Login| (login.user.clone(), login.password.expose_secret().to_owned());
    rollbook_ingest::Gates {
        allow_ips: gates.allow_ips.clone(),
        basic_auth: gates.basic_auth.iter().map(login).collect(),
        client_certs: gates.client_certs.as_ref().map(|certs| rollbook_ingest::ClientCerts {
            header: certs.header.clone(),
            fingerprints: certs.allowed.clone(),
        }),
    }
}

pub fn ingest_options(config: &Resolved) -> rollbook_ingest::Options {
    let defaults = rollbook_ingest::Options::new(config.ingest.listen);
    let sources = config.sources.iter().map(|source| source.max_body_bytes);
    let largest = sources.chain([config.ingest.max_body_bytes]).max().unwrap_or_default();
    rollbook_ingest::Options {
        // Two of the largest must fit, or a body that the configuration allows would be 503 for ever.
        max_buffered_bytes: defaults.max_buffered_bytes.max(largest.saturating_mul(2)),
        max_body_bytes: config.ingest.max_body_bytes,
        trusted_proxies: config.ingest.trusted_proxies.clone(),
        max_connections: config.ingest.max_connections,
        ..defaults
    }
}

pub fn worker_context(config: &Resolved, processors: &[Arc<dyn Processor>], metrics: Arc<Metrics>) -> Context {
    let source = |source: &ResolvedSource| {
        let about = rollbook_worker::Source {
            provider: source.provider,
            account: source.account.clone(),
            fields: source.fields.clone(),
        };
        (source.name.clone(), about)
    };
    Context {
        sources: Sources::new(config.sources.iter().map(source).collect()),
        schedule: RetrySchedule::new(config.retry.clone()),
        metrics,
        clock: clock(),
        random: Arc::new(|| fastrand::u64(..)),
        rules: config.rules_digest.clone(),
        subscribers: announcements(processors),
        options: rollbook_worker::Options {
            batch_max: config.worker.batch,
            outage_bound: config.worker.hand_back_after,
            retention: config.retention,
            ..rollbook_worker::Options::default()
        },
        in_flight: rollbook_worker::InFlight::default(),
    }
}

/// The way of a process to the ledger.
pub fn teller(store: Arc<dyn Ledger>) -> Result<Teller, Failure> {
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")).map_err(Failure::failed)?);
    Ok(teller_counted(store, metrics))
}

/// As [`teller`], counted among what this process counts.
pub fn teller_counted(store: Arc<dyn Ledger>, metrics: Arc<Metrics>) -> Teller {
    let context = rollbook_teller::Context { clock: clock(), random: Arc::new(|| fastrand::u64(..)), metrics };
    Teller::new(store, context, rollbook_teller::Options::default())
}

/// The queues of processors that this configuration does not run. Something may wait in them from before.
pub fn unattended(config: &Resolved) -> Vec<ProcessorName> {
    if config.points.is_none() { vec![rollbook_points::NAME.into()] } else { Vec::new() }
}

/// Every queue that a worker of this configuration drains.
pub fn queue_names(config: &Resolved) -> Vec<ProcessorName> {
    let processors = processors(config);
    let names = processors.iter().map(|processor| processor.name().into());
    names.chain([DEAD_LETTERS.into()]).collect()
}
