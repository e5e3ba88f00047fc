//! Samples of CyberSource Secure Acceptance.

use super::{Sample, SampleOptions};
use crate::bodies::cybersource::{Decision, Reply, reply};

pub const SAMPLES: &[Sample] = &[
    Sample { name: "membership", about: "a membership payment", build: |options, _| Till::of(options).body() },
    Sample {
        name: "decline",
        about: "a membership payment that the bank declined",
        build: |options, _| Till { decision: Decision::Decline, ..Till::of(options) }.body(),
    },
    Sample {
        name: "review",
        about: "a membership payment that is held for review",
        build: |options, _| Till { decision: Decision::Review, ..Till::of(options) }.body(),
    },
    Sample {
        name: "rental",
        about: "a payment for something else",
        build: |options, _| Till { purpose: "rental", ..Till::of(options) }.body(),
    },
    Sample {
        name: "wrong-amount",
        about: "a membership payment of 1.23: a dead letter",
        build: |options, _| Till { amount: "1.23".to_owned(), ..Till::of(options) }.body(),
    },
    Sample {
        name: "unknown-category",
        about: "a membership payment for a plan that does not exist: a dead letter",
        build: |options, _| Till { category: "XX", ..Till::of(options) }.body(),
    },
    Sample {
        name: "missing-email",
        about: "a membership payment that names no member: a dead letter",
        build: |options, _| Till { with_email: false, ..Till::of(options) }.body(),
    },
];

struct Till<'o> {
    options: &'o SampleOptions,
    decision: Decision,
    purpose: &'static str,
    amount: String,
    category: &'o str,
    with_email: bool,
}

impl<'o> Till<'o> {
    fn of(options: &'o SampleOptions) -> Self {
        Self {
            options,
            decision: Decision::Accept,
            purpose: "membership",
            amount: options.plan.price.decimal(),
            category: &options.plan.category,
            with_email: true,
        }
    }

    fn body(&self) -> Vec<u8> {
        reply(&Reply {
            transaction: &self.options.id,
            decision: self.decision,
            amount: &self.amount,
            authorised: (self.decision != Decision::Decline).then_some(self.amount.as_str()),
            currency: self.options.plan.price.currency.as_str(),
            purpose: self.purpose,
            category: Some(self.category),
            member: &self.options.person(),
            with_email: self.with_email,
            authorised_at: self.options.now,
            signed_at: self.options.now,
            access_key: self.options.access_key.as_deref().unwrap_or("invented-access-key"),
        })
    }
}
