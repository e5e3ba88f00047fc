//! Effects: does each stand once, with the contents that its sender knows, and nothing beside it?

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use rollbook_domain::{
    AdjustmentKind, DisputePhase, DocumentRef, Email, EventKey, Payment, PaymentRef, Person, PersonId,
};

use super::finding::Findings;
use super::{AuditOptions, Claim, FactId, Facts, Recorded, Rows, Scope};
use crate::{Effect, Key, Paid};

pub fn check(facts: &Facts, rows: &Rows<'_>, recorded: &Recorded, options: &AuditOptions, findings: &mut Findings) {
    let scene = Scene::of(facts, rows, recorded, options);
    scene.payments(findings);
    scene.no_other_payments(findings);
    scene.terms(findings);
    scene.refunds(findings);
    scene.disputes(findings);
    scene.waivers(findings);
    scene.no_other_waivers(findings);
    scene.people(findings);
}

struct Scene<'a> {
    recorded: &'a Recorded,
    options: &'a AuditOptions,
    facts: &'a Facts,
    /// Facts that stand as applied.
    applied: Vec<(&'a FactId, &'a Claim)>,
    people: HashMap<PersonId, &'a Person>,
    payments: BTreeMap<PaymentRef, Vec<&'a Payment>>,
}

impl<'a> Scene<'a> {
    fn of(facts: &'a Facts, rows: &Rows<'_>, recorded: &'a Recorded, options: &'a AuditOptions) -> Self {
        let mut payments = BTreeMap::<PaymentRef, Vec<&Payment>>::new();
        for payment in &recorded.payments {
            payments.entry(payment.reference.clone()).or_default().push(payment);
        }
        Self {
            recorded,
            options,
            facts,
            applied: facts.0.iter().filter(|(id, _)| rows.standing(id).applied()).collect(),
            people: recorded.people.iter().map(|person| (person.id, person)).collect(),
            payments,
        }
    }

    fn ours(&self, text: &str) -> bool {
        match &self.options.scope {
            Scope::Whole => true,
            Scope::Run(tag) => text.contains(tag),
        }
    }

    fn is(&self, person: PersonId, email: &Email) -> bool {
        self.people.get(&person).is_some_and(|person| person.emails.contains(email))
    }

    fn effects(&self) -> impl Iterator<Item = (&'a FactId, &'a Effect)> {
        self.applied.iter().flat_map(|(id, claim)| claim.effects().map(|effect| (*id, effect)))
    }

    fn payments(&self, findings: &mut Findings) {
        const NAME: &str = "every applied payment stands once, as it was paid";
        findings.open(NAME);
        for (id, claim) in &self.applied {
            let said: Vec<&Paid> = claim.effects().filter_map(paid).collect();
            let Some(one) = said.first() else { continue };
            let rows = self.payments.get(&payment_ref(id, &one.transaction)).map_or(&[][..], Vec::as_slice);
            let fault = match rows {
                [row] => (!said.iter().any(|paid| self.agrees(row, paid)))
                    .then(|| format!("{id} stands with other contents")),
                _ => Some(format!("{id} stands {} times", rows.len())),
            };
            findings.note(NAME, fault);
        }
    }

    fn agrees(&self, row: &Payment, paid: &Paid) -> bool {
        row.amount.minor == paid.minor
            && row.amount.currency.as_str() == paid.currency
            && row.category == paid.category
            && row.paid_at == paid.paid_at
            && row.paid_on == paid.paid_at.to_zoned(self.options.zone.clone()).date()
            && self.is(row.person, &paid.email)
    }

    fn no_other_payments(&self, findings: &mut Findings) {
        const NAME: &str = "no payment stands that was not paid";
        findings.open(NAME);
        let due: BTreeSet<PaymentRef> =
            self.effects().filter_map(|(id, effect)| Some(payment_ref(id, &paid(effect)?.transaction))).collect();
        for payment in &self.recorded.payments {
            let reference = &payment.reference;
            if due.contains(reference) || self.ours(&reference.transaction) {
                let fault = || format!("payment {} of {} was never paid", reference.transaction, reference.account);
                findings.note(NAME, (!due.contains(reference)).then(fault));
            }
        }
    }

