//! Reading one section: known keys only, each of its own type, errors with the full path and line.
//!
//! Reading by `serde` was rejected: its messages name neither the path nor the nearest key, and they
//! quote the offending value, which here may be a secret.

use std::ops::RangeInclusive;

use toml::{Table, Value};

use super::error::{ConfigError, Origin, Origins, join};
use super::nearest::suggestion;

/// One table of the configuration, or the empty one where the file has none.
pub(super) struct Section<'a> {
    table: Option<&'a Table>,
    path: String,
    origins: &'a Origins,
}

impl<'a> Section<'a> {
    pub fn root(table: &'a Table, origins: &'a Origins) -> Self {
        Self { table: Some(table), path: String::new(), origins }
    }

    /// A fault of the section itself.
    pub fn whole(&self, sentence: impl AsRef<str>) -> ConfigError {
        self.origins.about(&self.path, sentence)
    }

    /// Refuses every key that is not in `known`, the first in the file first. Done before anything is read:
    /// a misspelt key explains a missing one, never the other way round.
    pub fn only(self, known: &[&str]) -> Result<Self, ConfigError> {
        let given = self.table.into_iter().flat_map(Table::keys);
        let unknown = given.filter(|key| !known.contains(&key.as_str()));
        let Some(key) = unknown.min_by_key(|key| self.line(key)) else { return Ok(self) };
        let path = join(&self.path, key);
        Err(self.origins.fault(&path, format!("unknown key `{path}`; {}", suggestion(key, known))))
    }

    fn line(&self, key: &str) -> usize {
        match self.origins.find(&join(&self.path, key)) {
            Some(Origin::Line(line)) => *line,
            _ => usize::MAX,
        }
    }

    pub fn fault(&self, key: &str, sentence: impl AsRef<str>) -> ConfigError {
        self.origins.about(&join(&self.path, key), sentence)
    }

    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.table?.get(key)
    }

    /// The section `key`; empty where it is missing.
    pub fn section(&self, key: &str) -> Result<Section<'a>, ConfigError> {
        let path = join(&self.path, key);
        match self.value(key) {
            None => Ok(Section { table: None, path, origins: self.origins }),
            Some(Value::Table(table)) => Ok(Section { table: Some(table), path, origins: self.origins }),
            Some(other) => Err(self.fault(key, format!("must be a section, not {}", kind(other)))),
        }
    }

    /// The sections inside this one, by name.
    pub fn named(&self) -> Result<Vec<(&'a str, Section<'a>)>, ConfigError> {
        let names = self.table.into_iter().flat_map(Table::keys);
        names.map(|name| Ok((name.as_str(), self.section(name)?))).collect()
    }

    /// A list of sections; empty where it is missing. `example` shows what one looks like.
    pub fn sections(&self, key: &str, example: &str) -> Result<Vec<Section<'a>>, ConfigError> {
        let expected = format!("must be a list such as `{key} = [{example}]`");
        let items = match self.value(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.fault(key, expected)),
        };
        let one = |(index, item): (usize, &'a Value)| match item {
            Value::Table(table) => Ok(self.item(key, index, table)),
            _ => Err(self.fault(&format!("{key}[{index}]"), format!("must look like `{example}`"))),
        };
        items.iter().enumerate().map(one).collect()
    }

    fn item(&self, key: &str, index: usize, table: &'a Table) -> Section<'a> {
        let path = format!("{}[{index}]", join(&self.path, key));
        Section { table: Some(table), path, origins: self.origins }
    }

    /// A text. A TOML date is taken as one too: people write `valid_from = 2019-01-01`.
    pub fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Datetime(moment)) => Ok(Some(moment.to_string())),
            Some(other) => Err(self.fault(key, format!("must be text in quotes, not {}", kind(other)))),
        }
    }

    pub fn text_or(&self, key: &str, default: &str) -> Result<String, ConfigError> {
        Ok(self.text(key)?.unwrap_or_else(|| default.to_owned()))
    }

    /// A text that has no default. `example` is a value to copy.
    pub fn required(&self, key: &str, example: &str) -> Result<String, ConfigError> {
        let missing = || self.fault(key, format!("is missing; add a line such as `{key} = \"{example}\"`"));
        self.text(key)?.ok_or_else(missing)
    }

    /// A list of texts; one text alone counts as a list of one.
    pub fn texts(&self, key: &str) -> Result<Option<Vec<String>>, ConfigError> {
        let items = match self.value(key) {
            None => return Ok(None),
            Some(Value::Array(items)) => items,
            Some(Value::String(text)) => return Ok(Some(vec![text.clone()])),
            Some(other) => return Err(self.fault(key, format!("must be a list of texts, not {}", kind(other)))),
        };
        let text = |(index, item): (usize, &Value)| match item {
            Value::String(text) => Ok(text.clone()),
            other => {
                Err(self.fault(&format!("{key}[{index}]"), format!("must be text in quotes, not {}", kind(other))))
            }
        };
        items.iter().enumerate().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A decimal number as text. Whole ones need no quotes; a fraction does, because TOML's are floats.
    pub fn decimal(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.value(key) {
            Some(Value::Integer(number)) => Ok(Some(number.to_string())),
            Some(Value::Float(_)) => {
                Err(self.fault(key, "has decimals, so it must stand in quotes, such as `\"0.5\"`"))
            }
            _ => self.text(key),
        }
    }

    /// A whole number within `range`, else `default`. A variable's digits count as a number.
    pub fn count_or(&self, key: &str, range: RangeInclusive<u32>, default: u32) -> Result<u32, ConfigError> {
        let number = match self.value(key) {
            None => return Ok(default),
            Some(Value::Integer(number)) => u32::try_from(*number).ok(),
            Some(Value::String(text)) if self.overlaid(key) => text.trim().parse().ok(),
            Some(_) => None,
        };
        let expected = || format!("must be a whole number from {} to {}", range.start(), range.end());
        number.filter(|number| range.contains(number)).ok_or_else(|| self.fault(key, expected()))
    }

    fn overlaid(&self, key: &str) -> bool {
        matches!(self.origins.find(&join(&self.path, key)), Some(Origin::Variable(_)))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Integer(_) | Value::Float(_) => "a number",
        Value::Boolean(_) => "true or false",
        Value::Datetime(_) => "a date",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
    }
}
