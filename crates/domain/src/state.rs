//! What a processor may ask for, and the part of the records that answers it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::{
    Adjustment, Change, Document, DocumentRef, Earning, EarningKey, Email, FactRef, GroupId, Payment, PaymentRef,
    Person, PersonId, Scope, Seen, Term,
};

/// What must be loaded before `decide` can run.
///
/// Loading is by whole persons: whoever is named by an address, a payment or a document comes with
/// all their details, payments, adjustments and terms, because a term is a fold over all of them.
/// Documents come alone. Earnings come by whole scopes: a payment's with all others of the scopes
/// they are in, because a cap is counted over all of them. Sets are ordered, so that a store locks rows in one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    pub people: BTreeSet<Email>,
    pub payments: BTreeSet<PaymentRef>,
    pub documents: BTreeSet<DocumentRef>,
    /// Facts whose outcome in this processor is asked for.
    pub outcomes: BTreeSet<FactRef>,
    /// Payments whose earnings are asked for, with all of their scopes.
    pub earned_by: BTreeSet<PaymentRef>,
    /// Scopes all of whose earnings are asked for.
    pub scopes: BTreeSet<Scope>,
    /// Whether these persons are or were members of these groups.
    pub group_members: BTreeSet<(GroupId, PersonId)>,
}

impl Reads {
    pub fn merge(&mut self, other: Self) {
        self.people.extend(other.people);
        self.payments.extend(other.payments);
        self.documents.extend(other.documents);
        self.outcomes.extend(other.outcomes);
        self.earned_by.extend(other.earned_by);
        self.scopes.extend(other.scopes);
        self.group_members.extend(other.group_members);
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
    pub earnings: BTreeMap<EarningKey, Earning>,
    pub earned_by: HashMap<PaymentRef, BTreeSet<EarningKey>>,
    pub earned_in: HashMap<Scope, BTreeSet<EarningKey>>,
    /// When they left; none: they are members.
    pub group_members: BTreeMap<(GroupId, PersonId), Option<Timestamp>>,
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

    /// What a payment earned and lost, in order of key.
    pub fn earned_by(&self, payment: &PaymentRef) -> impl Iterator<Item = &Earning> {
        self.earned_by.get(payment).into_iter().flatten().filter_map(|key| self.earnings.get(key))
    }

    /// All of one scope, in order of key.
    pub fn earned_in(&self, scope: &Scope) -> impl Iterator<Item = &Earning> {
        self.earned_in.get(scope).into_iter().flatten().filter_map(|key| self.earnings.get(key))
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

    /// One that is there already is the same one, loaded for another reason.
    pub fn add_earning(&mut self, earning: Earning) {
        let key = earning.key();
        if let Some(paid) = &earning.paid {
            self.earned_by.entry(paid.payment.clone()).or_default().insert(key.clone());
        }
        if let Some(scope) = earning.scope() {
            self.earned_in.entry(scope).or_default().insert(key.clone());
        }
        self.earnings.insert(key, earning);
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
            Change::Earn(earning) => self.add_earning((**earning).clone()),
            Change::Emit(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::{AdjustmentKind, Announcement, Currency, Detail, DetailField, EventKey, Money, Stamp};

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn email() -> Email {
        Email::parse("ada@example.org").unwrap()
    }

    fn reference(transaction: &str) -> PaymentRef {
        PaymentRef { account: "club".into(), transaction: transaction.to_owned() }
    }

    fn payment(transaction: &str) -> Payment {
        Payment {
            reference: reference(transaction),
            event_key: EventKey::captured(transaction),
            person: PersonId::of_first_address(&email()),
            paid_at: AT,
            paid_on: date(1970, 1, 1),
            amount: Money { minor: 4000, currency: Currency::parse("USD").unwrap() },
            category: "NA".to_owned(),
            renewal_window_days: 40,
        }
    }

    #[test]
    fn a_person_is_found_and_their_details_follow() {
        let mut person = Person::new(PersonId::of_first_address(&email()), email());
        let mut state = State::default();
        state.apply(&Change::RegisterPerson { person: person.id, email: email() });
        assert_eq!(state.person(&email()), Some(&person));
        let detail = Detail { value: "Ada".to_owned(), stamp: Stamp { at: AT, key: EventKey::from("k") } };
        for field in DetailField::ALL {
            state.apply(&Change::SetDetail { person: person.id, field, detail: detail.clone() });
            person.set(field, detail.clone());
        }
        state.apply(&Change::Emit(Announcement::MemberRegistered { person: person.id }));
        assert_eq!(state.person(&email()), Some(&person));
    }

    #[test]
    fn payments_are_found_by_person_with_what_became_of_them() {
        let mut state = State::default();
        let person = payment("a").person;
        for transaction in ["b", "a"] {
            state.apply(&Change::RecordPayment(payment(transaction)));
        }
        let found: Vec<_> = state.payments_of(person).cloned().collect();
        assert_eq!(found, [payment("a"), payment("b")]);
        let adjustment = |cumulative_minor| Adjustment {
            payment: reference("a"),
            event_key: EventKey::refunded("a", cumulative_minor),
            kind: AdjustmentKind::Refunded { cumulative_minor },
            at: AT,
            on: date(1970, 1, 1),
        };
        for cumulative_minor in [1, 2] {
            state.apply(&Change::AdjustPayment(adjustment(cumulative_minor)));
        }
        assert_eq!(state.adjustments_of(&reference("a")), [adjustment(1), adjustment(2)]);
        assert_eq!(state.adjustments_of(&reference("b")), []);
    }

    #[test]
    fn of_a_term_and_of_a_document_the_later_word_stands() {
        let mut state = State::default();
        let term = |starts| Term {
            payment: reference("a"),
            person: payment("a").person,
            starts,
            expires: crate::a_year_after(starts),
            ended: None,
        };
        let (was, now) = (term(date(2018, 1, 1)), term(date(2018, 2, 1)));
        state.apply(&Change::SetTerm { term: was.clone(), was: None });
        state.apply(&Change::SetTerm { term: now.clone(), was: Some(was) });
        assert_eq!(state.terms.into_values().collect::<Vec<_>>(), [now]);

        let mut state = State::default();
        let named = DocumentRef { account: "club".into(), document: "d".to_owned() };
        for voided_at in [None, Some(AT)] {
            state.apply(&Change::SetDocument(Document { reference: named.clone(), waiver: None, voided_at }));
            assert_eq!(state.documents[&named].voided_at, voided_at);
        }
        assert_eq!(state.documents.len(), 1);
    }

    #[test]
    fn merged_reads_are_sets() {
        let reads = |transaction: &str| Reads {
            people: [email()].into(),
            payments: [reference(transaction)].into(),
            documents: BTreeSet::new(),
            outcomes: [FactRef { account: "club".into(), key: EventKey::captured(transaction) }].into(),
            ..Reads::default()
        };
        let mut all = reads("a");
        all.merge(reads("b"));
        all.merge(reads("a"));
        assert_eq!((all.people.len(), all.payments.len(), all.outcomes.len()), (1, 2, 2));
    }
}
