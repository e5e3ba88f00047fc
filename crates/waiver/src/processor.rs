//! Decides on documents.

use jiff::tz::TimeZone;
use rollbook_domain::{
    Change, Completion, Decision, Document, DocumentRef, Email, Event, Fact, FactKind, Fault, Processor, Reads, Reason,
    Said, Stamp, State, a_year_after, date_in, introduce,
};

use crate::reasons::{BAD_EMAIL, DECLINED, DOCUMENT_VOIDED, MISSING_FIELD, ONE_SIGNER};

/// The processor's name: its queue, and part of every permanent key.
pub const NAME: &str = "waiver";

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The organisation's zone: it decides on which date a document was signed.
    pub zone: TimeZone,
}

#[derive(Clone, Debug)]
pub struct Waiver {
    rules: Rules,
}

impl Waiver {
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

impl Processor for Waiver {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self) -> &'static [FactKind] {
        &[
            FactKind::DocumentCompleted,
            FactKind::DocumentVoided,
            FactKind::DocumentDeclined,
            FactKind::RecipientCompleted,
        ]
    }

    fn reads(&self, event: &Event) -> Reads {
        let mut reads = Reads::default();
        match &event.fact {
            Fact::DocumentCompleted(completion) => {
                reads.people.extend(completion.email.as_deref().and_then(Email::parse));
                reads.documents.insert(document_ref(event, &completion.document));
            }
            Fact::DocumentVoided { document } => {
                reads.documents.insert(document_ref(event, document));
            }
            _ => {}
        }
        reads
    }

    fn decide(&self, event: &Event, state: &State) -> Decision {
        match &event.fact {
            Fact::DocumentCompleted(completion) => self.decide_completion(event, completion, state),
            Fact::DocumentVoided { document } => decide_void(event, document, state),
            Fact::DocumentDeclined { .. } => Decision::Ignore(DECLINED),
            Fact::RecipientCompleted { .. } => Decision::Ignore(ONE_SIGNER),
            _ => Decision::Ignore(rollbook_domain::reasons::UNWANTED_TYPE),
        }
    }
}

impl Waiver {
    fn decide_completion(&self, event: &Event, completion: &Completion, state: &State) -> Decision {
        let reference = match named(event, &completion.document) {
            Ok(reference) => reference,
            Err(fault) => return Decision::Fail(fault),
        };
        let voided_at = state.documents.get(&reference).and_then(|document| document.voided_at);
        if voided_at.is_some_and(|voided_at| event.occurred_at > voided_at) {
            return Decision::Ignore(DOCUMENT_VOIDED);
        }
        match signer(completion) {
            Ok(email) => Decision::Apply(self.complete(
                event,
                completion,
                &email,
                Document { reference, waiver: None, voided_at },
                state,
            )),
            Err(fault) => Decision::Fail(fault),
        }
    }

    /// The signer becomes known, and `document` has their waiver.
    fn complete(
        &self,
        event: &Event,
        completion: &Completion,
        email: &Email,
        document: Document,
        state: &State,
    ) -> Vec<Change> {
        let stamp = Stamp { at: event.occurred_at, key: event.key.clone() };
        let category = completion.category.as_deref().filter(|category| !category.trim().is_empty());
        let written = completion.email.as_deref().unwrap_or_default();
        let said = Said { email, written, name: completion.name.as_deref(), category, stamp: &stamp };
        let introduction = introduce(state, &said);
        let waiver = rollbook_domain::Waiver {
            person: introduction.person,
            signed_at: event.occurred_at,
            expires: a_year_after(date_in(&self.rules.zone, event.occurred_at)),
            category: category.map(str::to_owned),
        };
        let mut changes = introduction.changes;
        changes.push(Change::SetDocument(Document { waiver: Some(waiver), ..document }));
        changes
    }
}

fn signer(completion: &Completion) -> Result<Email, Fault> {
    let written = completion.email.as_deref().unwrap_or_default();
    if written.trim().is_empty() {
        return Err(fault(MISSING_FIELD, NO_EMAIL));
    }
    Email::parse(written).ok_or_else(|| fault(BAD_EMAIL, IMPOSSIBLE_EMAIL))
}

/// Recorded for a document we do not know, too: its completion may still come.
fn decide_void(event: &Event, document: &str, state: &State) -> Decision {
    let reference = match named(event, document) {
        Ok(reference) => reference,
        Err(fault) => return Decision::Fail(fault),
    };
    let known = state.documents.get(&reference);
    let earlier = known.and_then(|document| document.voided_at);
    let document = Document {
        waiver: known.and_then(|document| document.waiver.clone()),
        voided_at: Some(earlier.map_or(event.occurred_at, |earlier| earlier.min(event.occurred_at))),
        reference,
    };
    Decision::Apply(vec![Change::SetDocument(document)])
}

fn document_ref(event: &Event, document: &str) -> DocumentRef {
    DocumentRef { account: event.account.clone(), document: document.to_owned() }
}

fn named(event: &Event, document: &str) -> Result<DocumentRef, Fault> {
    if document.trim().is_empty() {
        return Err(fault(MISSING_FIELD, NO_DOCUMENT));
    }
    Ok(document_ref(event, document))
}

const NO_DOCUMENT: &str = "the message names no document; look it up at the provider and have it sent again";
const NO_EMAIL: &str =
    "the document carries no signer's e-mail address; see which tab of the source holds it, correct that and replay";
const IMPOSSIBLE_EMAIL: &str = "the signer's address cannot be an e-mail address; correct it in the dead letter and replay, or have it signed again";

fn fault(reason: Reason, detail: &str) -> Fault {
    Fault { reason, detail: detail.to_owned(), amount: None }
}
