//! From what is written to what is ready to use: files, secrets, zones and rules, all checked.
//!
//! Kept apart from reading, because a command that only looks at records must work for an operator
//! who may not read the secrets.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;
use rollbook_domain::FactKind;

use super::environment::Environment;
use super::error::ConfigError;
use super::ingest::{address, body_limit, proxies};
use super::nearest::suggestion;
use super::place::{QueuePlace, StorePlace, plain};
use super::source::{ResolvedSource, Resolving};
use super::{Config, digest};

/// What resolving may look at.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub environment: &'a Environment,
    /// Where relative paths begin. Empty: the working directory.
    pub base: &'a Path,
    pub need: Need,
}

/// What the configuration is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To serve: every secret is read. `insecure` is the flag that lets a source go without a verifier.
    Serving { insecure: bool },
    /// To read records: no secret is touched, and no source can verify anything.
    Records,
}

/// A configuration that is ready to run.
#[derive(Debug)]
pub struct Resolved {
    /// The organisation's name.
    pub organisation: String,
    pub zone: TimeZone,
    pub queue: QueuePlace,
    pub store: StorePlace,
    pub spool: Spool,
    /// Below this much free disk the embedded queue and the spool take nothing more.
    pub min_free_disk_bytes: u64,
    pub ingest: Listener,
    pub ops: SocketAddr,
    /// In order of their names.
    pub sources: Vec<ResolvedSource>,
    pub membership: rollbook_membership::Rules,
    pub waiver: rollbook_waiver::Rules,
    /// None: nobody earns anything.
    pub points: Option<rollbook_points::Rules>,
    /// Names the rules in every record: 12 hex digits, the same for the same rules.
    pub rules_digest: String,
    /// The waits before each further attempt.
    pub retry: Vec<Duration>,
    /// How long raw requests are kept.
    pub retention: Duration,
    pub worker: Workers,
    /// One sentence each, without secrets.
    pub warnings: Vec<String>,
}

impl Resolved {
    /// The source of this name.
    pub fn source(&self, name: &str) -> Result<&ResolvedSource, ConfigError> {
        let unknown = || {
            let known: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
            ConfigError::NoSource(format!("there is no source `{name}`; {}", suggestion(name, &known)))
        };
        self.sources.iter().find(|source| source.name.as_str() == name).ok_or_else(unknown)
    }
}

/// Where callbacks wait while the broker is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spool {
    /// The first of its files; processes of one host have one each.
    pub path: PathBuf,
    /// The largest that one file may become.
    pub max_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    pub listen: SocketAddr,
    pub max_body_bytes: usize,
    pub trusted_proxies: Vec<ipnet::IpNet>,
    pub max_connections: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workers {
    pub batch: usize,
    pub per_processor: usize,
    pub hand_back_after: Duration,
}

impl Config {
    pub fn resolve(&self, context: &Context<'_>) -> Result<Resolved, ConfigError> {
        let origins = &self.origins;
        let mut warnings = Vec::new();
        let zone = self.organisation.zone(origins)?;
        let currency = self.organisation.money(origins)?;
        let membership = self.membership.rules(zone.clone(), currency, origins)?;
        let points = self.points.as_ref().map(|points| points.rules(zone.clone(), currency, origins)).transpose()?;
        let (queue, store, spool) = self.places(context.base)?;
        let ingest = self.listener()?;
        let ops = self.ops_address(&ingest)?;
        let sources = self.resolve_sources(context, &mut warnings)?;
        self.points.iter().try_for_each(|points| points.check_sources(&sources, origins))?;
        self.warn_of_plans(&sources, &mut warnings);
        Ok(Resolved {
            organisation: self.organisation.name.clone(),
            waiver: rollbook_waiver::Rules { zone: zone.clone() },
            rules_digest: digest::of(&membership, points.as_ref(), &self.sources),
            min_free_disk_bytes: self.queue.min_free_disk_bytes(origins)?,
            retry: self.retry.delays(origins)?,
            retention: self.retention.envelopes(origins)?,
            worker: self.workers()?,
            zone,
            queue,
            store,
            spool,
            ingest,
            ops,
            sources,
            membership,
            points,
            warnings,
        })
    }

