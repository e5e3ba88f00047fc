//! The configuration in force, defaults and overlay included, with secrets masked.
//!
//! What is printed is a configuration again (only a secret written inline is lost), so that it can
//! be compared and copied.

use super::Config;

/// A configuration as it is printed: where each secret is kept, and `***` for one that is written inline.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown(toml::Table);

impl Config {
    pub fn shown(&self) -> Shown {
        Shown(toml::Table::try_from(self).unwrap_or_default())
    }
}

impl Shown {
    /// As a configuration file.
    pub fn toml(&self) -> String {
        self.0.to_string()
    }

    /// The same for scripts.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }
}
