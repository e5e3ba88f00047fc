//! Secrets: named in the configuration by where they are kept, read once, never shown.
//!
//! A secret inside the file itself is accepted for a first try and warned about: files get copied
//! into tickets and repositories.

use std::fmt;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::error::{ConfigError, Origins};
use super::resolve::Context;
use super::section::Section;

/// Fewer bytes than this can be guessed.
const SHORT_BYTES: usize = 16;

/// Where one secret comes from.
#[derive(Clone)]
pub enum SecretFrom {
    /// An environment variable.
    Env(String),
    /// A file; one newline at its end is no part of the secret.
    File(String),
    /// The configuration itself.
    Value(SecretString),
}

/// What a source verifies with.
#[derive(Clone, Debug)]
pub struct SecretRef {
    pub from: SecretFrom,
    /// Which key it is, where the provider says so in the request (CyberSource's access key).
    pub key_id: Option<String>,
}

impl SecretRef {
    pub(super) fn read(section: Section<'_>) -> Result<Self, ConfigError> {
        let section = section.only(&["env", "file", "value", "key_id"])?;
        Ok(Self { from: SecretFrom::read(&section)?, key_id: section.text("key_id")? })
    }
}

impl SecretFrom {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let given = (section.text("env")?, section.text("file")?, section.text("value")?);
        match given {
            (Some(name), None, None) => Ok(Self::Env(name)),
            (None, Some(file), None) => Ok(Self::File(file)),
            (None, None, Some(value)) => Ok(Self::Value(value.into())),
            _ => Err(section.whole("must say where the secret is, by exactly one of `env`, `file` and `value`")),
        }
    }

    /// Reads it. `path` names it in errors and warnings; neither ever holds the secret.
    pub(super) fn fetch(
        &self,
        path: &str,
        context: &Context<'_>,
        origins: &Origins,
        warnings: &mut Vec<String>,
    ) -> Result<SecretString, ConfigError> {
        let text = match self {
            Self::Env(name) => from_variable(name, context),
            Self::File(file) => from_file(&context.base.join(file), file),
            Self::Value(value) => Ok(value.expose_secret().to_owned()),
        };
        let secret: SecretString = text.map_err(|sentence| origins.about(path, sentence))?.into();
        if secret.expose_secret().trim().is_empty() {
            return Err(origins.about(path, format!("is empty{}; put the secret there", self.whence())));
        }
        self.warn(path, secret.expose_secret().len(), warnings);
        Ok(secret)
    }

    fn warn(&self, path: &str, bytes: usize, warnings: &mut Vec<String>) {
        if matches!(self, Self::Value(_)) {
            warnings.push(format!("`{path}` stands in the configuration itself; keep it in a `file` or in `env`"));
        }
        if bytes < SHORT_BYTES {
            let plural = if bytes == 1 { "" } else { "s" };
            warnings.push(format!("`{path}` is only {bytes} byte{plural} long; use at least {SHORT_BYTES}"));
        }
    }

    fn whence(&self) -> String {
        match self {
            Self::Env(name) => format!(": environment variable {name}"),
            Self::File(file) => format!(": file `{file}`"),
            Self::Value(_) => String::new(),
        }
    }
}

fn from_variable(name: &str, context: &Context<'_>) -> Result<String, String> {
    let missing = || format!("needs the environment variable {name}, which is not set; set it, or use `file`");
    context.environment.get(name).map(str::to_owned).ok_or_else(missing)
}

fn from_file(file: &Path, written: &str) -> Result<String, String> {
    let unreadable = |fault: std::io::Error| {
        format!("needs the file `{written}`, which cannot be read: {}; create it or mend its rights", plain(&fault))
    };
    let mut text = std::fs::read_to_string(file).map_err(unreadable)?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// The operating system's words without its number.
pub(super) fn plain(fault: &std::io::Error) -> String {
    let text = fault.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

impl fmt::Debug for SecretFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(file) => write!(f, "file {file}"),
            Self::Value(_) => write!(f, "value ***"),
        }
    }
}

impl SecretFrom {
    pub(super) fn entry(&self) -> (&'static str, &str) {
        match self {
            Self::Env(name) => ("env", name),
            Self::File(file) => ("file", file),
            Self::Value(_) => ("value", "***"),
        }
    }
}

impl Serialize for SecretFrom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        let (key, value) = self.entry();
        map.serialize_entry(key, value)?;
        map.end()
    }
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (key, value) = self.from.entry();
        map.serialize_entry(key, value)?;
        if let Some(id) = &self.key_id {
            map.serialize_entry("key_id", id)?;
        }
        map.end()
    }
}
