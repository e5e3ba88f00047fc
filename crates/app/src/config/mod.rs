//! The configuration: one TOML file, overlaid by the environment, checked whole before anything starts.
//!
//! Two steps. [`parse`] reads the text into [`Config`], plain values as written, each with its line, and
//! refuses every key it does not know. [`Config::resolve`] turns them into what the parts are given:
//! zones, rules, keys, addresses. Every mistake is one sentence with its place and the way out.
//!
//! Rejected: `serde` for reading (see [`section`]) and layered configuration crates: one file and one
//! overlay need no merging language.

mod digest;
mod document;
mod environment;
mod error;
mod gates;
mod ingest;
mod kept;
mod membership;
mod nearest;
mod organisation;
mod place;
mod points;
mod resolve;
mod secret;
mod section;
mod show;
mod source;
pub mod template;
#[cfg(test)]
mod tests;
mod units;
mod url;
mod work;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

pub use environment::Environment;
pub use error::ConfigError;
pub use gates::{Gates, Login};
pub use kept::{Kept, kept};
pub use place::{QueuePlace, StorePlace};
pub use resolve::{Context, Need, Resolved};
pub use show::Shown;
pub use source::{ResolvedSource, Verifier};
pub use url::Url;

use error::Origins;
use section::Section;

/// A configuration as written, with defaults filled in.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    pub organisation: organisation::Organisation,
    pub queue: place::Queue,
    pub store: place::Store,
    pub ingest: ingest::Ingest,
    pub ops: ingest::Ops,
    pub membership: membership::Membership,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<points::Points>,
    pub retry: work::Retry,
    pub retention: work::Retention,
    pub worker: work::Worker,
    /// By name.
    pub sources: BTreeMap<String, source::Source>,
    #[serde(skip)]
    origins: Origins,
}

/// The whole configuration, for a service and for what sends as a source. `insecure` is the flag that
/// lets a source go without a verifier.
pub fn load(file: &Path, insecure: bool) -> Result<Resolved, ConfigError> {
    load_for(file, Need::Serving { insecure })
}

/// The configuration for a command that reads records. Touches no secret.
pub fn load_for_reading(file: &Path) -> Result<Resolved, ConfigError> {
    load_for(file, Need::Records)
}

/// What is in force, to be printed. Checked like the others; touches no secret.
pub fn load_to_show(file: &Path) -> Result<Shown, ConfigError> {
    let environment = Environment::of_process();
    let config = read_file(file, &environment)?;
    config.resolve(&Context { environment: &environment, base: Path::new(""), need: Need::Records })?;
    Ok(config.shown())
}

fn load_for(file: &Path, need: Need) -> Result<Resolved, ConfigError> {
    let environment = Environment::of_process();
    read_file(file, &environment)?.resolve(&Context { environment: &environment, base: Path::new(""), need })
}

/// Reads `file` and lays the environment over it.
pub fn read_file(file: &Path, environment: &Environment) -> Result<Config, ConfigError> {
    let unreadable = |fault: std::io::Error| {
        let hint = match fault.kind() {
            std::io::ErrorKind::NotFound => "write one with `rollbook config init`, or name another with --config",
            _ => "mend it, or name another with --config",
        };
        ConfigError::Unreadable(format!("cannot read `{}`: {}; {hint}", file.display(), secret::plain(&fault)))
    };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    parse(&text, file, environment)
}

/// Reads `text`, which errors call `file`.
pub fn parse(text: &str, file: &Path, environment: &Environment) -> Result<Config, ConfigError> {
    let (mut table, mut origins) = document::parse(text, file)?;
    environment.overlay(&mut table, &mut origins)?;
    let mut config = read(Section::root(&table, &origins))?;
    config.origins = origins;
    Ok(config)
}

const SECTIONS: [&str; 11] = [
    "organisation",
    "queue",
    "store",
    "ingest",
    "ops",
    "sources",
    "membership",
    "points",
    "retry",
    "retention",
    "worker",
];

fn read(root: Section<'_>) -> Result<Config, ConfigError> {
    let root = &root.only(&SECTIONS)?;
    let sources = root.section("sources")?.named()?;
    let source = |(name, section): (&str, _)| Ok((name.to_owned(), source::Source::read(name, section)?));
    let store = place::Store::read(root)?;
    Ok(Config {
        organisation: organisation::Organisation::read(root)?,
        queue: place::Queue::read(root)?,
        ingest: ingest::Ingest::read(root)?,
        ops: ingest::Ops::read(root)?,
        sources: sources.into_iter().map(source).collect::<Result<_, _>>()?,
        membership: membership::Membership::read(root)?,
        points: points::Points::read(root)?,
        retry: work::Retry::read(root)?,
        retention: work::Retention::read(root)?,
        worker: work::Worker::read(root, &store)?,
        store,
        origins: Origins::default(),
    })
}
