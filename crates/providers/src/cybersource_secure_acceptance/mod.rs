//! CyberSource Secure Acceptance: the form that is posted after a payment, once through the
//! customer's browser and once from server to server.
//!
//! `signature` is the base64 HMAC-SHA256, under the profile's secret as text, of `name=value` joined
//! by commas for the names in `signed_field_names`. No time is signed that has a tolerance, and the
//! browser's post can be sent again at will, so protection against repetition is the event key
//! alone (`transaction_id`). The verdict depends on the MAC and never on a field's contents.
//!
//! A profile's public `access_key` comes back as `req_access_key` and chooses the secret where
//! several are configured with ids.

mod form;
mod translate;

use jiff::Timestamp;
use rollbook_domain::{Account, Envelope, Event, FactKind};

use self::form::{Form, SignedFields};
use crate::provider::Key;
use crate::{Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault, fault, mac};

pub(crate) struct CyberSourceSecureAcceptance;

impl Provider for CyberSourceSecureAcceptance {
    fn name(&self) -> &'static str {
        "cybersource-secure-acceptance"
    }

    fn yields(&self) -> &'static [FactKind] {
        &[FactKind::PaymentCaptured, FactKind::PaymentDeclined, FactKind::PaymentPending]
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    fn keys(&self, secrets: &[Secret]) -> Result<Keys, KeyFault> {
        mac::text_keys(secrets)
    }

    /// The content type is not asked: the form is tried whatever a header says.
    fn verify(&self, keys: &Keys, request: &Request<'_>, _: Timestamp) -> Result<(), SignatureFault> {
        let form = Form::parse(request.body);
        let signature = form.value("signature").ok_or(SignatureFault::Missing)?;
        let signed = SignedFields::of(&form)?.ok_or(SignatureFault::Missing)?;
        let tag = mac::from_base64(signature).ok_or(SignatureFault::Malformed)?;
        let chosen = choose(&keys.0, form.value("req_access_key"));
        let matched = mac::any_match(chosen, &signed.content(), &[tag]);
        mac::verdict(1, 1, matched)
    }

    fn delivery_key(&self, request: &Request<'_>) -> Option<String> {
        let form = Form::parse(request.body);
        let signed = SignedFields::of(&form).ok()??;
        fault::delivery_key(&signed.said("transaction_id")?)
    }

    fn translate(&self, fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
        translate::translate(fields, account, envelope)
    }

    /// `body` is the form without a signature. `signed_date_time` is added where it has none, and
    /// `req_access_key` where the secret has an id; then every field is signed.
    fn sign(&self, secret: &Secret, body: &[u8], _: &str, now: Timestamp) -> Result<Signed, KeyFault> {
        let key = mac::text_key(secret)?;
        let body = form::sign(key, secret.key_id.as_deref(), body, now);
        let content_type = "application/x-www-form-urlencoded";
        Ok(Signed { headers: vec![("content-type".to_owned(), content_type.to_owned())], body })
    }
}

/// The keys to try. Where several have ids and the request names one, only that one and those
/// without an id: a name that no key has is then no key's.
fn choose<'k>(keys: &'k [Key], access_key: Option<&str>) -> impl Iterator<Item = &'k Key> {
    let several = keys.iter().filter(|key| key.id.is_some()).count() > 1;
    keys.iter().filter(move |key| match (key.id.as_deref(), access_key) {
        (Some(id), Some(named)) if several => id == named,
        _ => true,
    })
}
