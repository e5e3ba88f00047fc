//! DocuSign Connect: individual messages in JSON (SIM), and the legacy XML that older envelopes
//! still ask for.
//!
//! `X-DocuSign-Signature-1` to `-100` hold one base64 HMAC-SHA256 of the raw body for each active
//! key of the account; any match is enough. The secret looks like base64 and is used as text. No
//! time is signed, so repetition is the event key's business. The body says which format it is; a
//! content type is not asked.
//!
//! One completion usually sends two messages, a recipient's and the envelope's. Only the envelope's
//! is a completed document. A retry changes `retryCount` and thereby the bytes, so the request is
//! named by its fields and never by a hash.

mod json;
mod xml;
mod xml_reader;

use jiff::Timestamp;
use rollbook_domain::{Account, Envelope, Event, EventKey, Fact, FactKind};

use crate::{Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault, fault, mac};

pub(crate) struct DocuSignConnect;

const HEADER: &str = "x-docusign-signature-";

/// By its last part (the moment at which the message was made) and its document.
fn names_one_request(parts: &[String]) -> bool {
    let made_at = parts.last().is_some_and(|part| !part.is_empty());
    made_at && parts.iter().rev().skip(1).any(|part| !part.is_empty())
}

impl Provider for DocuSignConnect {
    fn name(&self) -> &'static str {
        "docusign-connect"
    }

    fn yields(&self) -> &'static [FactKind] {
        &[
            FactKind::DocumentCompleted,
            FactKind::DocumentVoided,
            FactKind::DocumentDeclined,
            FactKind::RecipientCompleted,
            FactKind::Other,
        ]
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    fn keys(&self, secrets: &[Secret]) -> Result<Keys, KeyFault> {
        mac::text_keys(secrets)
    }

    fn verify(&self, keys: &Keys, request: &Request<'_>, _: Timestamp) -> Result<(), SignatureFault> {
        let carried: Vec<_> = request.headers.iter().filter(|(name, _)| is_signature(name)).collect();
        let tags: Vec<_> = carried.iter().filter_map(|(_, value)| mac::from_base64(value.trim())).collect();
        let matched = !tags.is_empty() && mac::any_match(&keys.0, &[request.body], &tags);
        mac::verdict(carried.len(), tags.len(), matched)
    }

    fn delivery_key(&self, request: &Request<'_>) -> Option<String> {
        let parts = match format(request.body) {
            Format::Json => json::name(request.body),
            Format::Xml => xml::name(request.body),
        };
        // Without the document and the moment it would name many requests.
        let parts = parts.ok().filter(|parts| names_one_request(parts))?;
        fault::delivery_key(&parts.join(":"))
    }

    fn translate(&self, fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
        let labels = Labels::of(fields);
        let told = match format(&envelope.body) {
            Format::Json => json::read(&labels, envelope)?,
            Format::Xml => xml::read(&labels, envelope)?,
        };
        let event = |Told { key, occurred_at, fact }| Event {
            key,
            account: account.clone(),
            source: envelope.source.clone(),
            occurred_at,
            fact,
        };
        Ok(told.into_iter().map(event).collect())
    }

    fn sign(&self, secret: &Secret, body: &[u8], _: &str, _: Timestamp) -> Result<Signed, KeyFault> {
        let signature = mac::to_base64(&mac::sign(mac::text_key(secret)?, &[body]));
        let content_type = match format(body) {
            Format::Json => "application/json",
            Format::Xml => "text/xml; charset=utf-8",
        };
        let headers = vec![("content-type".to_owned(), content_type.to_owned()), (format!("{HEADER}1"), signature)];
        Ok(Signed { headers, body: body.to_vec() })
    }
}

/// `x-docusign-signature-1` to `-100`.
fn is_signature(name: &str) -> bool {
    let Some(number) = name.strip_prefix(HEADER) else { return false };
    let plain = number.len() <= 3 && number.bytes().all(|digit| digit.is_ascii_digit()) && !number.starts_with('0');
    plain && number.parse().is_ok_and(|number: u16| number <= 100)
}

enum Format {
    Json,
    Xml,
}

/// By the first byte that is neither space nor part of a byte order mark.
fn format(body: &[u8]) -> Format {
    let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    if text.trim_ascii_start().first() == Some(&b'<') { Format::Xml } else { Format::Json }
}

/// What a message tells, before it is an event.
struct Told {
    key: EventKey,
    occurred_at: Timestamp,
    fact: Fact,
}

impl Told {
    /// Of a type that no rule reads; its time is the provider's if there is one.
    fn other(name: &str, occurred_at: Option<Timestamp>, envelope: &Envelope) -> Self {
        Self {
            key: EventKey::other(&envelope.delivery_key),
            occurred_at: occurred_at.unwrap_or(envelope.received_at),
            fact: Fact::Other { name: name.to_owned() },
        }
    }
}

/// The labels of the tabs that a waiver is read from. The defaults are those of a club's usual waiver form.
struct Labels<'f> {
    email: &'f str,
    name: &'f str,
    category: &'f str,
}

impl<'f> Labels<'f> {
    fn of(fields: &'f Fields) -> Self {
        Self {
            email: fields.email.as_deref().unwrap_or("Releasor's Email"),
            name: fields.name.as_deref().unwrap_or("Releasor's Name"),
            category: fields.category.as_deref().unwrap_or("Affiliation"),
        }
    }
}
