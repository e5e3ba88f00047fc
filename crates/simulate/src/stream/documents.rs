//! Stories of people who sign.
//!
//! One completion sends two messages: in JSON the last signer's and the document's, in the legacy
//! XML the final state twice.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{EventKey, FactKind};

use super::teller::{DAY_S, DOCUSIGN, Draft, Teller, facts, genuine, ignored, later};
use crate::bodies::docusign::{self, Message, Signer, Waiver};
use crate::bodies::docusign_xml::{self, Status};
use crate::bodies::{Person, standard};
use crate::{Callback, Effect, Key, Kind, Source, Verdict, WAIVER};

/// The recipient ids that the bodies carry.
const XML_RELEASOR: &str = "11111111-1111-4111-8111-111111111111";

/// What is written on the form; the service takes it as it is.
const AFFILIATIONS: [&str; 4] = ["Non-affiliate", "MIT undergrad", "Student <visiting>", "Alum & friends"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Xml,
    OwnWords,
}

/// One document of one person.
struct Paper {
    source: Arc<Source>,
    format: Format,
    document: String,
    person: Person,
    affiliation: &'static str,
    guardian: bool,
    at: Timestamp,
}

#[derive(Clone, Copy)]
enum What {
    Completed,
    Signed(Signer),
    Voided,
}

impl Paper {
    fn new(teller: &mut Teller<'_>, person: &Person, at: Timestamp) -> Option<Self> {
        let source = teller.source_for(FactKind::DocumentCompleted)?;
        let format = match source.provider.name() {
            DOCUSIGN if teller.chance(35) => Format::Xml,
            DOCUSIGN => Format::Json,
            _ => Format::OwnWords,
        };
        // Providers write fractions of a second.
        let at = at.checked_add(SignedDuration::from_millis(teller.rng.i64(0..1000))).unwrap_or(at);
        Some(Self {
            source,
            format,
            document: teller.document(),
            person: person.clone(),
            affiliation: AFFILIATIONS[teller.rng.usize(..AFFILIATIONS.len())],
            guardian: teller.chance(20),
            at,
        })
    }

    fn body(&self, what: What, at: Timestamp, generated_at: Timestamp) -> Vec<u8> {
        let waiver = Waiver {
            document: &self.document,
            releasor: &self.person,
            affiliation: self.affiliation,
            guardian: self.guardian,
            at,
            generated_at,
        };
        match (self.format, what) {
            (Format::Json, What::Completed) => docusign::message(&waiver, Message::EnvelopeCompleted),
            (Format::Json, What::Signed(signer)) => docusign::message(&waiver, Message::RecipientCompleted(signer)),
            (Format::Json, What::Voided) => docusign::message(&waiver, Message::EnvelopeVoided),
            (Format::Xml, What::Completed) => docusign_xml::message(&waiver, Status::Completed, -5),
            (Format::Xml, What::Signed(_)) => docusign_xml::message(&waiver, Status::Delivered, -5),
            (Format::Xml, What::Voided) => docusign_xml::message(&waiver, Status::Voided, -5),
            (Format::OwnWords, What::Completed) => {
                standard::document_completed(&self.document, &self.person, self.affiliation, at)
            }
            (Format::OwnWords, What::Signed(signer)) => {
                standard::recipient_completed(&self.document, signer.recipient(), at)
            }
            (Format::OwnWords, What::Voided) => standard::document_voided(&self.document, at),
        }
    }

    fn applied(&self) -> Verdict {
        let effect =
            Effect::Waiver { document: self.document.clone(), email: self.person.email.clone(), signed_at: self.at };
        Verdict::Applied(effect)
    }

    /// The message that everybody has signed, sent `after_s` seconds later.
    fn completed(&self, teller: &mut Teller<'_>, kind: Kind, after_s: i64, any_of: Vec<Verdict>) -> Callback {
        let body = self.body(What::Completed, self.at, later(self.at, after_s));
        self.callback(teller, kind, body, EventKey::document_completed(&self.document), any_of)
    }

