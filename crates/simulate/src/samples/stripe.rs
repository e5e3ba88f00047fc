//! Samples of Stripe.

use super::{Sample, SampleOptions};
use crate::bodies::stripe::{self, DisputeEvent, Event, Session, SessionEvent};

pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "membership",
        about: "a paid checkout session",
        build: |options, id| session(options, id, "membership", SessionEvent::Paid),
    },
    Sample {
        name: "unpaid",
        about: "a checkout session whose money is on its way: ignored",
        build: |options, id| session(options, id, "membership", SessionEvent::Unpaid),
    },
    Sample {
        name: "rental",
        about: "a paid checkout session for something else: ignored",
        build: |options, id| session(options, id, "rental", SessionEvent::Paid),
    },
    Sample {
        name: "refund",
        about: "a full refund of the payment of the same id",
        build: |options, id| refund(options, id, options.plan.price.minor),
    },
    Sample {
        name: "partial-refund",
        about: "a refund of a third of the payment of the same id",
        build: |options, id| refund(options, id, options.plan.price.minor / 3),
    },
    Sample {
        name: "dispute-opened",
        about: "a dispute of the payment of the same id",
        build: |options, id| dispute(options, id, DisputeEvent::Created),
    },
    Sample {
        name: "dispute-lost",
        about: "the same dispute, lost",
        build: |options, id| dispute(options, id, DisputeEvent::Lost),
    },
    Sample {
        name: "dispute-won",
        about: "the same dispute, won",
        build: |options, id| dispute(options, id, DisputeEvent::Won),
    },
    Sample {
        name: "unknown-type",
        about: "an event that nobody subscribed to: ignored",
        build: |options, id| stripe::customer_created(&event(options, id), &options.person()),
    },
];

fn event<'o>(options: &SampleOptions, id: &'o str) -> Event<'o> {
    Event { id, created: options.now }
}

fn currency(options: &SampleOptions) -> String {
    options.plan.price.currency.as_str().to_ascii_lowercase()
}

fn session(options: &SampleOptions, id: &str, purpose: &str, what: SessionEvent) -> Vec<u8> {
    let session = Session {
        intent: &options.prefixed("pi_"),
        minor: options.plan.price.minor,
        currency: &currency(options),
        purpose,
        category: Some(&options.plan.category),
        member: &options.person(),
        with_email: true,
    };
    stripe::checkout_session(&event(options, id), &session, what)
}

fn refund(options: &SampleOptions, id: &str, refunded_minor: i64) -> Vec<u8> {
    let (intent, minor) = (options.prefixed("pi_"), options.plan.price.minor);
    stripe::charge_refunded(&event(options, id), &intent, minor, refunded_minor, &currency(options), options.now)
}

fn dispute(options: &SampleOptions, id: &str, phase: DisputeEvent) -> Vec<u8> {
    let intent = options.prefixed("pi_");
    let dispute = format!("dp_{}", intent.trim_start_matches("pi_"));
    stripe::dispute(&event(options, id), phase, &dispute, &intent, options.plan.price.minor, &currency(options))
}
