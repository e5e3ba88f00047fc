//! The configuration in force, defaults and overlay included, with secrets masked.
//!
//! What is printed is a configuration again (only a secret written inline is lost), so that it can
//! be compared and copied.

use super::Config;

/// A configuration as it is printed: where each secret is kept, and `***` for one that is written inline.
#[derive(Clone, Debug)]
pub struct Shown(Config);

impl Config {
    pub fn shown(&self) -> Shown {
        Shown(self.clone())
    }
}

impl Shown {
    /// As a configuration file, in the order of the documentation.
    pub fn toml(&self) -> String {
        toml::to_string(&self.0).unwrap_or_else(|fault| format!("# this cannot be written as TOML: {fault}\n"))
    }

    /// The same for scripts.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }
}
