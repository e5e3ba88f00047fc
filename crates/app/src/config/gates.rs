//! The gates of a source beside its signature: addresses, basic auth, client certificates.
//!
//! All that are configured must pass. A certificate is believed from a header alone, so somebody
//! must be trusted to set it.

use ipnet::IpNet;
use secrecy::SecretString;
use serde::Serialize;

use super::error::{ConfigError, Origins};
use super::ingest::networks;
use super::resolve::Context;
use super::secret::SecretFrom;
use super::section::Section;

#[derive(Clone, Debug, Serialize)]
pub struct BasicAuth {
    pub user: String,
    pub password: SecretFrom,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientCerts {
    /// The header in which a trusted proxy tells the certificate's fingerprint.
    pub header: String,
    /// SHA-256 or SHA-1 in hex, with or without colons. Several while a certificate rotates.
    pub fingerprints: Vec<String>,
}

/// What a request must pass before its signature is looked at. An empty gate is open.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    pub allow_ips: Vec<IpNet>,
    pub basic_auth: Vec<Login>,
    pub client_certs: Option<Fingerprints>,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub user: String,
    pub password: SecretString,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// In lower case.
    pub header: String,
    /// Hex in lower case without colons: 40 digits (SHA-1) or 64 (SHA-256).
    pub allowed: Vec<String>,
}

impl BasicAuth {
    pub(super) fn read(section: Section<'_>) -> Result<Self, ConfigError> {
        let section = section.only(&["user", "password"])?;
        let user = section.required("user", "docusign")?;
        if user.is_empty() || user.contains(':') {
            return Err(section.fault("user", "must be a name without a colon, because basic auth cannot carry one"));
        }
        if !section.has("password") {
            return Err(section.fault("password", "is missing; give `password = { file = \"…\" }`"));
        }
        let password = section.section("password")?.only(&["env", "file", "value"])?;
        Ok(Self { user, password: SecretFrom::read(&password)? })
    }
}

impl ClientCerts {
    pub(super) fn read(source: &Section<'_>) -> Result<Option<Self>, ConfigError> {
        if !source.has("client_certs") {
            return Ok(None);
        }
        let section = source.section("client_certs")?.only(&["header", "fingerprints"])?;
        let header = section.required("header", "x-client-fingerprint")?;
        let fingerprints = section.texts("fingerprints")?.unwrap_or_default();
        if fingerprints.is_empty() {
            return Err(section.fault("fingerprints", "has no fingerprint, so nobody could pass; list at least one"));
        }
        Ok(Some(Self { header, fingerprints }))
    }

    fn resolve(&self, path: &str, origins: &Origins) -> Result<Fingerprints, ConfigError> {
        let token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if self.header.is_empty() || !self.header.chars().all(token) {
            let sentence = format!("is no header name: `{}`; write one like `x-client-fingerprint`", self.header);
            return Err(origins.about(&format!("{path}.header"), sentence));
        }
        let one = |(index, text): (usize, &String)| {
            let hint = "give SHA-256 or SHA-1 in hex, with or without colons";
            let path = format!("{path}.fingerprints[{index}]");
            fingerprint(text).ok_or_else(|| origins.about(&path, format!("is no fingerprint: `{text}`; {hint}")))
        };
        let allowed = self.fingerprints.iter().enumerate().map(one).collect::<Result<_, _>>()?;
        Ok(Fingerprints { header: self.header.to_ascii_lowercase(), allowed })
    }
}

fn fingerprint(text: &str) -> Option<String> {
    let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
    let hex = digits.chars().all(|c| c.is_ascii_hexdigit());
    (hex && matches!(digits.len(), 40 | 64)).then(|| digits.to_ascii_lowercase())
}

/// The gates as one source of the configuration writes them.
pub(super) struct Written<'a> {
    /// The source's full path.
    pub path: &'a str,
    pub allow_ips: &'a [String],
    pub basic_auth: &'a [BasicAuth],
    pub client_certs: Option<&'a ClientCerts>,
    /// Whether `ingest.trusted_proxies` names anybody.
    pub proxied: bool,
}

impl Written<'_> {
    pub(super) fn resolve(
        &self,
        context: &Context<'_>,
        origins: &Origins,
        warnings: &mut Vec<String>,
    ) -> Result<Gates, ConfigError> {
        let mut gates = Gates {
            allow_ips: networks(&format!("{}.allow_ips", self.path), self.allow_ips, origins)?,
            ..Gates::default()
        };
        for (index, login) in self.basic_auth.iter().enumerate() {
            let path = format!("{}.basic_auth[{index}].password", self.path);
            let password = login.password.fetch(&path, context, origins, warnings)?;
            gates.basic_auth.push(Login { user: login.user.clone(), password });
        }
        if let Some(certs) = self.client_certs {
            gates.client_certs = Some(self.certificates(certs, origins)?);
        }
        Ok(gates)
    }

    fn certificates(&self, certs: &ClientCerts, origins: &Origins) -> Result<Fingerprints, ConfigError> {
        let path = format!("{}.client_certs", self.path);
        if !self.proxied {
            let sentence = "believes a header that anybody could send; name your proxy in `ingest.trusted_proxies`";
            return Err(origins.about(&path, sentence));
        }
        certs.resolve(&path, origins)
    }
}
