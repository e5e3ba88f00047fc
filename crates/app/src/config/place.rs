//! `[queue]` and `[store]`: where records and waiting work are kept.
//!
//! The servers of a larger installation are known by name, so that their addresses get a straight
//! answer instead of "unknown scheme".

use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde::{Serialize, Serializer};

use super::error::{ConfigError, Origins};
use super::section::Section;
use super::units;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// One address, or a list for a cluster.
    #[serde(serialize_with = "one_or_list")]
    pub url: Vec<Url>,
    /// Below this much free disk the embedded queue takes nothing more.
    pub min_free_disk: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Store {
    pub url: Url,
}

/// An address that may hold a password. It is printed without one.
#[derive(Clone, PartialEq, Eq)]
pub struct Url(String);

/// Where something is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A SQLite file. Its folder need not exist yet.
    Sqlite(PathBuf),
}

impl Queue {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("queue")?.only(&["url", "min_free_disk"])?;
        let given = section.texts("url")?.unwrap_or_else(|| vec!["sqlite:data/queue.db".to_owned()]);
        if given.is_empty() {
            return Err(section.fault("url", "is an empty list; give an address such as `sqlite:data/queue.db`"));
        }
        let url = given.into_iter().map(Url).collect();
        Ok(Self { url, min_free_disk: section.text_or("min_free_disk", "256MiB")? })
    }

    pub(super) fn place(&self, base: &Path, origins: &Origins) -> Result<Place, ConfigError> {
        let known = Known { path: "queue.url", server: "RabbitMQ", schemes: &["amqp", "amqps"] };
        let places: Result<Vec<_>, _> = self.url.iter().map(|url| url.place(&known, base, origins)).collect();
        match places?.as_slice() {
            [only] => Ok(only.clone()),
            _ => Err(origins.about("queue.url", "lists several files; a list is for a cluster, so give one file")),
        }
    }

    pub(super) fn min_free_disk_bytes(&self, origins: &Origins) -> Result<u64, ConfigError> {
        let wrong = || origins.about("queue.min_free_disk", "is no size; write one such as `256MiB`");
        units::size(&self.min_free_disk).ok_or_else(wrong)
    }
}

impl Store {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("store")?.only(&["url"])?;
        Ok(Self { url: Url(section.text_or("url", "sqlite:data/rollbook.db")?) })
    }

    pub(super) fn place(&self, base: &Path, origins: &Origins) -> Result<Place, ConfigError> {
        let known = Known { path: "store.url", server: "PostgreSQL", schemes: &["postgres", "postgresql"] };
        self.url.place(&known, base, origins)
    }
}

/// What may stand at `path`, and which server it would be.
struct Known {
    path: &'static str,
    server: &'static str,
    schemes: &'static [&'static str],
}

impl Url {
    fn place(&self, known: &Known, base: &Path, origins: &Origins) -> Result<Place, ConfigError> {
        let wrong = |sentence: String| Err(origins.about(known.path, sentence));
        match self.0.split_once(':') {
            Some(("sqlite", rest)) => file(rest, base).map_or_else(
                || wrong("names no file; write it like `sqlite:data/rollbook.db`".to_owned()),
                |file| Ok(Place::Sqlite(file)),
            ),
            Some((scheme, _)) if known.schemes.contains(&scheme) => {
                wrong(format!("asks for {0}, but this build has no {0} yet; use `sqlite:FILE`", known.server))
            }
            _ => wrong(format!("must begin with `sqlite:`, or with `{}:` for {}", known.schemes[0], known.server)),
        }
    }

    /// The address without its password.
    fn masked(&self) -> String {
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
fn file(written: &str, base: &Path) -> Option<PathBuf> {
    let path = written.strip_prefix("//").unwrap_or(written);
    let odd = path.is_empty() || path.starts_with(':') || path.contains(['?', '\0']) || path.ends_with(['/', '.']);
    (!odd).then(|| base.join(path))
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

/// As people write it: one address without brackets.
fn one_or_list<S: Serializer>(urls: &[Url], serializer: S) -> Result<S::Ok, S::Error> {
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
    fn one_file_has_one_path() {
        for path in ["data/x.db", "./data/x.db", "data/./x.db", "data/../data/x.db"] {
            assert_eq!(plain(Path::new(path)), Path::new("data/x.db"));
        }
        assert_eq!(plain(Path::new("../x.db")), Path::new("../x.db"));
    }
}
