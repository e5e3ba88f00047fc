//! DocuSign Connect messages in the JSON SIM format ("send individual messages", `restv2.1`).
//!
//! The last signer's completion sends two of them: one for the recipient, one for the envelope.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Person;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Everybody has signed.
    EnvelopeCompleted,
    /// One signer is done.
    RecipientCompleted(Signer),
    EnvelopeVoided,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    Releasor,
    Guardian,
}

impl Signer {
    /// The `recipientId` that event keys carry.
    pub fn recipient(self) -> &'static str {
        match self {
            Self::Releasor => "1",
            Self::Guardian => "2",
        }
    }
}

pub struct Waiver<'a> {
    /// The envelope id.
    pub document: &'a str,
    pub releasor: &'a Person,
    /// The form field `Affiliation`, as written.
    pub affiliation: &'a str,
    /// Whether a guardian must sign, too.
    pub guardian: bool,
    /// When the message's fact happened.
    pub at: Timestamp,
    /// When the message was made. Two messages of one fact differ in it.
    pub generated_at: Timestamp,
}

pub fn message(waiver: &Waiver<'_>, message: Message) -> Vec<u8> {
    let (event, recipient) = match message {
        Message::EnvelopeCompleted => ("envelope-completed", None),
        Message::RecipientCompleted(signer) => ("recipient-completed", Some(signer.recipient())),
        Message::EnvelopeVoided => ("envelope-voided", None),
    };
    let mut data = json!({
        "accountId": "00000000-0000-4000-8000-0000000acc01",
        "userId": "00000000-0000-4000-8000-00000000de5c",
        "envelopeId": waiver.document,
        "envelopeSummary": summary(waiver, message),
    });
    if let Some(recipient) = recipient {
        data["recipientId"] = recipient.into();
    }
    json!({
        "event": event,
        "apiVersion": "v2.1",
        "uri": format!("/restapi/v2.1/accounts/00000000-0000-4000-8000-0000000acc01/envelopes/{}", waiver.document),
        "retryCount": 0,
        "configurationId": 10_000_001,
        "generatedDateTime": stamp(waiver.generated_at),
        "data": data,
    })
    .to_string()
    .into_bytes()
}

fn summary(waiver: &Waiver<'_>, message: Message) -> Value {
    let at = stamp(waiver.at);
    let mut summary = json!({
        "envelopeId": waiver.document,
        "emailSubject": "Please sign: liability waiver",
        "createdDateTime": at,
        "sentDateTime": at,
        "statusChangedDateTime": at,
        "sender": { "userName": "Waiver Desk", "email": "desk@example.org" },
        "customFields": { "textCustomFields": [], "listCustomFields": [] },
        "recipients": recipients(waiver, message),
    });
    match message {
        Message::EnvelopeCompleted => {
            summary["status"] = "completed".into();
            summary["completedDateTime"] = at.into();
        }
        Message::RecipientCompleted(_) => summary["status"] = "delivered".into(),
        Message::EnvelopeVoided => {
            summary["status"] = "voided".into();
            summary["voidedDateTime"] = at.into();
            summary["voidedReason"] = "Sent by mistake".into();
        }
    }
    summary
}

fn recipients(waiver: &Waiver<'_>, message: Message) -> Value {
    let done = |signer| match message {
        Message::EnvelopeCompleted => true,
        Message::RecipientCompleted(one) => one == signer,
        Message::EnvelopeVoided => false,
    };
    let mut signers = vec![releasor(waiver, done(Signer::Releasor))];
    if waiver.guardian {
        signers.push(guardian(waiver, done(Signer::Guardian)));
    }
    json!({
        "signers": signers,
        "carbonCopies": [{ "name": "Waiver Desk", "email": "desk@example.org", "recipientId": "3", "status": "created" }],
    })
}

fn releasor(waiver: &Waiver<'_>, done: bool) -> Value {
    let person = waiver.releasor;
    let mut signer = signer(Signer::Releasor, &person.name(), &person.written, done, waiver.at);
    signer["tabs"] = json!({
        "fullNameTabs": [{ "tabLabel": "Releasor's Name", "name": "FullName", "value": person.name() }],
        "emailAddressTabs": [{ "tabLabel": "Releasor's Email", "name": "EmailAddress", "value": person.written }],
        "textTabs": [
            { "tabLabel": "Medical Insurer", "value": "Invented Mutual" },
            { "tabLabel": "Affiliation", "value": waiver.affiliation },
        ],
        "dateSignedTabs": [{ "tabLabel": "Date Signed", "value": waiver.at.strftime("%m/%d/%Y").to_string() }],
    });
    signer
}

fn guardian(waiver: &Waiver<'_>, done: bool) -> Value {
    let email = format!("guardian.{}", waiver.releasor.email);
    let mut signer = signer(Signer::Guardian, "A Guardian", &email, done, waiver.at);
    signer["tabs"] = json!({
        "fullNameTabs": [{ "tabLabel": "Guardian's Name", "value": "A Guardian" }],
        "emailAddressTabs": [{ "tabLabel": "Guardian's Email", "value": email }],
    });
    signer
}

fn signer(signer: Signer, name: &str, email: &str, done: bool, at: Timestamp) -> Value {
    let (role, order) = match signer {
        Signer::Releasor => ("Releasor", "1"),
        Signer::Guardian => ("Parent or Guardian", "2"),
    };
    let mut value = json!({
        "recipientId": signer.recipient(),
        "roleName": role,
        "routingOrder": order,
        "name": name,
        "email": email,
        "status": if done { "completed" } else { "sent" },
    });
    if done {
        value["signedDateTime"] = stamp(at).into();
    }
    value
}

/// DocuSign writes seven decimals.
fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.7fZ").to_string()
}
