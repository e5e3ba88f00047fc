//! Sources and moments that the tests share.

use std::sync::Arc;

use jiff::Timestamp;
use rollbook_domain::{Envelope, EnvelopeId, Event};
use rollbook_providers::{Fields, Request, Secret, Signed};

use crate::{Source, StreamOptions};

/// `2026-01-01T00:00:00Z`: when the tests send.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap()
}

pub fn source(name: &str, provider: &str) -> Arc<Source> {
    let text = "whsec_aW52ZW50ZWQtZm9yLXRoZXNlLXRlc3Rz".to_owned();
    let secret = Secret { key_id: None, text };
    Arc::new(Source::new(name.into(), name.into(), provider, secret).unwrap())
}

pub fn all_sources() -> Vec<Arc<Source>> {
    ["cybersource-secure-acceptance", "docusign-connect", "stripe", "standard-webhooks"]
        .into_iter()
        .map(|provider| source(provider.split('-').next().unwrap(), provider))
        .collect()
}

pub fn options(seed: u64, events: usize) -> StreamOptions {
    let start = Timestamp::from_second(1_700_000_000).unwrap();
    StreamOptions { orphans: true, ..StreamOptions::new(seed, events, all_sources(), start) }
}

/// What the provider's own verifier says of it.
pub fn believed(source: &Source, signed: &Signed, at: Timestamp) -> bool {
    let headers = lower_case(signed);
    let keys = source.provider.keys(std::slice::from_ref(&source.secret)).unwrap();
    source.provider.verify(&keys, &Request { headers: &headers, body: &signed.body }, at).is_ok()
}

/// What the provider's own translator says of it, or the fault's reason.
pub fn translated(source: &Source, signed: &Signed) -> Result<Vec<Event>, String> {
    let headers = lower_case(signed);
    let request = Request { headers: &headers, body: &signed.body };
    let envelope = Envelope {
        id: EnvelopeId::at(now(), [7; 10]),
        source: source.name.clone(),
        delivery_key: source.provider.delivery_key(&request).unwrap_or_else(|| "digest".to_owned()).into(),
        received_at: now(),
        body: signed.body.clone().into(),
        headers,
        trace: None,
    };
    let events = source.provider.translate(&Fields::default(), &source.account, &envelope);
    events.map_err(|fault| fault.reason.to_string())
}

fn lower_case(signed: &Signed) -> Vec<(String, String)> {
    signed.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
}
