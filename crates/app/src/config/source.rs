//! `[sources.NAME]`: one route, with its provider, secrets, gates and fields.
//!
//! Fail closed: a source that cannot verify is an error, and switching verification off takes both
//! a line in the file and a flag at start.

use rollbook_domain::{Account, SourceName};
use rollbook_providers::{Fields, Keys, PROVIDERS, Provider, Secret};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::error::{ConfigError, Origins};
use super::gates::{BasicAuth, ClientCerts, Gates, Written};
use super::ingest::body_limit;
use super::nearest::suggestion;
use super::resolve::{Context, Need};
use super::secret::SecretRef;
use super::section::Section;

/// The one word that `verifier` may say.
const INSECURE: &str = "insecure-none";

/// The source of internal events, and the metric label of requests to no source.
const RESERVED: [&str; 2] = ["rollbook", "unknown"];

#[derive(Clone, Debug, Serialize)]
pub struct Source {
    pub provider: String,
    pub account: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points_group_field: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow_ips: Vec<String>,
    pub secrets: Vec<SecretRef>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub basic_auth: Vec<BasicAuth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certs: Option<ClientCerts>,
}

/// A source that is ready to be served.
pub struct ResolvedSource {
    pub name: SourceName,
    pub provider: &'static dyn Provider,
    pub account: Account,
    pub verifier: Verifier,
    /// As configured, for signing what `send` and `simulate` send. Empty without a verifier.
    pub secrets: Vec<Secret>,
    pub gates: Gates,
    pub fields: Fields,
    pub max_body_bytes: usize,
}

/// How a source tells its provider from anybody else.
#[derive(Clone, Debug)]
pub enum Verifier {
    Keys(Keys),
    /// It does not. Only with `--insecure`.
    InsecureNone,
    /// Nobody asked: no key was read, so nothing can be believed and nothing may be served.
    Unread,
}

impl std::fmt::Debug for ResolvedSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("ResolvedSource");
        debug.field("name", &self.name).field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}

const KEYS: [&str; 13] = [
    "provider",
    "account",
    "secrets",
    "verifier",
    "allow_ips",
    "basic_auth",
    "client_certs",
    "purpose_field",
    "category_field",
    "email_field",
    "name_field",
    "points_group_field",
    "max_body",
];

/// Whoever writes an empty list may mean nobody or everybody, so it means neither.
fn no_empty_gate(section: &Section<'_>, key: &str, empty: bool) -> Result<(), ConfigError> {
    if empty {
        return Err(section.fault(key, "is an empty list; name who may pass, or leave the key out to ask nothing"));
    }
    Ok(())
}

impl Source {
    pub(super) fn read(name: &str, section: Section<'_>) -> Result<Self, ConfigError> {
        check_name(name, &section)?;
        let section = section.only(&KEYS)?;
        let secrets = section.sections("secrets", "{ file = \"…\" }")?;
        let logins = section.sections("basic_auth", "{ user = \"…\", password = { file = \"…\" } }")?;
        let allow_ips = section.texts("allow_ips")?;
        no_empty_gate(&section, "allow_ips", allow_ips.as_ref().is_some_and(Vec::is_empty))?;
        no_empty_gate(&section, "basic_auth", section.has("basic_auth") && logins.is_empty())?;
        Ok(Self {
            provider: section.required("provider", "stripe")?,
            account: section.text_or("account", name)?,
            secrets: secrets.into_iter().map(SecretRef::read).collect::<Result<_, _>>()?,
            verifier: section.text("verifier")?,
            allow_ips: allow_ips.unwrap_or_default(),
            basic_auth: logins.into_iter().map(BasicAuth::read).collect::<Result<_, _>>()?,
            client_certs: ClientCerts::read(&section)?,
            purpose_field: section.text("purpose_field")?,
            category_field: section.text("category_field")?,
            email_field: section.text("email_field")?,
            name_field: section.text("name_field")?,
            points_group_field: section.text("points_group_field")?,
            max_body: section.text("max_body")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields {
            purpose: self.purpose_field.clone(),
            category: self.category_field.clone(),
            email: self.email_field.clone(),
            name: self.name_field.clone(),
            points_group: self.points_group_field.clone(),
        }
    }
}

fn check_name(name: &str, section: &Section<'_>) -> Result<(), ConfigError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if !(1..=64).contains(&name.len()) || !name.chars().all(allowed) {
        return Err(section.whole("is no source name; use up to 64 of a-z, 0-9, `-` and `_`, as it is part of a URL"));
    }
    if RESERVED.contains(&name) {
        return Err(section.whole("is a name kept for Rollbook's own use; choose another"));
    }
    Ok(())
}

/// One source on its way to be served.
pub(super) struct Resolving<'a> {
    pub name: &'a str,
    pub source: &'a Source,
    /// `sources.NAME`
    pub path: String,
    pub context: &'a Context<'a>,
    pub origins: &'a Origins,
    /// Whether `ingest.trusted_proxies` names anybody.
    pub proxied: bool,
    /// Of `[ingest]`.
    pub max_body_bytes: usize,
}

