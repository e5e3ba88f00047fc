//! JSON SIM: one message for each event, `{event, generatedDateTime, data{envelopeId, …}}`.
//!
//! Tabs are looked for in every group of every recipient, because DocuSign sorts them into groups
//! by the kind of input (`textTabs`, `emailAddressTabs`, `fullNameTabs`, …) and the form's author may
//! have chosen any. The first tab of the label that has a value counts.

use jiff::Timestamp;
use rollbook_domain::{Completion, Envelope, EventKey, Fact};

use super::{Labels, Told};
use crate::fault::{id, missing, unreadable};
use crate::json::Json;
use crate::{TranslateFault, instant};

const SUMMARY: [&str; 2] = ["data", "envelopeSummary"];

/// What names the request. `retryCount` is left out: it differs from attempt to attempt.
pub(super) fn name(body: &[u8]) -> Result<Vec<String>, TranslateFault> {
    let tree = Json::object(body)?;
    let paths: [&[&str]; 6] = [
        &["data", "accountId"],
        &["configurationId"],
        &["event"],
        &["data", "envelopeId"],
        &["data", "recipientId"],
        &["generatedDateTime"],
    ];
    Ok(paths.iter().map(|path| tree.at(path).id().unwrap_or_default()).collect())
}

pub(super) fn read(labels: &Labels<'_>, envelope: &Envelope) -> Result<Vec<Told>, TranslateFault> {
    let tree = Json::object(&envelope.body)?;
    let event = tree.get("event").text().ok_or_else(|| missing("event"))?;
    let told = match event {
        "envelope-completed" => completed(labels, &tree)?,
        "envelope-voided" => {
            let document = document(&tree)?;
            let key = EventKey::document_voided(&document);
            Told { key, occurred_at: ended_at(&tree, "voidedDateTime")?, fact: Fact::DocumentVoided { document } }
        }
        "envelope-declined" => {
            let document = document(&tree)?;
            let key = EventKey::document_declined(&document);
            Told { key, occurred_at: ended_at(&tree, "declinedDateTime")?, fact: Fact::DocumentDeclined { document } }
        }
        "recipient-completed" => recipient_completed(&tree, envelope)?,
        other => Told::other(other, time(&tree, &["generatedDateTime"]).ok().flatten(), envelope),
    };
    Ok(vec![told])
}

fn completed(labels: &Labels<'_>, tree: &Json) -> Result<Told, TranslateFault> {
    let document = document(tree)?;
    let key = EventKey::document_completed(&document);
    let occurred_at = match summary_time(tree, "completedDateTime")? {
        Some(instant) => instant,
        None => summary_time(tree, "statusChangedDateTime")?.ok_or_else(|| missing("completedDateTime"))?,
    };
    let field = |label| field(tree, label).map(str::to_owned);
    let completion =
        Completion { email: field(labels.email), name: field(labels.name), category: field(labels.category), document };
    Ok(Told { key, occurred_at, fact: Fact::DocumentCompleted(completion) })
}

fn recipient_completed(tree: &Json, envelope: &Envelope) -> Result<Told, TranslateFault> {
    let document = document(tree)?;
    let recipient = id(tree.at(&["data", "recipientId"]).id().as_deref(), "data.recipientId")?;
    let key = EventKey::recipient_completed(&document, &recipient);
    let told = time(tree, &["generatedDateTime"]).ok().flatten();
    let fact = Fact::RecipientCompleted { document, recipient };
    Ok(Told { key, occurred_at: told.unwrap_or(envelope.received_at), fact })
}

fn document(tree: &Json) -> Result<String, TranslateFault> {
    let of_summary = || tree.at(&SUMMARY).get("envelopeId").id();
    id(tree.at(&["data", "envelopeId"]).id().or_else(of_summary).as_deref(), "data.envelopeId")
}

/// When a document was voided or declined. The message's own time stands in where the summary was
/// switched off: an end that is a moment late is better than none.
fn ended_at(tree: &Json, name: &str) -> Result<Timestamp, TranslateFault> {
    for path in [name, "statusChangedDateTime"] {
        if let Some(instant) = summary_time(tree, path)? {
            return Ok(instant);
        }
    }
    time(tree, &["generatedDateTime"])?.ok_or_else(|| missing(name))
}

fn summary_time(tree: &Json, name: &str) -> Result<Option<Timestamp>, TranslateFault> {
    time(tree, &[SUMMARY[0], SUMMARY[1], name])
}

fn time(tree: &Json, path: &[&str]) -> Result<Option<Timestamp>, TranslateFault> {
    let Some(text) = tree.at(path).text() else { return Ok(None) };
    instant::parse(text).map(Some).ok_or_else(|| unreadable(&path.join(".")))
}

/// The first value under this label, over all recipients and groups of tabs.
fn field<'t>(tree: &'t Json, label: &str) -> Option<&'t str> {
    let recipients = tree.at(&SUMMARY).get("recipients").members().flat_map(Json::list);
    let mut tabs = recipients.flat_map(|recipient| recipient.get("tabs").members()).flat_map(Json::list);
    tabs.find_map(|tab| value(tab, label))
}

fn value<'t>(tab: &'t Json, label: &str) -> Option<&'t str> {
    let is = |name| tab.get(name).text().is_some_and(|text| text.trim() == label);
    if is("groupName") {
        return chosen(tab.get("radios"));
    }
    if is("tabLabel") {
        return tab.get("value").text().or_else(|| chosen(tab.get("listItems")));
    }
    None
}

/// The value of the selected radio button or list item.
fn chosen(items: &Json) -> Option<&str> {
    items.list().iter().find(|item| item.get("selected").is_true())?.get("value").text()
}
