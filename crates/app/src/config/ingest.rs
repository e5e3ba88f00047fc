//! `[ingest]` and `[ops]`: the two listeners and their limits.
//!
//! Both are on loopback unless told otherwise; a reverse proxy with TLS stands in front.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use ipnet::IpNet;
use serde::Serialize;

use super::error::{ConfigError, Origins};
use super::resolve::Spool;
use super::section::Section;
use super::units;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ingest {
    pub listen: String,
    /// The largest body taken, unless a source says otherwise.
    pub max_body: String,
    /// Where callbacks wait while the broker is away.
    pub spool: String,
    /// The largest that the spool may become.
    pub spool_max: String,
    /// Who may tell the sender's address and client certificate in a header.
    pub trusted_proxies: Vec<String>,
    pub max_connections: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ops {
    pub listen: String,
}

impl Ingest {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let known = ["listen", "max_body", "spool", "spool_max", "trusted_proxies", "max_connections"];
        let section = root.section("ingest")?.only(&known)?;
        Ok(Self {
            listen: section.text_or("listen", "127.0.0.1:8080")?,
            max_body: section.text_or("max_body", "1MiB")?,
            spool: section.text_or("spool", "data/spool.db")?,
            spool_max: section.text_or("spool_max", "1GiB")?,
            trusted_proxies: section.texts("trusted_proxies")?.unwrap_or_default(),
            max_connections: section.count_or("max_connections", 1..=65_535, 1_024)?,
        })
    }

    pub(super) fn spool(&self, base: &Path, origins: &Origins) -> Result<Spool, ConfigError> {
        if self.spool.is_empty() {
            return Err(origins.about("ingest.spool", "is empty; name a file such as `data/spool.db`"));
        }
        let wrong = || origins.about("ingest.spool_max", "is no size of 1MiB or more; write one such as `1GiB`");
        let max_bytes = units::size(&self.spool_max).filter(|bytes| *bytes >= 1 << 20).ok_or_else(wrong)?;
        Ok(Spool { path: base.join(&self.spool), max_bytes })
    }
}

impl Ops {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("ops")?.only(&["listen"])?;
        Ok(Self { listen: section.text_or("listen", "127.0.0.1:9090")? })
    }
}

/// An address and a port; port 0 takes any free one.
pub(super) fn address(path: &str, text: &str, origins: &Origins) -> Result<SocketAddr, ConfigError> {
    let wrong = || origins.about(path, format!("is no address with a port: `{text}`; write one like `127.0.0.1:8080`"));
    text.parse().map_err(|_| wrong())
}

/// What one request may bring: DocuSign with documents inside reaches 25 MB.
const LARGEST_BODY_BYTES: u64 = 256 << 20;

pub(super) fn body_limit(path: &str, text: &str, origins: &Origins) -> Result<usize, ConfigError> {
    let bytes = units::size(text).filter(|bytes| (1..=LARGEST_BODY_BYTES).contains(bytes));
    let limit = bytes.and_then(|bytes| usize::try_from(bytes).ok());
    limit.ok_or_else(|| origins.about(path, format!("is no size up to 256MiB: `{text}`; write one like `1MiB`")))
}

/// Networks; a single address is a network of one.
pub(super) fn networks(path: &str, texts: &[String], origins: &Origins) -> Result<Vec<IpNet>, ConfigError> {
    let read = |(index, text): (usize, &String)| {
        network(text).ok_or_else(|| {
            let hint = "write one like `198.241.162.0/24` or `203.0.113.7`";
            origins
                .fault(&format!("{path}[{index}]"), format!("`{path}` has no address or network in `{text}`; {hint}"))
        })
    };
    texts.iter().enumerate().map(read).collect()
}

/// Proxies are believed when they name the client and its certificate, so everybody cannot be one.
pub(super) fn proxies(path: &str, texts: &[String], origins: &Origins) -> Result<Vec<IpNet>, ConfigError> {
    let networks = networks(path, texts, origins)?;
    match networks.iter().position(|network| network.prefix_len() == 0) {
        Some(index) => {
            let sentence = "trusts everybody to say who they are; name your proxies alone";
            Err(origins.about(&format!("{path}[{index}]"), sentence))
        }
        None => Ok(networks),
    }
}

fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