    fn terms(&self, findings: &mut Findings) {
        const NAME: &str = "every payment bought one term";
        findings.open(NAME);
        let mut counts = BTreeMap::<&PaymentRef, u32>::new();
        for term in &self.recorded.terms {
            *counts.entry(&term.payment).or_default() += 1;
        }
        for reference in self.payments.keys() {
            let count = counts.remove(reference).unwrap_or(0);
            let fault = || format!("payment {} has {count} terms", reference.transaction);
            findings.note(NAME, (count != 1).then(fault));
        }
        for reference in counts.into_keys() {
            findings.note(NAME, Some(format!("payment {} has a term and does not stand", reference.transaction)));
        }
    }

    fn refunds(&self, findings: &mut Findings) {
        const NAME: &str = "every refunded total is the greatest that was sent";
        findings.open(NAME);
        let mut stands = BTreeMap::<PaymentRef, i64>::new();
        for adjustment in &self.recorded.adjustments {
            if let AdjustmentKind::Refunded { cumulative_minor } = adjustment.kind {
                raise(&mut stands, adjustment.payment.clone(), cumulative_minor);
            }
        }
        for (reference, (least, most)) in self.refunds_due() {
            let total = stands.remove(&reference).unwrap_or(0);
            let fault =
                || format!("payment {} is refunded {total} minor units instead of {most}", reference.transaction);
            findings.note(NAME, (total < least || total > most).then(fault));
        }
        for (reference, total) in stands.into_iter().filter(|(reference, _)| self.ours(&reference.transaction)) {
            findings.note(NAME, Some(format!("payment {} is refunded {total} and never was", reference.transaction)));
        }
    }

    /// The total that must stand at least, and the one that may stand at most. A refund counts as
    /// certain when it was acknowledged and its payment stands.
    fn refunds_due(&self) -> BTreeMap<PaymentRef, (i64, i64)> {
        let mut due = BTreeMap::<PaymentRef, (i64, i64)>::new();
        for (id, claim) in &self.facts.0 {
            for effect in claim.effects() {
                let Effect::Refund { transaction, cumulative_minor } = effect else { continue };
                let reference = payment_ref(id, transaction);
                let certain = claim.acked > 0 && self.payments.contains_key(&reference);
                let (least, most) = due.entry(reference).or_default();
                *most = (*most).max(*cumulative_minor);
                if certain {
                    *least = (*least).max(*cumulative_minor);
                }
            }
        }
        due
    }

    fn disputes(&self, findings: &mut Findings) {
        const NAME: &str = "every applied dispute stands once";
        findings.open(NAME);
        let mut stands = BTreeMap::<(PaymentRef, EventKey, &str), u32>::new();
        for adjustment in &self.recorded.adjustments {
            if !matches!(adjustment.kind, AdjustmentKind::Refunded { .. }) {
                let key = (adjustment.payment.clone(), adjustment.event_key.clone(), adjustment.kind.as_str());
                *stands.entry(key).or_default() += 1;
            }
        }
        for (id, effect) in self.effects() {
            let (Effect::Dispute { transaction, phase, .. }, Key::Named(key)) = (effect, &id.key) else { continue };
            let count = stands.remove(&(payment_ref(id, transaction), key.clone(), word(*phase))).unwrap_or(0);
            findings.note(NAME, (count != 1).then(|| format!("{id} stands {count} times")));
        }
        for (reference, key, _) in stands.into_keys().filter(|(reference, ..)| self.ours(&reference.transaction)) {
            findings.note(NAME, Some(format!("{key} stands for payment {} and was never sent", reference.transaction)));
        }
    }

    fn waivers(&self, findings: &mut Findings) {
        const NAME: &str = "every applied waiver stands once, as it was signed";
        findings.open(NAME);
        let voided = self.voided();
        for (id, claim) in &self.applied {
            let said: Vec<_> = claim.effects().filter_map(signed).collect();
            let Some((document, ..)) = said.first() else { continue };
            let reference = document_ref(id, document);
            let rows: Vec<_> = self.recorded.documents.iter().filter(|row| row.reference == reference).collect();
            let fault = match rows.as_slice() {
                [row] => {
                    let waiver = row.waiver.as_ref();
                    let same = waiver.is_some_and(|waiver| {
                        said.iter().any(|(_, email, at)| waiver.signed_at == *at && self.is(waiver.person, email))
                    });
                    let ended = row.voided_at.is_some() == voided.contains(&reference);
                    (!(same && ended)).then(|| format!("{id} stands with other contents"))
                }
                rows => Some(format!("{id} stands {} times", rows.len())),
            };
            findings.note(NAME, fault);
        }
    }

