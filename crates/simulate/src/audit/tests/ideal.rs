//! A service without a fault: it records just what the sender expects, by a second way of reading
//! the expectations.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rollbook_domain::{
    Account, Adjustment, AdjustmentKind, Currency, DisputePhase, Document, DocumentRef, Email, Envelope, EnvelopeId,
    EventKey, Money, Payment, PaymentRef, Person, PersonId, ProcessorName, Seen, State, Term, Waiver,
};
use rollbook_store::{
    Check, DeadLetter, DeadLetterFailure, DeadLetterFilter, DeadLetterGroup, DeadLetterState, DeadLetters, EventFilter,
    EventRow, Kept, MemberRow, PersonRecords, Records, Snapshot, StoreError,
};

use crate::{Effect, Expected, Key, Paid, Record, Recorded, Verdict};

impl Recorded {
    /// Both stores as one.
    pub fn merge(&mut self, other: Self) {
        self.events.extend(other.events);
        self.letters.extend(other.letters);
        self.people.extend(other.people);
        self.payments.extend(other.payments);
        self.adjustments.extend(other.adjustments);
        self.terms.extend(other.terms);
        self.documents.extend(other.documents);
    }
}

pub fn ideal(record: &Record, mended: bool) -> Recorded {
    let mut service = Service { mended, ..Service::default() };
    for sent in record.sent.iter().filter(|sent| sent.answer.acked()) {
        for expected in sent.expect.facts() {
            service.hear(sent.source.name.as_str(), expected);
        }
    }
    service.finish()
}

#[derive(Default)]
struct Service {
    mended: bool,
    seen: BTreeMap<(String, Account, Key), Option<Effect>>,
    waiting: Vec<(Account, EventKey, Effect)>,
    voided: Vec<DocumentRef>,
    recorded: Recorded,
}

impl Service {
    fn hear(&mut self, source: &str, expected: &Expected) {
        let id = (expected.processor.to_string(), expected.account.clone(), expected.key.clone());
        let verdict = expected.any_of[0].when(self.mended);
        if let Some(earlier) = self.seen.get(&id) {
            let said = match (&verdict, earlier) {
                (Verdict::Applied(effect), Some(earlier)) => effect.contradicts(earlier),
                _ => false,
            };
            if said {
                self.letter(source, expected, "conflicting_duplicate", DeadLetterState::Open);
            }
            return;
        }
        let effect = match &verdict {
            Verdict::Applied(effect) => Some(effect.clone()),
            _ => None,
        };
        self.seen.insert(id, effect.clone());
        match verdict {
            Verdict::Applied(_) => self.row(source, expected, "applied", None),
            Verdict::Ignored(reason) => self.row(source, expected, "ignored", Some(reason.to_string())),
            Verdict::DeadLetter(reason) => self.letter(source, expected, reason.as_str(), DeadLetterState::Open),
            Verdict::DeadLetterUntilMended(..) => unreachable!("`when` resolves it"),
        }
        if let (Some(effect), Key::Named(key)) = (effect, &expected.key) {
            self.waiting.push((expected.account.clone(), key.clone(), effect));
        }
    }

    fn row(&mut self, source: &str, expected: &Expected, outcome: &str, reason: Option<String>) {
        self.recorded.events.push(EventRow {
            envelope: envelope(),
            source: source.to_owned(),
            processor: expected.processor.to_string(),
            event_key: written(&expected.key),
            kind: "other".to_owned(),
            outcome: outcome.to_owned(),
            reason,
            rules: "rules".to_owned(),
            occurred_at: Timestamp::UNIX_EPOCH,
            processed_at: Timestamp::UNIX_EPOCH,
        });
    }

    fn letter(&mut self, source: &str, expected: &Expected, reason: &str, state: DeadLetterState) {
        self.recorded.letters.push(DeadLetter {
            id: i64::try_from(self.recorded.letters.len()).unwrap(),
            processor: expected.processor.to_string(),
            source: source.to_owned(),
            event_key: written(&expected.key),
            reason: reason.to_owned(),
            detail: String::new(),
            amount: None,
            currency: None,
            attempts: 1,
            first_seen: Timestamp::UNIX_EPOCH,
            last_seen: Timestamp::UNIX_EPOCH,
            state,
            envelope: envelope(),
            failures: 1,
        });
    }

    /// Effects in the order of need: whatever waits for a payment comes after all payments.
    fn finish(mut self) -> Recorded {
        for (account, key, effect) in std::mem::take(&mut self.waiting) {
            match effect {
                Effect::Payment(paid) => self.pay(account, key, &paid),
                Effect::Refund { transaction, cumulative_minor } => {
                    self.adjust(account, key, transaction, AdjustmentKind::Refunded { cumulative_minor });
                }
                Effect::Dispute { transaction, phase, .. } => {
                    let kind = match phase {
                        DisputePhase::Opened => AdjustmentKind::DisputeOpened,
                        DisputePhase::Won => AdjustmentKind::DisputeWon,
                        DisputePhase::Lost => AdjustmentKind::DisputeLost,
                    };
                    self.adjust(account, key, transaction, kind);
                }
                Effect::Waiver { document, email, signed_at } => self.sign(account, document, &email, signed_at),
                Effect::Void { document } => self.voided.push(DocumentRef { account, document }),
            }
        }
        for document in &mut self.recorded.documents {
            let voided = self.voided.contains(&document.reference);
            document.voided_at = voided.then_some(Timestamp::UNIX_EPOCH);
        }
        self.recorded
    }

