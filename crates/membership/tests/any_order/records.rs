//! A store in memory that does what a store must: it loads what was asked for and no more, and
//! writes the changes of a batch together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollbook_domain::{
    Announcement, Change, Decision, Event, FactKind, FactRef, Outcome, PersonId, Processor, Reads, Seen, State,
    Verdict, outcome, plan, reads,
};
use rollbook_membership::{Membership, fold};
use rollbook_waiver::{Rules, Waiver};

use crate::world::club;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    state: State,
    /// By processor: what is settled for good.
    settled: [HashMap<FactRef, Seen>; 2],
    registered: Vec<PersonId>,
    /// How often each fact was applied, by processor.
    applied: BTreeMap<(usize, FactRef), usize>,
}

fn processors() -> [Box<dyn Processor>; 2] {
    [Box::new(Membership::new(club())), Box::new(Waiver::new(Rules { zone: club().zone }))]
}

fn fact_of(event: &Event) -> FactRef {
    FactRef { account: event.account.clone(), key: event.key.clone() }
}

impl Records {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn deliver_to_both(&mut self, batch: &[(Event, bool)]) {
        for processor in 0..2 {
            self.deliver(processor, batch);
        }
    }

    /// One transaction of one processor.
    pub fn deliver(&mut self, processor: usize, batch: &[(Event, bool)]) {
        let code = &processors()[processor];
        let events: Vec<Event> = batch.iter().map(|(event, _)| event.clone()).collect();
        let mut asked = reads(code.as_ref(), &events);
        asked.outcomes.extend(events.iter().map(fact_of));
        let mut loaded = self.load(processor, &asked);
        let verdicts = plan(code.as_ref(), batch, &mut loaded);
        assert_eq!(verdicts.len(), batch.len());
        for (event, verdict) in events.iter().zip(verdicts) {
            self.write(processor, event, verdict);
        }
        self.check_fold();
    }

    /// Retries everything, each event alone, until nothing changes.
    pub fn settle(&mut self, events: &[Event]) {
        for _ in 0..4 {
            let before = self.clone();
            for event in events {
                self.deliver_to_both(&[(event.clone(), false)]);
            }
            if *self == before {
                return;
            }
        }
        panic!("retries never come to rest");
    }

    fn load(&self, processor: usize, asked: &Reads) -> State {
        let by_email = asked.people.iter().filter_map(|email| self.state.by_email.get(email));
        let by_payment = asked.payments.iter().filter_map(|payment| Some(&self.state.payments.get(payment)?.person));
        let people: BTreeSet<PersonId> = by_email.chain(by_payment).copied().collect();
        let mut part = State::default();
        for person in people {
            part.add_person(self.state.people[&person].clone());
            for payment in self.state.payments_of(person) {
                part.add_payment(payment.clone());
                part.add_term(self.state.terms[&payment.reference].clone());
                let adjustments = self.state.adjustments_of(&payment.reference);
                adjustments.iter().cloned().for_each(|adjustment| part.add_adjustment(adjustment));
            }
        }
        let documents = asked.documents.iter().filter_map(|document| self.state.documents.get(document));
        documents.cloned().for_each(|document| part.add_document(document));
        let settled = |fact: &FactRef| Some((fact.clone(), self.settled[processor].get(fact)?.clone()));
        part.outcomes = asked.outcomes.iter().filter_map(settled).collect();
        part
    }

    fn write(&mut self, processor: usize, event: &Event, verdict: Verdict) {
        let Verdict::Decided { decision, digest } = verdict else { return };
        if let Some(outcome) = outcome(&decision) {
            let was = self.settled[processor].insert(fact_of(event), Seen { outcome, digest });
            assert!(was.is_none_or(|was| was.outcome == Outcome::Ignored), "only an ignored row gives way");
        }
        let Decision::Apply(changes) = decision else { return };
        *self.applied.entry((processor, fact_of(event))).or_default() += 1;
        for change in &changes {
            self.check(change);
            self.state.apply(change);
        }
    }

