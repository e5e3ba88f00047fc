//! Standard Webhooks, also under Svix's header names: `webhook-id`, `webhook-timestamp` (seconds) and
//! `webhook-signature`, a list of `v1,<base64>` and `v1a,<base64>` separated by spaces. Content:
//! `<id>.<timestamp>.<raw body>`.
//!
//! `v1` is HMAC-SHA256 under a decoded `whsec_` secret, `v1a` ed25519 under a `whpk_` public key. Any
//! signature may match, other versions are ignored. `webhook-id` names the request and is the same
//! over retries.
//!
//! # Our own words
//!
//! The scheme fixes `{"type", "timestamp", "data"}` and leaves the rest to the sender. Where `type` is
//! one of the words below, `data` is read as follows, so that any program can speak to Rollbook.
//! Another `type` is a fact of a kind that no rule reads.
//!
//! | `type` | needs | may have |
//! |---|---|---|
//! | `payment_captured` | `transaction` | `amount`, `currency`, `purpose`, `category`, `email`, `name` |
//! | `payment_pending`, `payment_declined` | `transaction` | |
//! | `payment_refunded` | `transaction`, `refunded` (sum of all refunds so far), `currency` | |
//! | `payment_disputed` | `transaction`, `dispute`, `phase`: `opened`, `won` or `lost` | |
//! | `document_completed` | `document` | `email`, `name`, `category` |
//! | `document_voided`, `document_declined` | `document` | |
//! | `recipient_completed` | `document`, `recipient` | |
//!
//! Amounts are decimals in whole units of the currency (`"15.00"` or `15.00`), ids are text or whole
//! numbers, `timestamp` is RFC 3339 and the time of the fact. `purpose`, `category`, `email` and
//! `name` may be called otherwise by configuration.

mod key;
mod own_words;

use jiff::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};
use rollbook_domain::{Account, Envelope, Event, FactKind};

use self::key::SigningKey;
use crate::provider::KeyMaterial;
use crate::{
    Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault, fault, mac, sending_time,
};

pub(crate) struct StandardWebhooks;

/// `v1a` signatures that are tried. Each costs a pass over the body, unlike those of `v1`; a sender
/// has one for each live key, which is two while rotating.
const MOST_ED25519: usize = 8;

impl Provider for StandardWebhooks {
    fn name(&self) -> &'static str {
        "standard-webhooks"
    }

    fn yields(&self) -> &'static [FactKind] {
        &[
            FactKind::PaymentCaptured,
            FactKind::PaymentDeclined,
            FactKind::PaymentPending,
            FactKind::PaymentRefunded,
            FactKind::PaymentDisputed,
            FactKind::DocumentCompleted,
            FactKind::DocumentVoided,
            FactKind::DocumentDeclined,
            FactKind::RecipientCompleted,
            FactKind::Other,
        ]
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &["webhook-id", "svix-id"]
    }

    fn keys(&self, secrets: &[Secret]) -> Result<Keys, KeyFault> {
        mac::some(secrets.iter().map(key::verifying).collect::<Result<_, _>>()?)
    }

    fn verify(&self, keys: &Keys, request: &Request<'_>, now: Timestamp) -> Result<(), SignatureFault> {
        let [id, time, signatures] = names(request).map(|name| request.header(name).filter(|text| !text.is_empty()));
        let (Some(id), Some(time), Some(signatures)) = (id, time, signatures) else {
            return Err(SignatureFault::Missing);
        };
        let sent_s = time.parse().map_err(|_| SignatureFault::Malformed)?;
        verify_any(keys, signatures, &[id.as_bytes(), b".", time.as_bytes(), b".", request.body])?;
        sending_time::check(sent_s, now)
    }

    fn delivery_key(&self, request: &Request<'_>) -> Option<String> {
        let [id, ..] = names(request);
        fault::delivery_key(request.header(id)?)
    }

    fn translate(&self, fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
        own_words::translate(fields, account, envelope)
    }

    /// `secret` is `whsec_…` for `v1`, or `whsk_…` (a seed of 32 bytes, or seed and public key) for
    /// `v1a`. A `whpk_…` cannot sign.
    fn sign(&self, secret: &Secret, body: &[u8], id: &str, now: Timestamp) -> Result<Signed, KeyFault> {
        let time = now.as_second().to_string();
        let content = [id.as_bytes(), b".", time.as_bytes(), b".", body];
        let signature = match key::signing(secret)? {
            SigningKey::Hmac(bytes) => format!("v1,{}", mac::to_base64(&mac::sign(&bytes, &content))),
            SigningKey::Ed25519(pair) => format!("v1a,{}", mac::to_base64(pair.sign(&content.concat()).as_ref())),
        };
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("content-type", "application/json"),
            header("webhook-id", id),
            header("webhook-timestamp", &time),
            header("webhook-signature", &signature),
        ];
        Ok(Signed { headers, body: body.to_vec() })
    }
}

/// The names of id, time and signatures. One set or the other: a request with one of each kind would
/// be named by an id that nobody signed.
fn names(request: &Request<'_>) -> [&'static str; 3] {
    if request.header("webhook-id").is_some() {
        ["webhook-id", "webhook-timestamp", "webhook-signature"]
    } else {
        ["svix-id", "svix-timestamp", "svix-signature"]
    }
}

fn verify_any(keys: &Keys, signatures: &str, content: &[&[u8]]) -> Result<(), SignatureFault> {
    let of = |version: &'static str| {
        let parts = signatures.split_ascii_whitespace().filter_map(|part| part.split_once(','));
        parts.filter_map(move |(named, value)| (named == version).then_some(value))
    };
    let tags: Vec<_> = of("v1").filter_map(mac::from_base64).collect();
    let asymmetric: Vec<_> =
        of("v1a").filter_map(mac::decode_base64).filter(|bytes| bytes.len() == 64).take(MOST_ED25519).collect();
    let matched = (!tags.is_empty() && mac::any_match(&keys.0, content, &tags))
        || (!asymmetric.is_empty() && any_ed25519(keys, content, &asymmetric));
    mac::verdict(of("v1").chain(of("v1a")).count(), tags.len() + asymmetric.len(), matched)
}

fn any_ed25519(keys: &Keys, content: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
    let public = keys.0.iter().filter_map(|key| match &key.material {
        KeyMaterial::Ed25519(bytes) => Some(UnparsedPublicKey::new(&ED25519, bytes)),
        KeyMaterial::Hmac(_) => None,
    });
    let mut public = public.peekable();
    if public.peek().is_none() {
        return false;
    }
    let content = content.concat();
    public.any(|key| signatures.iter().any(|signature| key.verify(&content, signature).is_ok()))
}
