//! Samples of Standard Webhooks in the service's own words.

use rollbook_domain::DisputePhase;

use super::{Sample, SampleOptions};
use crate::bodies::standard;

pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "membership",
        about: "a membership payment",
        build: |options, _| payment(options, "membership", &options.plan.category),
    },
    Sample {
        name: "rental",
        about: "a payment for something else: ignored",
        build: |options, _| payment(options, "rental", &options.plan.category),
    },
    Sample {
        name: "unknown-category",
        about: "a membership payment for a plan that does not exist: a dead letter",
        build: |options, _| payment(options, "membership", "XX"),
    },
    Sample {
        name: "refund",
        about: "a full refund of the payment of the same id",
        build: |options, _| {
            let price = options.plan.price;
            standard::payment_refunded(&options.id, &price.decimal(), price.currency.as_str(), options.now)
        },
    },
    Sample {
        name: "dispute-lost",
        about: "a lost dispute of the payment of the same id",
        build: |options, _| {
            let dispute = format!("dispute-{}", options.id);
            standard::payment_disputed(&options.id, &dispute, DisputePhase::Lost, options.now)
        },
    },
    Sample {
        name: "waiver",
        about: "a waiver that everybody has signed",
        build: |options, _| {
            standard::document_completed(&options.id, &options.person(), &options.plan.category, options.now)
        },
    },
    Sample {
        name: "guardian-only",
        about: "a waiver that one signer has signed: ignored",
        build: |options, _| standard::recipient_completed(&options.id, "2", options.now),
    },
    Sample {
        name: "voided",
        about: "a waiver that was voided",
        build: |options, _| standard::document_voided(&options.id, options.now),
    },
    Sample {
        name: "unknown-type",
        about: "a message of a type that is none of the service's words: ignored",
        build: |options, _| standard::newsletter(&options.person(), options.now),
    },
];

fn payment(options: &SampleOptions, purpose: &str, category: &str) -> Vec<u8> {
    standard::payment_captured(&standard::Payment {
        transaction: &options.id,
        amount: &options.plan.price.decimal(),
        currency: options.plan.price.currency.as_str(),
        purpose,
        category: Some(category),
        member: &options.person(),
        with_email: true,
        at: options.now,
    })
}