    /// Queue, store and spool. What is a file is a file of its own.
    fn places(&self, base: &Path) -> Result<(QueuePlace, StorePlace, Spool), ConfigError> {
        let queue = self.queue.place(base, &self.origins)?;
        let store = self.store.place(base, &self.origins)?;
        let spool = self.ingest.spool(base, &self.origins)?;
        let named = [("queue.url", queue.file()), ("store.url", store.file()), ("ingest.spool", Some(&*spool.path))];
        let files = named.into_iter().filter_map(|(key, file)| Some((key, plain(file?)))).collect::<Vec<_>>();
        for (at, (key, file)) in files.iter().enumerate() {
            if let Some((twin, _)) = files[..at].iter().find(|(_, other)| other == file) {
                let sentence = format!("is the same file as `{twin}`; give each its own");
                return Err(self.origins.about(key, sentence));
            }
        }
        Ok((queue, store, spool))
    }

    fn ops_address(&self, ingest: &Listener) -> Result<SocketAddr, ConfigError> {
        let ops = address("ops.listen", &self.ops.listen, &self.origins)?;
        if ops.port() != 0 && ops == ingest.listen {
            return Err(self.origins.about("ops.listen", "is the address of `ingest.listen`; give it another port"));
        }
        Ok(ops)
    }

    fn resolving<'a>(&'a self, name: &'a str, context: &'a Context<'a>) -> Result<Resolving<'a>, ConfigError> {
        Ok(Resolving {
            name,
            source: &self.sources[name],
            path: format!("sources.{name}"),
            context,
            origins: &self.origins,
            proxied: !self.ingest.trusted_proxies.is_empty(),
            max_body_bytes: body_limit("ingest.max_body", &self.ingest.max_body, &self.origins)?,
        })
    }

    fn resolve_sources(
        &self,
        context: &Context<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<ResolvedSource>, ConfigError> {
        let mut sources: Vec<ResolvedSource> = Vec::new();
        for name in self.sources.keys() {
            let source = self.resolving(name, context)?.resolve(warnings)?;
            warnings.extend(sources.iter().filter_map(|earlier| shared_secret(earlier, &source)));
            sources.push(source);
        }
        if sources.is_empty() {
            warnings.push("no source is configured, so nothing can come in; add a `[sources.NAME]`".to_owned());
        }
        Ok(sources)
    }

    fn warn_of_plans(&self, sources: &[ResolvedSource], warnings: &mut Vec<String>) {
        let pays = |source: &ResolvedSource| source.provider.yields().contains(&FactKind::PaymentCaptured);
        if self.membership.plans.is_empty() && sources.iter().any(pays) {
            let sentence = "`membership.plans` is empty, so every membership payment will be a dead letter";
            warnings.push(format!("{sentence} `unknown_category`; add `[[membership.plans]]`"));
        }
    }

    fn listener(&self) -> Result<Listener, ConfigError> {
        let ingest = &self.ingest;
        Ok(Listener {
            listen: address("ingest.listen", &ingest.listen, &self.origins)?,
            max_body_bytes: body_limit("ingest.max_body", &ingest.max_body, &self.origins)?,
            trusted_proxies: proxies("ingest.trusted_proxies", &ingest.trusted_proxies, &self.origins)?,
            max_connections: ingest.max_connections as usize,
        })
    }

    fn workers(&self) -> Result<Workers, ConfigError> {
        let hand_back_after = self.worker.hand_back_after(&self.origins)?;
        let (batch, per_processor) = (self.worker.batch as usize, self.worker.per_processor as usize);
        Ok(Workers { batch, per_processor, hand_back_after })
    }
}

/// Two routes of one account share its secret lawfully; two accounts do not.
fn shared_secret(one: &ResolvedSource, other: &ResolvedSource) -> Option<String> {
    let shared = one.secrets.iter().any(|secret| other.secrets.iter().any(|twin| twin.text == secret.text));
    let sentence = "have the same secret, so what one was sent the other would believe; give each its own";
    (shared && one.account != other.account)
        .then(|| format!("`sources.{}` and `sources.{}` {sentence}", one.name, other.name))
}