    fn signed_by(&self, teller: &mut Teller<'_>, signer: Signer, at: Timestamp) -> Callback {
        let body = self.body(What::Signed(signer), at, at);
        let recipient = if self.format == Format::Xml { XML_RELEASOR } else { signer.recipient() };
        let key = EventKey::recipient_completed(&self.document, recipient);
        self.callback(teller, Kind::OneSigner, body, key, vec![ignored("one_signer")])
    }

    fn voided(&self, teller: &mut Teller<'_>, at: Timestamp) -> Callback {
        let body = self.body(What::Voided, at, at);
        let effect = Effect::Void { document: self.document.clone() };
        let key = EventKey::document_voided(&self.document);
        self.callback(teller, Kind::Void, body, key, vec![Verdict::Applied(effect)])
    }

    fn callback(
        &self,
        teller: &mut Teller<'_>,
        kind: Kind,
        body: Vec<u8>,
        key: EventKey,
        any_of: Vec<Verdict>,
    ) -> Callback {
        let id = teller.request_id(&self.source);
        genuine(kind, &self.source, id, body, facts(&self.source, WAIVER, &Key::Named(key), any_of))
    }
}

/// All messages of one completed waiver of this person.
pub fn signed(teller: &mut Teller<'_>, person: &Person, at: Timestamp) -> Vec<Draft> {
    let Some(paper) = Paper::new(teller, person, at) else { return Vec::new() };
    let mut drafts = Vec::new();
    if paper.guardian {
        let before = later(paper.at, -teller.rng.i64(600..3 * DAY_S));
        drafts.push(Draft::at(before, paper.signed_by(teller, Signer::Releasor, before)));
    }
    match paper.format {
        Format::Xml => {
            let again = paper.completed(teller, Kind::Waiver, 3, vec![paper.applied()]);
            drafts.push(Draft::at(paper.at, again));
        }
        Format::Json | Format::OwnWords => {
            let last = if paper.guardian { Signer::Guardian } else { Signer::Releasor };
            drafts.push(Draft::at(paper.at, paper.signed_by(teller, last, paper.at)));
        }
    }
    drafts.push(Draft::at(paper.at, paper.completed(teller, Kind::Waiver, 0, vec![paper.applied()])));
    drafts
}

/// Somebody signs and does not pay (yet).
pub fn signer(teller: &mut Teller<'_>) -> Vec<Draft> {
    let (person, at) = (teller.person(), teller.moment());
    signed(teller, &person, at)
}

/// One completed waiver in one message.
pub fn one(teller: &mut Teller<'_>) -> Option<Draft> {
    let (person, at) = (teller.person(), teller.moment());
    let paper = Paper::new(teller, &person, at)?;
    Some(Draft::at(at, paper.completed(teller, Kind::Waiver, 0, vec![paper.applied()])))
}

/// The releasor has signed, the guardian never does.
pub fn guardian_only(teller: &mut Teller<'_>) -> Vec<Draft> {
    let (person, at) = (teller.person(), teller.moment());
    let Some(mut paper) = Paper::new(teller, &person, at) else { return Vec::new() };
    paper.guardian = true;
    vec![Draft::at(at, paper.signed_by(teller, Signer::Releasor, paper.at))]
}

/// Voided before anybody signed.
pub fn void(teller: &mut Teller<'_>) -> Vec<Draft> {
    let (person, at) = (teller.person(), teller.moment());
    let Some(paper) = Paper::new(teller, &person, at) else { return Vec::new() };
    vec![Draft::at(at, paper.voided(teller, paper.at))]
}

/// Both completed and voided. A void after the completion ends the waiver; of a void before it, the
/// order of arrival decides whether there is one to end.
pub fn voided_waiver(teller: &mut Teller<'_>) -> Vec<Draft> {
    let (person, at) = (teller.person(), teller.moment());
    let Some(paper) = Paper::new(teller, &person, at) else { return Vec::new() };
    let after = teller.chance(50);
    let by_s = teller.rng.i64(60..30 * DAY_S);
    let voided_at = later(paper.at, if after { by_s } else { -by_s });
    let mut any_of = vec![paper.applied()];
    if !after {
        any_of.push(ignored("document_voided"));
    }
    let completed = paper.completed(teller, Kind::VoidedWaiver, 0, any_of);
    let voided = paper.voided(teller, voided_at);
    vec![Draft::at(paper.at, completed), Draft::at(voided_at, voided)]
}
