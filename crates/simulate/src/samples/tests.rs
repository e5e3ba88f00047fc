use std::collections::BTreeSet;

use rollbook_domain::FactKind;

use super::*;
use crate::fixtures::{believed, now, source, translated};

const PROVIDERS: [&str; 4] = ["cybersource-secure-acceptance", "docusign-connect", "stripe", "standard-webhooks"];

fn kind(provider: &str, name: &str) -> (FactKind, String) {
    let source = source("somewhere", provider);
    let built = sample(provider, name).unwrap().build(&SampleOptions::new(now(), "ada@example.org", "1234"));
    let signed = source.provider.sign(&source.secret, &built.body, &built.id, now()).unwrap();
    assert!(believed(&source, &signed, now()), "{provider} {name}");
    let events = translated(&source, &signed).unwrap();
    (events[0].fact.kind(), events[0].key.to_string())
}

#[test]
fn every_sample_is_signed_verified_and_read() {
    for provider in PROVIDERS {
        let names: BTreeSet<_> = samples(provider).iter().map(|sample| sample.name).collect();
        assert_eq!(names.len(), samples(provider).len(), "{provider} names two samples alike");
        for name in names {
            kind(provider, name);
        }
    }
    assert!(samples("nobody").is_empty());
}

#[test]
fn samples_say_what_their_names_say() {
    use FactKind::{
        DocumentCompleted, DocumentVoided, Other, PaymentCaptured, PaymentDeclined, PaymentDisputed, PaymentPending,
        PaymentRefunded, RecipientCompleted,
    };
    let [cybersource, docusign, stripe, standard] = PROVIDERS;
    for (provider, name, expected, key) in [
        (cybersource, "membership", PaymentCaptured, "payment:1234:captured"),
        (cybersource, "decline", PaymentDeclined, "payment:1234:declined"),
        (cybersource, "review", PaymentPending, "payment:1234:pending"),
        (cybersource, "rental", PaymentCaptured, "payment:1234:captured"),
        (cybersource, "wrong-amount", PaymentCaptured, "payment:1234:captured"),
        (cybersource, "unknown-category", PaymentCaptured, "payment:1234:captured"),
        (docusign, "waiver", DocumentCompleted, "document:1234:completed"),
        (docusign, "waiver-xml", DocumentCompleted, "document:1234:completed"),
        (docusign, "guardian-only", RecipientCompleted, "document:1234:recipient:2:completed"),
        (docusign, "voided", DocumentVoided, "document:1234:voided"),
        (stripe, "membership", PaymentCaptured, "payment:pi_1234:captured"),
        (stripe, "refund", PaymentRefunded, "payment:pi_1234:refunded:1500"),
        (stripe, "partial-refund", PaymentRefunded, "payment:pi_1234:refunded:500"),
        (stripe, "dispute-lost", PaymentDisputed, "dispute:dp_1234:lost"),
        (stripe, "rental", PaymentCaptured, "payment:pi_1234:captured"),
        (standard, "membership", PaymentCaptured, "payment:1234:captured"),
        (standard, "waiver", DocumentCompleted, "document:1234:completed"),
        (standard, "unknown-type", Other, "other:evt_unknown-type_1234"),
    ] {
        assert_eq!(kind(provider, name), (expected, key.to_owned()), "{provider} {name}");
    }
}