impl Resolving<'_> {
    pub(super) fn resolve(&self, warnings: &mut Vec<String>) -> Result<ResolvedSource, ConfigError> {
        let provider = self.provider()?;
        let account = self.account()?;
        let (verifier, secrets, gates) = match self.context.need {
            Need::Records => (Verifier::Unread, Vec::new(), Gates::default()),
            Need::Serving { insecure } => self.guard(provider, insecure, warnings)?,
        };
        self.check_fields()?;
        let max_body_bytes = self.max_body()?;
        let (name, fields) = (self.name.into(), self.source.fields());
        Ok(ResolvedSource { name, provider, account, verifier, secrets, gates, fields, max_body_bytes })
    }

    /// Everything that keeps strangers out.
    fn guard(
        &self,
        provider: &'static dyn Provider,
        insecure: bool,
        warnings: &mut Vec<String>,
    ) -> Result<(Verifier, Vec<Secret>, Gates), ConfigError> {
        let (verifier, secrets) = self.verifier(provider, insecure, warnings)?;
        let gates = Written {
            path: &self.path,
            allow_ips: &self.source.allow_ips,
            basic_auth: &self.source.basic_auth,
            client_certs: self.source.client_certs.as_ref(),
            proxied: self.proxied,
        };
        Ok((verifier, secrets, gates.resolve(self.context, self.origins, warnings)?))
    }

    fn about(&self, key: &str, sentence: impl AsRef<str>) -> ConfigError {
        self.origins.about(&format!("{}.{key}", self.path), sentence)
    }

    fn provider(&self) -> Result<&'static dyn Provider, ConfigError> {
        let written = &self.source.provider;
        rollbook_providers::find(written).ok_or_else(|| {
            let known: Vec<&str> = PROVIDERS.iter().map(|provider| provider.name()).collect();
            self.about("provider", format!("names no provider: `{written}`; {}", suggestion(written, &known)))
        })
    }

    fn account(&self) -> Result<Account, ConfigError> {
        if self.source.account.trim().is_empty() {
            return Err(self.about("account", "is empty; leave it out to use the source's name"));
        }
        Ok(Account::new(&self.source.account))
    }

    fn verifier(
        &self,
        provider: &'static dyn Provider,
        insecure: bool,
        warnings: &mut Vec<String>,
    ) -> Result<(Verifier, Vec<Secret>), ConfigError> {
        if let Some(word) = &self.source.verifier {
            return self.without_verifier(word, insecure, warnings);
        }
        if self.source.secrets.is_empty() {
            let sentence = format!("`{}` has no secret; give it `secrets = [{{ file = \"…\" }}]`", self.path);
            return Err(self.origins.fault(&self.path, sentence));
        }
        let secrets = self.secrets(warnings)?;
        let keys = provider.keys(&secrets).map_err(|fault| {
            self.about("secrets", format!("cannot be used: {fault}; copy it again from {}", provider.name()))
        })?;
        Ok((Verifier::Keys(keys), secrets))
    }

    fn without_verifier(
        &self,
        word: &str,
        insecure: bool,
        warnings: &mut Vec<String>,
    ) -> Result<(Verifier, Vec<Secret>), ConfigError> {
        if word != INSECURE {
            return Err(self.about("verifier", format!("may only say `{INSECURE}`; leave it out to verify signatures")));
        }
        if !self.source.secrets.is_empty() {
            let sentence = format!("is `{INSECURE}`, yet the source has `secrets`; leave one of the two out");
            return Err(self.about("verifier", sentence));
        }
        if !insecure {
            let hint = "give it `secrets`, or start with --insecure if that is meant";
            return Err(self.about("verifier", format!("is `{INSECURE}`, so anybody could send it callbacks; {hint}")));
        }
        warnings.push(format!("`{}` verifies nothing: anybody who reaches it can make records", self.path));
        Ok((Verifier::InsecureNone, Vec::new()))
    }

    fn secrets(&self, warnings: &mut Vec<String>) -> Result<Vec<Secret>, ConfigError> {
        let mut secrets: Vec<Secret> = Vec::new();
        for (index, secret) in self.source.secrets.iter().enumerate() {
            let path = format!("{}.secrets[{index}]", self.path);
            let text = secret.from.fetch(&path, self.context, self.origins, warnings)?;
            let twin = |earlier: &Secret| earlier.key_id.is_some() && earlier.key_id == secret.key_id;
            if secrets.iter().any(twin) {
                let sentence = "has the same `key_id` as one before it; each key of a source needs its own";
                return Err(self.origins.about(&path, sentence));
            }
            secrets.push(Secret { key_id: secret.key_id.clone(), text: text.expose_secret().to_owned() });
        }
        Ok(secrets)
    }

    fn check_fields(&self) -> Result<(), ConfigError> {
        let Source { purpose_field, category_field, email_field, name_field, points_group_field, .. } = self.source;
        let fields = [
            ("purpose_field", purpose_field),
            ("category_field", category_field),
            ("email_field", email_field),
            ("name_field", name_field),
            ("points_group_field", points_group_field),
        ];
        match fields.iter().find(|(_, field)| field.as_ref().is_some_and(|name| name.trim().is_empty())) {
            Some((key, _)) => Err(self.about(key, "is empty; leave it out to use the provider's own field")),
            None => Ok(()),
        }
    }

    fn max_body(&self) -> Result<usize, ConfigError> {
        let own = self.source.max_body.as_deref();
        own.map_or(Ok(self.max_body_bytes), |text| body_limit(&format!("{}.max_body", self.path), text, self.origins))
    }
}