    fn voided(&self) -> BTreeSet<DocumentRef> {
        let void = |(id, effect): (&FactId, &Effect)| match effect {
            Effect::Void { document } => Some(document_ref(id, document)),
            _ => None,
        };
        self.effects().filter_map(void).collect()
    }

    fn no_other_waivers(&self, findings: &mut Findings) {
        const NAME: &str = "no waiver stands that was not signed";
        findings.open(NAME);
        let due: BTreeSet<DocumentRef> =
            self.effects().filter_map(|(id, effect)| Some(document_ref(id, signed(effect)?.0))).collect();
        for row in &self.recorded.documents {
            let known = due.contains(&row.reference);
            if known || self.ours(&row.reference.document) {
                let fault = || format!("document {} was never signed", row.reference.document);
                findings.note(NAME, (!known).then(fault));
            }
        }
    }

    fn people(&self, findings: &mut Findings) {
        const NAME: &str = "the people are those who paid or signed, each once";
        findings.open(NAME);
        let mut stands = BTreeMap::<&Email, u32>::new();
        for email in self.recorded.people.iter().flat_map(|person| &person.emails) {
            *stands.entry(email).or_default() += 1;
        }
        for email in self.standing_members() {
            let count = stands.remove(&email).unwrap_or(0);
            findings.note(NAME, (count != 1).then(|| format!("a member stands as {count} people")));
        }
        for email in stands.into_keys().filter(|email| self.ours(email.as_str())) {
            let id = PersonId::of_first_address(email);
            findings.note(NAME, Some(format!("person {id} neither paid nor signed")));
        }
    }

    /// Whoever has an applied fact. Where two messages contradict each other, whoever the payment
    /// that stands is recorded for.
    fn standing_members(&self) -> BTreeSet<Email> {
        let mut members = BTreeSet::new();
        for (id, claim) in &self.applied {
            let said: Vec<&Email> = claim.effects().filter_map(Effect::email).collect();
            let stands = |email: &&&Email| self.holds(id, claim, email);
            members.extend(said.iter().find(stands).or(said.first()).map(|email| (**email).clone()));
        }
        members
    }

    fn holds(&self, id: &FactId, claim: &Claim, email: &Email) -> bool {
        let transaction = claim.effects().find_map(paid).map(|paid| &paid.transaction);
        let rows = transaction.and_then(|transaction| self.payments.get(&payment_ref(id, transaction)));
        rows.is_some_and(|rows| rows.iter().any(|row| self.is(row.person, email)))
    }
}

fn paid(effect: &Effect) -> Option<&Paid> {
    match effect {
        Effect::Payment(paid) => Some(paid),
        _ => None,
    }
}

fn signed(effect: &Effect) -> Option<(&String, &Email, Timestamp)> {
    match effect {
        Effect::Waiver { document, email, signed_at } => Some((document, email, *signed_at)),
        _ => None,
    }
}

fn payment_ref(id: &FactId, transaction: &str) -> PaymentRef {
    PaymentRef { account: id.account.clone(), transaction: transaction.to_owned() }
}

fn document_ref(id: &FactId, document: &str) -> DocumentRef {
    DocumentRef { account: id.account.clone(), document: document.to_owned() }
}

fn word(phase: DisputePhase) -> &'static str {
    match phase {
        DisputePhase::Opened => AdjustmentKind::DisputeOpened.as_str(),
        DisputePhase::Won => AdjustmentKind::DisputeWon.as_str(),
        DisputePhase::Lost => AdjustmentKind::DisputeLost.as_str(),
    }
}

fn raise(totals: &mut BTreeMap<PaymentRef, i64>, reference: PaymentRef, minor: i64) {
    let total = totals.entry(reference).or_default();
    *total = (*total).max(minor);
}
