//! The world of the tests: a provider and a processor whose behaviour is written in the body of a
//! callback, and a queue and a store in memory that fail on command.

mod queue;
mod store;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rollbook_domain::{
    Account, Adjustment, AdjustmentKind, Amount, Announcement, Capture, Change, Currency, Decision, Earning, Email,
    Envelope, EnvelopeId, Event, EventKey, Fact, FactKind, FactRef, Fault, Money, Owner, Payment, PaymentRef, PersonId,
    Processor, Rate, Reads, Reason, Refund, SourceName, State, reasons,
};
use rollbook_providers::{Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault};
use rollbook_queue::Delivery;
use rollbook_telemetry::Metrics;
use uuid::Uuid;

pub(crate) use self::queue::FakeQueue;
pub(crate) use self::store::{FakeStore, Script};
use crate::{Context, InFlight, Options, RetrySchedule, Source, Sources};

pub(crate) fn noon() -> Timestamp {
    "2025-03-01T12:00:00Z".parse().unwrap()
}

/// Its delivery key is `delivery <body>`, its id follows from source and body.
pub(crate) fn envelope(source: &str, body: &str) -> Envelope {
    Envelope {
        id: EnvelopeId(Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{source} {body}").as_bytes())),
        source: SourceName::new(source),
        delivery_key: format!("delivery {body}").into(),
        received_at: noon(),
        headers: Vec::new(),
        trace: None,
        body: body.to_owned().into(),
    }
}

pub(crate) fn delivery(tag: u64, body: &str) -> Delivery {
    Delivery {
        tag: rollbook_queue::DeliveryTag(tag),
        envelope: envelope("shop", body),
        attempts: 0,
        redeliveries: 0,
        redecide: false,
        failure: None,
    }
}

/// `name` is a captured payment of that transaction, `name=20` one of 20.00 USD,
/// `refund-name` the refund of it.
pub(crate) fn event(word: &str) -> Event {
    let (name, amount) = word.split_once('=').unwrap_or((word, "15"));
    let (key, fact) = match name.strip_prefix("refund-") {
        Some(paid) => {
            let cumulative = Money { minor: 1500, currency: Currency::parse("USD").unwrap() };
            let refund = Refund { transaction: paid.to_owned(), cumulative };
            (EventKey::refunded(paid, 1500), Fact::PaymentRefunded(refund))
        }
        None => (EventKey::captured(name), Fact::PaymentCaptured(capture(name, amount))),
    };
    Event { key, account: Account::new("merchant"), source: SourceName::new("shop"), occurred_at: noon(), fact }
}

fn capture(name: &str, amount: &str) -> Capture {
    Capture {
        transaction: name.to_owned(),
        amount: Amount::decimal(Some(amount), Some("USD")),
        authorised: None,
        purpose: None,
        category: None,
        email: None,
        name: None,
        points_group: None,
    }
}

/// Reads a body as words, each an [`event`].
struct FakeProvider;

impl Provider for FakeProvider {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn yields(&self) -> &'static [FactKind] {
        &[FactKind::PaymentCaptured, FactKind::PaymentRefunded]
    }

    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    fn keys(&self, _: &[Secret]) -> Result<Keys, KeyFault> {
        Err(KeyFault::None)
    }

    fn verify(&self, _: &Keys, _: &Request<'_>, _: Timestamp) -> Result<(), SignatureFault> {
        Err(SignatureFault::Missing)
    }

    fn delivery_key(&self, _: &Request<'_>) -> Option<String> {
        None
    }

    fn translate(&self, _: &Fields, _: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault> {
        let body = std::str::from_utf8(&envelope.body).unwrap();
        assert_ne!(body, "translator-panic", "on purpose");
        if body == "garbage" {
            return Err(TranslateFault { reason: reasons::UNPARSEABLE, detail: "no words".to_owned() });
        }
        Ok(body.split_whitespace().map(event).collect())
    }

    fn sign(&self, _: &Secret, _: &[u8], _: &str, _: Timestamp) -> Result<Signed, KeyFault> {
        Err(KeyFault::None)
    }
}

pub(crate) fn sources() -> Sources {
    let source = Source { provider: &FakeProvider, account: Account::new("merchant"), fields: Fields::default() };
    Sources::new(HashMap::from([(SourceName::new("shop"), source)]))
}

/// Records payments, except those whose name begins with what else is to happen.
#[derive(Default)]
pub(crate) struct FakeProcessor {
    /// Applies what it ignored before.
    pub mended: AtomicBool,
    pub decided: AtomicU32,
}

impl Processor for FakeProcessor {
    fn name(&self) -> &'static str {
        "membership"
    }

    fn wants(&self) -> &'static [FactKind] {
        &[FactKind::PaymentCaptured, FactKind::PaymentRefunded]
    }

    fn reads(&self, event: &Event) -> Reads {
        let transaction = transaction(event);
        assert!(!transaction.starts_with("reads-panic"), "on purpose");
        Reads { payments: BTreeSet::from([reference(transaction)]), ..Reads::default() }
    }

    fn decide(&self, event: &Event, state: &State) -> Decision {
        self.decided.fetch_add(1, Ordering::SeqCst);
        let transaction = transaction(event);
        if let Fact::PaymentRefunded(refund) = &event.fact {
            return refunded(event, refund, state);
        }
        match transaction.split('-').next().unwrap() {
            "ignore" if !self.mended.load(Ordering::SeqCst) => Decision::Ignore(Reason::new("not_a_membership")),
            "reject" => Decision::Reject(Reason::new("lawful_no")),
            "fail" => Decision::Fail(fault("wrong_amount")),
            "panic" => panic!("on purpose"),
            "join" => Decision::Apply(joined(event, transaction)),
            "earn" => Decision::Apply(vec![paid(event, transaction), earned(event)]),
            _ => Decision::Apply(vec![paid(event, transaction)]),
        }
    }
}

