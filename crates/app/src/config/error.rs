//! What is wrong with a configuration, in one sentence that names the place and the way out.
//!
//! One error only, the first: a misspelt section makes a dozen others follow, and a volunteer mends
//! one line at a time. A sentence never holds a configured value that may be a secret.

use std::collections::BTreeMap;
use std::path::Path;

use thiserror::Error;

/// The caller prints it and exits with 2.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// There is no such file, or it cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// A command named a source that the configuration has not.
    #[error("{0}")]
    NoSource(String),
    /// A line of the file, a variable or a secret must be mended.
    #[error("{place}: {sentence}")]
    Wrong { place: String, sentence: String },
}

/// Where a value was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Counted from 1.
    Line(usize),
    /// The environment variable that overlaid the file.
    Variable(String),
}

/// Where every value of a configuration was given, by full path (`membership.plans[0].price`).
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    file: String,
    given: BTreeMap<String, Origin>,
}

impl Origins {
    pub fn of(file: &Path) -> Self {
        Self { file: file.display().to_string(), given: BTreeMap::new() }
    }

    pub fn note(&mut self, path: &str, origin: Origin) {
        self.given.insert(path.to_owned(), origin);
    }

    /// The origin of `path`, or of what it stands in.
    pub fn find(&self, path: &str) -> Option<&Origin> {
        let mut rest = path;
        loop {
            if let Some(origin) = self.given.get(rest) {
                return Some(origin);
            }
            rest = &rest[..rest.rfind(['.', '['])?];
        }
    }

    /// "`path` sentence", with the place in front.
    pub fn about(&self, path: &str, sentence: impl AsRef<str>) -> ConfigError {
        self.fault(path, format!("`{path}` {}", sentence.as_ref()))
    }

    pub fn fault(&self, path: &str, sentence: impl Into<String>) -> ConfigError {
        let place = match self.find(path) {
            Some(Origin::Line(line)) => format!("{} line {line}", self.file),
            Some(Origin::Variable(name)) => format!("environment variable {name}"),
            None => self.file.clone(),
        };
        ConfigError::Wrong { place, sentence: sentence.into() }
    }
}

/// The path of `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
