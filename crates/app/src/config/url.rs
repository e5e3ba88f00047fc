//! Addresses that may hold a password.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

/// Printed without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

impl Url {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As written, password and all: for whoever connects.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What stands before the first colon, and what follows it.
    pub(super) fn scheme(&self) -> Option<(&str, &str)> {
        self.0.split_once(':')
    }

    /// Whether a server is named: `scheme://host…`.
    pub(super) fn names_a_host(&self) -> bool {
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        !host.rsplit('@').next().unwrap_or_default().is_empty()
    }

    /// The address without its password.
    pub fn masked(&self) -> String {
        let secret = |url: &str, from: usize, to: usize| format!("{}***{}", &url[..from], &url[to..]);
        let mut url = self.0.clone();
        if let Some(user) = url.find("://").map(|at| at + 3)
            && let Some(at) = url.rfind('@').filter(|at| *at >= user)
            && let Some(colon) = url[user..at].find(':')
        {
            url = secret(&url, user + colon + 1, at);
        }
        if let Some(from) = url.to_ascii_lowercase().find("password=").map(|at| at + "password=".len()) {
            let to = url[from..].find('&').map_or(url.len(), |at| from + at);
            url = secret(&url, from, to);
        }
        url
    }
}

/// A file's path below `base`. `sqlite://FILE` is read like `sqlite:FILE`.
pub(super) fn file(written: &str, base: &Path) -> Option<PathBuf> {
    let path = written.strip_prefix("//").unwrap_or(written);
    let odd = path.is_empty() || path.starts_with(':') || path.contains(['?', '\0']) || path.ends_with(['/', '.']);
    (!odd).then(|| base.join(path))
}

/// As people write it: one address without brackets.
pub(super) fn one_or_list<S: Serializer>(urls: &[Url], serializer: S) -> Result<S::Ok, S::Error> {
    match urls {
        [only] => only.serialize(serializer),
        list => list.serialize(serializer),
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.masked())
    }
}

impl Serialize for Url {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_is_never_shown() {
        for (url, shown) in [
            ("amqp://ada:s3cret@rabbit:5672/club", "amqp://ada:***@rabbit:5672/club"),
            ("amqp://ada:s3c@ret/x@rabbit:5672/club", "amqp://ada:***@rabbit:5672/club"),
            ("postgres://ada@db/club?password=s3cret&x=1", "postgres://ada@db/club?password=***&x=1"),
            ("postgres://ada@db/club", "postgres://ada@db/club"),
            ("sqlite:data/queue.db", "sqlite:data/queue.db"),
        ] {
            assert_eq!(Url(url.to_owned()).masked(), shown);
        }
    }

    #[test]
    fn a_server_has_a_name() {
        for (url, names) in [
            ("amqp://ada:s3cret@rabbit:5672/club", true),
            ("amqp://rabbit", true),
            ("postgres://ada@/club", false),
            ("postgres:///club?host=/run/postgresql", false),
            ("amqp:rabbit", false),
        ] {
            assert_eq!(Url(url.to_owned()).names_a_host(), names, "{url}");
        }
    }
}
