//! The legacy XML (`DocuSignEnvelopeInformation`, API 3.0).
//!
//! Times are local; `TimeZoneOffset` holds the hours by which they lead UTC. A message is about the
//! envelope when the envelope is completed, voided or declined, and else about the signers who are
//! done. Such messages are aggregated by the sender, so one may name several signers.

use jiff::Timestamp;
use rollbook_domain::{Completion, Envelope, EventKey, Fact};

use super::xml_reader::{Message, Recipient, Tab};
use super::{Labels, Told, xml_reader};
use crate::fault::{id, missing, unreadable};
use crate::{TranslateFault, instant};

/// What names the request.
pub(super) fn name(body: &[u8]) -> Result<Vec<String>, TranslateFault> {
    let message = xml_reader::read(body)?;
    let part = |text: Option<String>| text.unwrap_or_default().trim().to_owned();
    Ok(vec![part(message.envelope_id), part(message.time_generated)])
}

pub(super) fn read(labels: &Labels<'_>, envelope: &Envelope) -> Result<Vec<Told>, TranslateFault> {
    let message = xml_reader::read(&envelope.body)?;
    let status = trimmed(message.status.as_ref()).ok_or_else(|| missing("EnvelopeStatus/Status"))?;
    match status {
        "Completed" => Ok(vec![completed(labels, &message)?]),
        "Voided" => {
            let document = document(&message)?;
            let occurred_at = ended_at(&message, message.voided.as_ref(), "EnvelopeStatus/Voided")?;
            let key = EventKey::document_voided(&document);
            Ok(vec![Told { key, occurred_at, fact: Fact::DocumentVoided { document } }])
        }
        "Declined" => {
            let document = document(&message)?;
            let occurred_at = ended_at(&message, message.declined.as_ref(), "EnvelopeStatus/Declined")?;
            let key = EventKey::document_declined(&document);
            Ok(vec![Told { key, occurred_at, fact: Fact::DocumentDeclined { document } }])
        }
        other => signers(&message, other, envelope),
    }
}

fn completed(labels: &Labels<'_>, message: &Message) -> Result<Told, TranslateFault> {
    let document = document(message)?;
    let key = EventKey::document_completed(&document);
    let field = "EnvelopeStatus/Completed";
    let occurred_at = time(message, message.completed.as_ref(), field)?.ok_or_else(|| missing(field))?;
    let completion = Completion {
        email: from_tabs(message, labels.email).or_else(|| from_form(message, labels.email)),
        name: from_tabs(message, labels.name).or_else(|| from_form(message, labels.name)),
        category: from_form(message, labels.category).or_else(|| from_tabs(message, labels.category)),
        document,
    };
    Ok(Told { key, occurred_at, fact: Fact::DocumentCompleted(completion) })
}

/// One fact for each signer who is done.
fn signers(message: &Message, status: &str, envelope: &Envelope) -> Result<Vec<Told>, TranslateFault> {
    let told = |text: Option<&String>| time(message, text, "TimeGenerated").ok().flatten();
    let mut facts = Vec::new();
    for recipient in message.recipients.iter().filter(|recipient| is_done(recipient)) {
        let Some(id_text) = trimmed(recipient.id.as_ref()) else { continue };
        let document = document(message)?;
        let recipient_id = id(Some(id_text), "RecipientStatus/RecipientId")?;
        let moment = told(recipient.signed.as_ref()).or_else(|| told(message.time_generated.as_ref()));
        facts.push(Told {
            key: EventKey::recipient_completed(&document, &recipient_id),
            occurred_at: moment.unwrap_or(envelope.received_at),
            fact: Fact::RecipientCompleted { document, recipient: recipient_id },
        });
    }
    if facts.is_empty() {
        facts.push(Told::other(status, told(message.time_generated.as_ref()), envelope));
    }
    Ok(facts)
}

/// A copy that was delivered is `Completed` too, but nobody signed.
fn is_done(recipient: &Recipient) -> bool {
    let signs = matches!(trimmed(recipient.kind.as_ref()), Some("Signer" | "InPersonSigner"));
    signs && trimmed(recipient.status.as_ref()) == Some("Completed")
}

fn document(message: &Message) -> Result<String, TranslateFault> {
    id(trimmed(message.envelope_id.as_ref()), "EnvelopeStatus/EnvelopeID")
}

/// When a document was voided or declined; not every message says more than when it was made.
fn ended_at(message: &Message, text: Option<&String>, field: &str) -> Result<Timestamp, TranslateFault> {
    if let Some(instant) = time(message, text, field)? {
        return Ok(instant);
    }
    time(message, message.time_generated.as_ref(), "TimeGenerated")?.ok_or_else(|| missing(field))
}

fn time(message: &Message, text: Option<&String>, field: &str) -> Result<Option<Timestamp>, TranslateFault> {
    let Some(text) = text else { return Ok(None) };
    let offset = message.time_zone_offset.as_deref();
    match (instant::local(text, offset), offset) {
        (Some(instant), _) => Ok(Some(instant)),
        (None, None) if instant::local(text, Some("0")).is_some() => Err(missing("TimeZoneOffset")),
        (None, _) => Err(unreadable(field)),
    }
}

/// The first value of a tab of this label. Radio buttons share one label and hold an `X`, so what
/// was chosen is found in the form data alone.
fn from_tabs(message: &Message, label: &str) -> Option<String> {
    let matches = |tab: &&Tab| trimmed(tab.label.as_ref()) == Some(label) && !is_button(tab);
    let mut tabs = message.recipients.iter().flat_map(|recipient| &recipient.tabs).filter(matches);
    tabs.find_map(|tab| tab.value.clone())
}

fn is_button(tab: &Tab) -> bool {
    matches!(trimmed(tab.custom_kind.as_ref()), Some("Radio" | "Checkbox"))
}

fn from_form(message: &Message, name: &str) -> Option<String> {
    let mut fields = message.recipients.iter().flat_map(|recipient| &recipient.form);
    fields.find_map(|(field, value)| if field.trim() == name { value.clone() } else { None })
}

fn trimmed(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim())
}
