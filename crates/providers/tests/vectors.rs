//! Our own vectors: `vectors/<provider>/*.json`, made by another program than ours.
//!
//! A case is a request, the live secrets and a moment, with the verdict that is expected: `ok` or the
//! word of the fault. A request that is believed has `events`, or the reason why it has none as
//! `translate`.

use std::fs;
use std::path::PathBuf;

use base64::Engine as _;
use jiff::Timestamp;
use rollbook_domain::{Account, Envelope, EnvelopeId, Event};
use rollbook_providers::{Fields, Keys, PROVIDERS, Provider, Request, Secret, TranslateFault};
use serde::Deserialize;
use serde_json::Value;

use crate::shown;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    secrets: Vec<LiveSecret>,
    pub headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    now: Timestamp,
    expect: String,
    #[serde(default)]
    fields: ConfiguredFields,
    /// Absent: not looked at. Null: the request has none.
    #[serde(default, deserialize_with = "present")]
    delivery_key: Option<Value>,
    events: Option<Vec<Value>>,
    translate: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct LiveSecret {
    id: Option<String>,
    text: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfiguredFields {
    purpose: Option<String>,
    category: Option<String>,
    email: Option<String>,
    name: Option<String>,
    points_group: Option<String>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Case {
    pub fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(coded)) => base64::engine::general_purpose::STANDARD.decode(coded).unwrap(),
            _ => panic!("{}: one body, please", self.name),
        }
    }

    pub fn secrets(&self) -> Vec<Secret> {
        let secret = |live: &LiveSecret| Secret { key_id: live.id.clone(), text: live.text.clone() };
        self.secrets.iter().map(secret).collect()
    }

    pub fn keys(&self, provider: &dyn Provider) -> Keys {
        provider.keys(&self.secrets()).unwrap()
    }

    pub fn verdict(&self, provider: &dyn Provider, keys: &Keys, request: &Request<'_>) -> String {
        provider.verify(keys, request, self.now).map_or_else(|fault| fault.as_str().to_owned(), |()| "ok".to_owned())
    }

    pub fn fields(&self) -> Fields {
        let ConfiguredFields { purpose, category, email, name, points_group } = self.fields.clone();
        Fields { purpose, category, email, name, points_group }
    }

    pub fn is_believed(&self) -> bool {
        self.expect == "ok"
    }

    pub fn translate(&self, provider: &dyn Provider, body: &[u8]) -> Result<Vec<Event>, TranslateFault> {
        provider.translate(&self.fields(), &Account::new("account"), &envelope(body, self.now))
    }
}

pub fn envelope(body: &[u8], received_at: Timestamp) -> Envelope {
    Envelope {
        id: EnvelopeId::at(received_at, [7; 10]),
        source: "source".into(),
        delivery_key: "request-1".into(),
        received_at,
        headers: Vec::new(),
        trace: None,
        body: body.to_vec().into(),
    }
}

/// The files of a provider, by name.
pub fn files(provider: &str) -> Vec<(String, Vec<Case>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(provider);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let cases = serde_json::from_slice(&fs::read(path).unwrap());
        (name, cases.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    paths.iter().map(read).collect()
}

pub fn cases(provider: &str) -> Vec<Case> {
    files(provider).into_iter().flat_map(|(_, cases)| cases).collect()
}

#[test]
fn every_vector_has_its_verdict_and_its_events() {
    for provider in PROVIDERS {
        for case in cases(provider.name()) {
            check(*provider, &case);
        }
    }
}

#[test]
fn every_provider_has_vectors_of_every_sort() {
    for provider in PROVIDERS {
        let names: Vec<_> = files(provider.name()).into_iter().map(|(name, _)| name).collect();
        let signs_a_time = ["stripe", "standard-webhooks"].contains(&provider.name());
        for needed in ["good", "forged", "malformed", "rotated"].into_iter().chain(signs_a_time.then_some("stale")) {
            assert!(names.iter().any(|name| name == needed), "{} has no {needed}", provider.name());
        }
    }
}

fn check(provider: &dyn Provider, case: &Case) {
    let at = format!("{}: {}", provider.name(), case.name);
    let body = case.body();
    let request = Request { headers: &case.headers, body: &body };
    assert_eq!(case.verdict(provider, &case.keys(provider), &request), case.expect, "{at}");
    if let Some(key) = &case.delivery_key {
        assert_eq!(&Value::from(provider.delivery_key(&request)), key, "{at}");
    }
    assert!(!case.is_believed() || case.events.is_some() || case.translate.is_some(), "{at}: believed, and then?");
    if !case.is_believed() {
        return;
    }
    match case.translate(provider, &body) {
        Ok(events) => {
            let kinds = provider.yields();
            assert!(events.iter().all(|event| kinds.contains(&event.fact.kind())), "{at}: a kind it does not yield");
            assert!(events.iter().all(|event| event.account.as_str() == "account"), "{at}");
            let shown: Vec<_> = events.iter().map(shown::event).collect();
            assert_eq!(Some(shown), case.events, "{at}");
        }
        Err(fault) => assert_eq!(Some(fault.reason.as_str()), case.translate.as_deref(), "{at}: {fault}"),
    }
}