fn refunded(event: &Event, refund: &Refund, state: &State) -> Decision {
    let payment = reference(&refund.transaction);
    if !state.payments.contains_key(&payment) {
        return Decision::Defer(fault("payment_unknown"));
    }
    let kind = AdjustmentKind::Refunded { cumulative_minor: refund.cumulative.minor };
    let on = jiff::civil::date(2025, 3, 1);
    let adjustment = Adjustment { payment, event_key: event.key.clone(), kind, at: event.occurred_at, on };
    Decision::Apply(vec![Change::AdjustPayment(adjustment)])
}

fn joined(event: &Event, transaction: &str) -> Vec<Change> {
    let email = Email::parse(&format!("{transaction}@example.org")).unwrap();
    let person = PersonId::of_first_address(&email);
    let emit = Change::Emit(Announcement::MemberRegistered { person });
    vec![Change::RegisterPerson { person, email }, paid(event, transaction), emit]
}

fn paid(event: &Event, transaction: &str) -> Change {
    Change::RecordPayment(Payment {
        reference: reference(transaction),
        event_key: event.key.clone(),
        person: PersonId(Uuid::nil()),
        paid_at: event.occurred_at,
        paid_on: jiff::civil::date(2025, 3, 1),
        amount: Money { minor: 1500, currency: Currency::parse("USD").unwrap() },
        category: "MU".to_owned(),
        renewal_window_days: 40,
    })
}

/// A point a cent.
fn earned(event: &Event) -> Change {
    let Fact::PaymentCaptured(capture) = &event.fact else { panic!("unwanted: {event:?}") };
    let points = capture.amount.money.unwrap().minor;
    let fact = FactRef { account: event.account.clone(), key: event.key.clone() };
    Change::Earn(Box::new(Earning {
        of: fact.clone(),
        fact,
        rule: "a point a cent".to_owned(),
        owner: Owner::Person(PersonId(Uuid::nil())),
        paid: None,
        rate: Rate::Award { points },
        capped: None,
        earned: points,
        moved: points,
        at: event.occurred_at,
        expires_at: None,
    }))
}

fn fault(reason: &'static str) -> Fault {
    Fault { reason: Reason::new(reason), detail: String::new(), amount: None }
}

fn transaction(event: &Event) -> &str {
    match &event.fact {
        Fact::PaymentCaptured(capture) => &capture.transaction,
        Fact::PaymentRefunded(refund) => &refund.transaction,
        other => panic!("unwanted: {other:?}"),
    }
}

pub(crate) fn reference(transaction: &str) -> PaymentRef {
    PaymentRef { account: Account::new("merchant"), transaction: transaction.to_owned() }
}

/// Retries after 1 s and 10 s without jitter; membership's announcements go to `points`.
pub(crate) fn context() -> Context {
    Context {
        sources: sources(),
        schedule: RetrySchedule::new(vec![Duration::from_secs(1), Duration::from_secs(10)]),
        metrics: Arc::new(Metrics::new("0").unwrap()),
        clock: Arc::new(noon),
        random: Arc::new(|| 200),
        rules: "rules".to_owned(),
        subscribers: HashMap::from([(FactKind::MemberRegistered, vec!["points".into()])]),
        options: Options::default(),
        in_flight: InFlight::default(),
    }
}
