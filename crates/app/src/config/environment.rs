//! The environment, as an argument: the overlay `ROLLBOOK__STORE__URL=…` and the secrets in it.
//!
//! Only [`Environment::of_process`] reads the real one. Names and values that are not UTF-8 are kept out
//! rather than fatal: a stray variable of another program is none of our business.

use std::collections::BTreeMap;
use std::ffi::OsString;

use toml::{Table, Value};

use super::error::{ConfigError, Origin, Origins, join};
use super::nearest::quoted;

/// Two underscores, so that `ROLLBOOK_CONFIG` and its like are not keys.
const PREFIX: &str = "rollbook__";

/// A copy of the process's environment. Holds secrets, so it has no `Debug`.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// This process's own.
    pub fn of_process() -> Self {
        Self::new(std::env::vars_os())
    }

    /// From pairs: a test's, or another process's.
    pub fn new<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let text = |(name, value): (K, V)| Some((name.into().into_string().ok()?, value.into().into_string().ok()?));
        Self(pairs.into_iter().filter_map(text).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Lays every `ROLLBOOK__…` over the file's table. A parent comes before what stands in it.
    pub(super) fn overlay(&self, table: &mut Table, origins: &mut Origins) -> Result<(), ConfigError> {
        let mut given: Vec<_> = self.0.iter().filter_map(|(name, value)| Some((keys(name)?, name, value))).collect();
        given.sort_by_key(|(keys, ..)| keys.len());
        for (index, (keys, name, value)) in given.iter().enumerate() {
            if let Some((_, twin, _)) = given[..index].iter().find(|(earlier, ..)| earlier == keys) {
                return Err(wrong(name, format!("{} set the same key; unset one of them", quoted(&[twin, name]))));
            }
            lay(table, keys, name, value, origins)?;
        }
        Ok(())
    }
}

/// The lower-case keys that a variable's name spells, if it is one of ours.
fn keys(name: &str) -> Option<Vec<String>> {
    let lower = name.to_lowercase();
    let path = lower.strip_prefix(PREFIX)?;
    Some(path.split("__").map(str::to_owned).collect())
}

fn lay(table: &mut Table, keys: &[String], name: &str, value: &str, origins: &mut Origins) -> Result<(), ConfigError> {
    let mut path = String::new();
    let mut here = table;
    for (index, key) in keys.iter().enumerate() {
        let spelled = spelled_in(here, key);
        path = join(&path, &spelled);
        if index + 1 == keys.len() {
            here.insert(spelled, parse(value));
            break;
        }
        let made = || {
            origins.note(&path, Origin::Variable(name.to_owned()));
            Value::Table(Table::new())
        };
        let inner = here.entry(spelled).or_insert_with(made);
        let Value::Table(inner) = inner else { return Err(wrong(name, inside(&path))) };
        here = inner;
    }
    origins.note(&path, Origin::Variable(name.to_owned()));
    Ok(())
}

/// A source `my-club` is `MY_CLUB` in a variable, because most shells refuse a dash there.
fn spelled_in(table: &Table, key: &str) -> String {
    let same = |known: &&String| known.replace('-', "_") == key.replace('-', "_");
    table.keys().find(same).cloned().unwrap_or_else(|| key.to_owned())
}

/// A list or an inline table if it reads as one, else the text itself. A number stays text until
/// its key asks for one, so that an organisation may be called `2019`.
fn parse(value: &str) -> Value {
    let structured = value.trim_start().starts_with(['[', '{']);
    let document = format!("value = {value}");
    let parsed = structured.then(|| document.parse::<Table>().ok()).flatten();
    let only = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    only.unwrap_or_else(|| Value::String(value.to_owned()))
}

fn inside(path: &str) -> String {
    format!("`{path}` is no section, so nothing inside it can be set; give the whole of `{path}`")
}

fn wrong(name: &str, sentence: String) -> ConfigError {
    ConfigError::Wrong { place: format!("environment variable {name}"), sentence }
}
