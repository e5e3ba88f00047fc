//! `[queue]` and `[store]`: where waiting work and records are kept. The scheme of the address decides.

use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use super::error::{ConfigError, Origins};
use super::section::Section;
use super::units;
use super::url::{Url, file, one_or_list};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// One address, or a list for a cluster.
    #[serde(serialize_with = "one_or_list")]
    pub url: Vec<Url>,
    /// In front of every name at the broker.
    pub prefix: String,
    /// Below this much free disk the embedded queue and the spool take nothing more.
    pub min_free_disk: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Store {
    pub url: Url,
}

/// Where work waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueuePlace {
    /// A SQLite file. Its folder need not exist yet.
    Sqlite(PathBuf),
    /// The nodes of one RabbitMQ cluster, and what stands in front of every name there.
    Rabbit { nodes: Vec<Url>, prefix: String },
}

/// Where records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorePlace {
    /// A SQLite file. Its folder need not exist yet.
    Sqlite(PathBuf),
    Postgres(Url),
}

const LEAST_FREE_BYTES: u64 = 1 << 20;
const BROKER: [&str; 2] = ["amqp", "amqps"];
const SERVER: [&str; 2] = ["postgres", "postgresql"];

impl Queue {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("queue")?.only(&["url", "prefix", "min_free_disk"])?;
        let given = section.texts("url")?.unwrap_or_else(|| vec!["sqlite:data/queue.db".to_owned()]);
        if given.is_empty() {
            return Err(section.fault("url", "is an empty list; give an address such as `sqlite:data/queue.db`"));
        }
        let url = given.into_iter().map(Url::new).collect();
        let prefix = section.text_or("prefix", "rollbook")?;
        Ok(Self { url, prefix, min_free_disk: section.text_or("min_free_disk", "256MiB")? })
    }

    pub(super) fn place(&self, base: &Path, origins: &Origins) -> Result<QueuePlace, ConfigError> {
        let wrong = |sentence: &str| Err(origins.about("queue.url", sentence));
        let broker = |url: &Url| url.scheme().is_some_and(|(scheme, _)| BROKER.contains(&scheme));
        match self.url.as_slice() {
            nodes if nodes.iter().all(broker) => self.cluster(nodes, origins),
            [only] => match only.scheme() {
                Some(("sqlite", rest)) => file(rest, base)
                    .map(QueuePlace::Sqlite)
                    .map_or_else(|| wrong("names no file; write it like `sqlite:data/queue.db`"), Ok),
                _ => wrong("must begin with `sqlite:`, or with `amqp:` or `amqps:` for RabbitMQ"),
            },
            _ => wrong("lists what is not one cluster; a list holds `amqp:` or `amqps:` addresses only"),
        }
    }

    fn cluster(&self, nodes: &[Url], origins: &Origins) -> Result<QueuePlace, ConfigError> {
        if !nodes.iter().all(Url::names_a_host) {
            return Err(
                origins.about("queue.url", "names no server; write it like `amqp://user:password@host:5672/vhost`")
            );
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.prefix.is_empty() || self.prefix.len() > 64 || !self.prefix.chars().all(plain) {
            let sentence = "must have 1 to 64 letters, digits, dots, dashes or underscores";
            return Err(origins.about("queue.prefix", sentence));
        }
        Ok(QueuePlace::Rabbit { nodes: nodes.to_vec(), prefix: self.prefix.clone() })
    }

    pub(super) fn min_free_disk_bytes(&self, origins: &Origins) -> Result<u64, ConfigError> {
        let wrong = |sentence| origins.about("queue.min_free_disk", sentence);
        let bytes = units::size(&self.min_free_disk);
        let bytes = bytes.ok_or_else(|| wrong("is no size; write one such as `256MiB`"))?;
        // Settling writes, too: a file that filled its disk could not even be emptied.
        if bytes < LEAST_FREE_BYTES {
            return Err(wrong(
                "is less than 1MiB, with which a full disk could not be emptied; write one such as `256MiB`",
            ));
        }
        Ok(bytes)
    }
}

impl QueuePlace {
    /// The embedded queue's file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => Some(file),
            Self::Rabbit { .. } => None,
        }
    }
}

impl StorePlace {
    /// The embedded store's file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => Some(file),
            Self::Postgres(_) => None,
        }
    }
}

impl Store {
    pub(super) fn is_file(&self) -> bool {
        self.url.scheme().is_some_and(|(scheme, _)| scheme == "sqlite")
    }

    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("store")?.only(&["url"])?;
        Ok(Self { url: Url::new(section.text_or("url", "sqlite:data/rollbook.db")?) })
    }

    pub(super) fn place(&self, base: &Path, origins: &Origins) -> Result<StorePlace, ConfigError> {
        let wrong = |sentence: &str| Err(origins.about("store.url", sentence));
        match self.url.scheme() {
            Some(("sqlite", rest)) => file(rest, base)
                .map(StorePlace::Sqlite)
                .map_or_else(|| wrong("names no file; write it like `sqlite:data/rollbook.db`"), Ok),
            Some((scheme, rest)) if SERVER.contains(&scheme) && rest.starts_with("//") => {
                Ok(StorePlace::Postgres(self.url.clone()))
            }
            Some((scheme, _)) if SERVER.contains(&scheme) => {
                wrong("names no database; write it like `postgres://user:password@host:5432/database`")
            }
            _ => wrong("must begin with `sqlite:`, or with `postgres:` for PostgreSQL"),
        }
    }
}

/// The same file however its path is written, as far as the text alone can tell.
pub(super) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_path() {
        for path in ["data/x.db", "./data/x.db", "data/./x.db", "data/../data/x.db"] {
            assert_eq!(plain(Path::new(path)), Path::new("data/x.db"));
        }
        assert_eq!(plain(Path::new("../x.db")), Path::new("../x.db"));
    }
}