    /// What the database would refuse, and what its journal would miss.
    fn check(&mut self, change: &Change) {
        match change {
            Change::RegisterPerson { person, email } => {
                assert!(!self.state.people.contains_key(person) && !self.state.by_email.contains_key(email));
            }
            Change::SetDetail { person, field, detail } => {
                let standing = self.state.people[person].detail(*field);
                assert!(standing.is_none_or(|standing| standing.stamp <= detail.stamp), "older words never win");
            }
            Change::RecordPayment(payment) => assert!(!self.state.payments.contains_key(&payment.reference)),
            Change::AdjustPayment(adjustment) => {
                let recorded = self.state.adjustments_of(&adjustment.payment);
                assert!(recorded.iter().all(|other| other.event_key != adjustment.event_key));
            }
            Change::SetTerm { term, was } => {
                assert_eq!(self.state.terms.get(&term.payment), was.as_ref(), "the journal has no gap");
                assert_ne!(was.as_ref(), Some(term), "only what changes is written");
            }
            Change::SetDocument(_) | Change::Earn(_) => {}
            Change::Emit(Announcement::MemberRegistered { person }) => self.registered.push(*person),
        }
    }

    fn check_fold(&self) {
        let folded = self.state.people.keys().flat_map(|person| fold(&self.state, *person));
        let folded: BTreeMap<_, _> = folded.map(|term| (term.payment.clone(), term)).collect();
        assert_eq!(folded, self.state.terms, "fold = stored terms");
        assert_eq!(self.state.terms.len(), self.state.payments.len(), "one term a payment");
    }

    pub fn check_effects(&self, events: &[Event]) {
        assert!(self.applied.values().all(|times| *times == 1), "applied once");
        let applied = |kinds: &[FactKind]| {
            let is = |event: &&Event| {
                let seen = self.settled.iter().filter_map(|settled| settled.get(&fact_of(event)));
                kinds.contains(&event.fact.kind()) && seen.into_iter().any(|seen| seen.outcome == Outcome::Applied)
            };
            events.iter().filter(is).count()
        };
        let adjustments: usize = self.state.adjustments.values().map(Vec::len).sum();
        let documents = || self.state.documents.values();
        assert_eq!(self.state.payments.len(), applied(&[FactKind::PaymentCaptured]));
        assert_eq!(adjustments, applied(&[FactKind::PaymentRefunded, FactKind::PaymentDisputed]));
        assert_eq!(documents().filter(|one| one.waiver.is_some()).count(), applied(&[FactKind::DocumentCompleted]));
        assert_eq!(documents().filter(|one| one.voided_at.is_some()).count(), applied(&[FactKind::DocumentVoided]));
        let once: BTreeSet<_> = self.registered.iter().copied().collect();
        assert_eq!(once.len(), self.registered.len(), "announced once");
        assert_eq!(once, self.state.people.keys().copied().collect());
    }

    pub fn outcomes(&self) -> [BTreeMap<FactRef, Outcome>; 2] {
        self.settled.clone().map(|settled| settled.into_iter().map(|(fact, seen)| (fact, seen.outcome)).collect())
    }

    /// The records, with adjustments as the set that they are.
    pub fn sorted(&self) -> State {
        let mut state = self.state.clone();
        for adjustments in state.adjustments.values_mut() {
            adjustments.sort_by(|one, other| (one.at, &one.event_key).cmp(&(other.at, &other.event_key)));
        }
        state
    }
}

/// What a number of histories held.
#[derive(Debug, Default)]
pub struct Sights {
    pub renewals_kept_days: usize,
    pub ended: usize,
    pub partly_refunded: usize,
    pub waivers: usize,
    pub voided: usize,
    pub ignored: usize,
    pub members_with_both: usize,
}

impl Sights {
    pub fn look(&mut self, records: &Records) {
        let state = &records.state;
        let payments = || state.payments.values();
        let term = |payment: &rollbook_domain::Payment| &state.terms[&payment.reference];
        self.renewals_kept_days += payments().filter(|payment| term(payment).starts > payment.paid_on).count();
        self.ended += payments().filter(|payment| term(payment).ended.is_some()).count();
        let adjusted = |payment: &rollbook_domain::Payment| !state.adjustments_of(&payment.reference).is_empty();
        self.partly_refunded += payments().filter(|payment| adjusted(payment) && term(payment).ended.is_none()).count();
        let waivers = || state.documents.values().filter_map(|document| document.waiver.as_ref());
        self.waivers += waivers().count();
        self.voided += state.documents.values().filter(|document| document.voided_at.is_some()).count();
        let outcomes = records.outcomes();
        self.ignored += outcomes.iter().flatten().filter(|(_, outcome)| **outcome == Outcome::Ignored).count();
        let paying: BTreeSet<_> = payments().map(|payment| payment.person).collect();
        self.members_with_both += waivers().filter(|waiver| paying.contains(&waiver.person)).count();
    }
}