    fn person(&mut self, email: &Email) -> PersonId {
        let id = PersonId::of_first_address(email);
        if !self.recorded.people.iter().any(|person| person.id == id) {
            self.recorded.people.push(Person::new(id, email.clone()));
        }
        id
    }

    fn pay(&mut self, account: Account, event_key: EventKey, paid: &Paid) {
        let reference = PaymentRef { account, transaction: paid.transaction.clone() };
        let person = self.person(&paid.email);
        let paid_on = paid.paid_at.to_zoned(TimeZone::get("America/New_York").unwrap()).date();
        self.recorded.payments.push(Payment {
            reference: reference.clone(),
            event_key,
            person,
            paid_at: paid.paid_at,
            paid_on,
            amount: Money { minor: paid.minor, currency: Currency::parse(&paid.currency).unwrap() },
            category: paid.category.clone(),
            renewal_window_days: 40,
        });
        self.recorded.terms.push(Term { payment: reference, person, starts: paid_on, expires: paid_on, ended: None });
    }

    fn adjust(&mut self, account: Account, event_key: EventKey, transaction: String, kind: AdjustmentKind) {
        let payment = PaymentRef { account, transaction };
        let on = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC).date();
        self.recorded.adjustments.push(Adjustment { payment, event_key, kind, at: Timestamp::UNIX_EPOCH, on });
    }

    fn sign(&mut self, account: Account, document: String, email: &Email, signed_at: Timestamp) {
        let person = self.person(email);
        let expires = signed_at.to_zoned(TimeZone::UTC).date();
        self.recorded.documents.push(Document {
            reference: DocumentRef { account, document },
            waiver: Some(Waiver { person, signed_at, expires, category: None }),
            voided_at: None,
        });
    }
}

fn envelope() -> EnvelopeId {
    EnvelopeId::at(Timestamp::UNIX_EPOCH, [1; 10])
}

fn written(key: &Key) -> String {
    match key {
        Key::Named(key) => key.to_string(),
        Key::Unnamed(number) => format!("other:digest{number}"),
    }
}

/// Gives the records back through the port, a person a page.
pub struct FakeDatabase(pub Recorded);

fn not_played() -> StoreError {
    StoreError::Schema("the fake plays the reading side alone".to_owned())
}

#[async_trait]
impl Records for FakeDatabase {
    async fn person(&self, _: &Email) -> Result<Option<PersonRecords>, StoreError> {
        Err(not_played())
    }

    async fn members(&self, _: Option<u32>) -> Result<Vec<MemberRow>, StoreError> {
        Err(not_played())
    }

    async fn addresses(&self, _: &[PersonId]) -> Result<BTreeMap<PersonId, String>, StoreError> {
        Err(not_played())
    }

    async fn events(&self, _: &EventFilter) -> Result<Vec<EventRow>, StoreError> {
        Ok(self.0.events.clone())
    }

    async fn envelope(&self, _: EnvelopeId) -> Result<Option<Envelope>, StoreError> {
        Err(not_played())
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(FakeSnapshot(self.0.clone())))
    }

    async fn replay_events(&self, _: &EventFilter, _: Option<&ProcessorName>, _: bool) -> Result<u64, StoreError> {
        Err(not_played())
    }

    async fn prune_envelopes(&self, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Err(not_played())
    }
}

struct FakeSnapshot(Recorded);

#[async_trait]
impl Snapshot for FakeSnapshot {
    async fn checks(&mut self) -> Result<Vec<Check>, StoreError> {
        Err(not_played())
    }

    async fn people(&mut self, after: Option<PersonId>, _: u32) -> Result<State, StoreError> {
        let mut state = State::default();
        let later = self.0.people.iter().filter(|person| after.is_none_or(|after| person.id > after));
        let Some(person) = later.min_by_key(|person| person.id) else { return Ok(state) };
        state.add_person(person.clone());
        let payments = self.0.payments.iter().filter(|payment| payment.person == person.id);
        for payment in payments {
            state.add_payment(payment.clone());
            for adjustment in self.0.adjustments.iter().filter(|row| row.payment == payment.reference) {
                state.add_adjustment(adjustment.clone());
            }
        }
        for term in self.0.terms.iter().filter(|term| term.person == person.id) {
            state.add_term(term.clone());
        }
        let signed = |document: &&Document| document.waiver.as_ref().is_some_and(|waiver| waiver.person == person.id);
        for document in self.0.documents.iter().filter(signed) {
            state.add_document(document.clone());
        }
        Ok(state)
    }

    async fn outcomes(&mut self, _: &str) -> Result<Vec<(EventRow, Seen)>, StoreError> {
        Err(not_played())
    }
}

#[async_trait]
impl DeadLetters for FakeDatabase {
    async fn keep(&self, _: &[Kept]) -> Result<(), StoreError> {
        Err(not_played())
    }

    async fn dead_letters(&self, _: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(self.0.letters.clone())
    }

    async fn dead_letter_history(&self, _: i64) -> Result<Vec<DeadLetterFailure>, StoreError> {
        Err(not_played())
    }

    async fn dead_letter_groups(&self, _: &DeadLetterFilter) -> Result<Vec<DeadLetterGroup>, StoreError> {
        Err(not_played())
    }

    async fn replay(&self, _: &DeadLetterFilter, _: bool) -> Result<u64, StoreError> {
        Err(not_played())
    }

    async fn discard(&self, _: &DeadLetterFilter) -> Result<u64, StoreError> {
        Err(not_played())
    }

    async fn open_dead_letters(&self) -> Result<u64, StoreError> {
        Err(not_played())
    }
}
