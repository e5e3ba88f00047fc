//! Stripe: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=…]`, HMAC-SHA256 over `<t>.<raw body>` under the
//! whole secret as text, `whsec_` included.
//!
//! While a secret is rolled a request carries one `v1` for each, and any may match; to look at the
//! last one alone rejects valid requests. Other schemes (`v0`) are ignored, or a test signature would
//! pass for a real one. An unreadable `v1` beside a good one is no fault.

mod amount;
mod translate;

use jiff::Timestamp;
use rollbook_domain::{Account, Envelope, Event, FactKind};

use crate::json::Json;
use crate::{
    Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault, fault, mac, sending_time,
};

pub(crate) struct Stripe;

const HEADER: &str = "stripe-signature";

impl Provider for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn yields(&self) -> &'static [FactKind] {
        &[
            FactKind::PaymentCaptured,
            FactKind::PaymentDeclined,
            FactKind::PaymentPending,
            FactKind::PaymentRefunded,
            FactKind::PaymentDisputed,
            FactKind::Other,
        ]
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    fn keys(&self, secrets: &[Secret]) -> Result<Keys, KeyFault> {
        for secret in secrets {
            key(secret)?;
        }
        mac::text_keys(secrets)
    }

    fn verify(&self, keys: &Keys, request: &Request<'_>, now: Timestamp) -> Result<(), SignatureFault> {
        let header = request.header(HEADER).filter(|text| !text.trim().is_empty()).ok_or(SignatureFault::Missing)?;
        let time = parts(header, "t").next().ok_or(SignatureFault::Malformed)?;
        let sent_s = time.parse().map_err(|_| SignatureFault::Malformed)?;
        let tags: Vec<_> = parts(header, "v1").filter_map(mac::from_hex).collect();
        let matched = !tags.is_empty() && mac::any_match(&keys.0, &[time.as_bytes(), b".", request.body], &tags);
        mac::verdict(parts(header, "v1").count(), tags.len(), matched)?;
        sending_time::check(sent_s, now)
    }

    fn delivery_key(&self, request: &Request<'_>) -> Option<String> {
        let tree = Json::object(request.body).ok()?;
        fault::delivery_key(tree.get("id").text()?)
    }

    fn translate(&self, fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
        translate::translate(fields, account, envelope)
    }

    fn sign(&self, secret: &Secret, body: &[u8], _: &str, now: Timestamp) -> Result<Signed, KeyFault> {
        let time = now.as_second().to_string();
        let tag = mac::sign(key(secret)?, &[time.as_bytes(), b".", body]);
        let headers = vec![
            ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
            (HEADER.to_owned(), format!("t={time},v1={}", hex::encode(tag))),
        ];
        Ok(Signed { headers, body: body.to_vec() })
    }
}

/// The prefix belongs to the key, but alone it is none.
fn key(secret: &Secret) -> Result<&[u8], KeyFault> {
    if secret.text.trim() == "whsec_" { Err(KeyFault::Empty) } else { mac::text_key(secret) }
}

/// The values of this name in `name=value,name=value`.
fn parts<'h>(header: &'h str, name: &str) -> impl Iterator<Item = &'h str> {
    header.split(',').filter_map(move |part| match part.trim().split_once('=') {
        Some((key, value)) if key == name => Some(value),
        _ => None,
    })
}
