//! Samples of DocuSign Connect.

use super::{Sample, SampleOptions};
use crate::bodies::docusign::{self, Message, Signer, Waiver};
use crate::bodies::docusign_xml::{self, Status};

pub const SAMPLES: &[Sample] = &[
    Sample {
        name: "waiver",
        about: "a waiver that everybody has signed",
        build: |options, _| json(options, Message::EnvelopeCompleted),
    },
    Sample {
        name: "waiver-xml",
        about: "the same in the legacy XML format",
        build: |options, _| xml(options, Status::Completed),
    },
    Sample {
        name: "guardian-only",
        about: "a waiver that the guardian has signed and the member has not: ignored",
        build: |options, _| json(options, Message::RecipientCompleted(Signer::Guardian)),
    },
    Sample {
        name: "voided",
        about: "a waiver that was voided",
        build: |options, _| json(options, Message::EnvelopeVoided),
    },
    Sample {
        name: "voided-xml",
        about: "the same in the legacy XML format",
        build: |options, _| xml(options, Status::Voided),
    },
];

fn json(options: &SampleOptions, message: Message) -> Vec<u8> {
    let person = options.person();
    docusign::message(&waiver(options, &person), message)
}

fn xml(options: &SampleOptions, status: Status) -> Vec<u8> {
    let person = options.person();
    docusign_xml::message(&waiver(options, &person), status, -5)
}

fn waiver<'o>(options: &'o SampleOptions, releasor: &'o crate::bodies::Person) -> Waiver<'o> {
    Waiver {
        document: &options.id,
        releasor,
        affiliation: &options.plan.category,
        guardian: true,
        at: options.now,
        generated_at: options.now,
    }
}
