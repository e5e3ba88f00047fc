//! Samples: one body of each kind by name, for `rollbook send SOURCE --sample NAME`.
//!
//! An id names the payment or document, so that a refund sent with the id of a membership finds its
//! payment, and a sample sent twice with one id is a duplicate.

mod cybersource;
mod docusign;
mod standard;
mod stripe;

use jiff::Timestamp;

use crate::PlanPrice;
use crate::bodies::Person;

#[derive(Clone, Debug)]
pub struct SampleOptions {
    /// When it happened.
    pub now: Timestamp,
    /// The member's address.
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    /// The payment or document. CyberSource, DocuSign and Standard Webhooks take it as it is;
    /// Stripe's payment intent gets `pi_` before it.
    pub id: String,
    /// What the member pays for.
    pub plan: PlanPrice,
    /// CyberSource's public `access_key`, where the secret has one.
    pub access_key: Option<String>,
}

impl SampleOptions {
    /// Ada Lovelace pays 15.00 USD as `MU`.
    pub fn new(now: Timestamp, email: impl Into<String>, id: impl Into<String>) -> Self {
        Self {
            now,
            email: email.into(),
            first_name: "Ada".to_owned(),
            last_name: "Lovelace".to_owned(),
            id: id.into(),
            plan: PlanPrice::dollars("MU", 1500),
            access_key: None,
        }
    }

    fn person(&self) -> Person {
        Person::new(&self.first_name, &self.last_name, &self.email)
    }

    /// The id with this prefix, which it may have already.
    fn prefixed(&self, prefix: &str) -> String {
        if self.id.starts_with(prefix) { self.id.clone() } else { format!("{prefix}{}", self.id) }
    }
}

/// An unsigned body, ready for [`rollbook_providers::Provider::sign`].
#[derive(Clone, PartialEq, Eq)]
pub struct SampleBody {
    /// Names the request; the same for the same sample and id.
    pub id: String,
    pub body: Vec<u8>,
}

/// Bodies hold addresses, so `Debug` shows their size alone.
impl std::fmt::Debug for SampleBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SampleBody").field("id", &self.id).field("body_bytes", &self.body.len()).finish()
    }
}

/// One kind of callback of one provider.
#[derive(Debug)]
pub struct Sample {
    pub name: &'static str,
    /// One line for a list.
    pub about: &'static str,
    build: fn(&SampleOptions, &str) -> Vec<u8>,
}

impl Sample {
    pub fn build(&self, options: &SampleOptions) -> SampleBody {
        // Stripe's event ids begin so; to others it is a name like any.
        let id = format!("evt_{}_{}", self.name, options.id);
        let body = (self.build)(options, &id);
        SampleBody { id, body }
    }
}

/// All samples of a provider, by its name in the configuration; none of one that is unknown.
pub fn samples(provider: &str) -> &'static [Sample] {
    match provider {
        "cybersource-secure-acceptance" => cybersource::SAMPLES,
        "docusign-connect" => docusign::SAMPLES,
        "stripe" => stripe::SAMPLES,
        "standard-webhooks" => standard::SAMPLES,
        _ => &[],
    }
}

pub fn sample(provider: &str, name: &str) -> Option<&'static Sample> {
    samples(provider).iter().find(|sample| sample.name == name)
}

#[cfg(test)]
mod tests;
