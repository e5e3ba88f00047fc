//! Providers: how each signs its callbacks, and what its callbacks mean in our words.
//!
//! One module a provider, one row in [`PROVIDERS`]. Pure: bytes and a moment in, a verdict or
//! events out. Verification works on the raw bytes and never on something decoded and encoded again.

mod cybersource_secure_acceptance;
mod docusign_connect;
mod fault;
mod instant;
mod json;
mod mac;
mod provider;
mod sending_time;
mod standard_webhooks;
mod stripe;

pub use provider::{Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault};

/// Every built-in provider.
pub static PROVIDERS: &[&dyn Provider] = &[
    &cybersource_secure_acceptance::CyberSourceSecureAcceptance,
    &docusign_connect::DocuSignConnect,
    &stripe::Stripe,
    &standard_webhooks::StandardWebhooks,
];

/// The provider of this name, as `provider = "…"` in the configuration.
pub fn find(name: &str) -> Option<&'static dyn Provider> {
    PROVIDERS.iter().copied().find(|provider| provider.name() == name)
}
