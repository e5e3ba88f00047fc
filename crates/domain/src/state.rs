//! What a processor may ask for, and the part of the records that answers it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::{
    Adjustment, Change, Document, DocumentRef, Email, FactRef, Payment, PaymentRef, Person, PersonId, Seen, Term,
};

/// What must be loaded before `decide` can run.
///
/// Loading is by whole persons: whoever is named by an address, a payment or a document comes with
/// all their details, payments, adjustments and terms, because a term is a fold over all of them.
/// Documents come alone. Sets are ordered, so that a store locks rows in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    pub people: BTreeSet<Email>,
    pub payments: BTreeSet<PaymentRef>,
    pub documents: BTreeSet<DocumentRef>,
    /// Facts whose outcome in this processor is asked for.
    pub outcomes: BTreeSet<FactRef>,
}

impl Reads {
    pub fn merge(&mut self, other: Self) {
        self.people.extend(other.people);
        self.payments.extend(other.payments);
        self.documents.extend(other.documents);
        self.outcomes.extend(other.outcomes);
    }
}

/// The records that were asked for. `apply` keeps it current within a batch, so that a later event
/// sees what an earlier one changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub people: HashMap<PersonId, Person>,
    pub by_email: HashMap<Email, PersonId>,
    pub payments: BTreeMap<PaymentRef, Payment>,
    pub payments_of: HashMap<PersonId, BTreeSet<PaymentRef>>,
    pub adjustments: BTreeMap<PaymentRef, Vec<Adjustment>>,
    pub terms: BTreeMap<PaymentRef, Term>,
    pub documents: BTreeMap<DocumentRef, Document>,
    /// What this processor did with facts it has already settled.
    pub outcomes: HashMap<FactRef, Seen>,
}

impl State {
    pub fn person(&self, email: &Email) -> Option<&Person> {
        self.people.get(self.by_email.get(email)?)
    }

    /// All payments of a person, in order of reference.
    pub fn payments_of(&self, person: PersonId) -> impl Iterator<Item = &Payment> {
        self.payments_of.get(&person).into_iter().flatten().filter_map(|reference| self.payments.get(reference))
    }

    pub fn adjustments_of(&self, payment: &PaymentRef) -> &[Adjustment] {
        self.adjustments.get(payment).map_or(&[], Vec::as_slice)
    }

    pub fn add_person(&mut self, person: Person) {
        for email in &person.emails {
            self.by_email.insert(email.clone(), person.id);
        }
        self.people.insert(person.id, person);
    }

    pub fn add_payment(&mut self, payment: Payment) {
        self.payments_of.entry(payment.person).or_default().insert(payment.reference.clone());
        self.payments.insert(payment.reference.clone(), payment);
    }

    pub fn add_adjustment(&mut self, adjustment: Adjustment) {
        self.adjustments.entry(adjustment.payment.clone()).or_default().push(adjustment);
    }

    pub fn add_term(&mut self, term: Term) {
        self.terms.insert(term.payment.clone(), term);
    }

    pub fn add_document(&mut self, document: Document) {
        self.documents.insert(document.reference.clone(), document);
    }

    /// Does to this copy what the store will do to the records.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::RegisterPerson { person, email } => self.add_person(Person::new(*person, email.clone())),
            Change::SetDetail { person, field, detail } => {
                if let Some(person) = self.people.get_mut(person) {
                    person.set(*field, detail.clone());
                }
            }
            Change::RecordPayment(payment) => self.add_payment(payment.clone()),
            Change::AdjustPayment(adjustment) => self.add_adjustment(adjustment.clone()),
            Change::SetTerm { term, .. } => self.add_term(term.clone()),
            Change::SetDocument(document) => self.add_document(document.clone()),
            Change::Emit(_) => {}
        }
    }
}
