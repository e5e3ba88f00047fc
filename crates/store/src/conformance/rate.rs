//! What a batch costs, in a small store and in a large one. Not a test: figures are for people, and
//! each adapter has an example that prints them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::date;
use rollbook_domain::{
    Change, Currency, Detail, DetailField, Email, Envelope, EnvelopeId, EventDigest, EventKey, FactKind, FactRef,
    Money, Outcome, Payment, PaymentRef, PersonId, Reads, Stamp, Term,
};

use crate::{Batch, Database, SettledEvent, StoreError};

const BATCH: u64 = 256;

/// Spreads numbers over the keys, as real transaction ids are spread.
fn spread(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn envelope(number: u64) -> Envelope {
    let mut random = [0; 10];
    random[..8].copy_from_slice(&number.to_be_bytes());
    let received_at = Timestamp::from_microsecond(1_740_000_000_000_000 + number.cast_signed()).unwrap_or_default();
    Envelope {
        id: EnvelopeId::at(received_at, random),
        source: "cybersource".into(),
        delivery_key: format!("delivery-{number}").into(),
        received_at,
        headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        trace: None,
        body: Bytes::from(vec![b'x'; 1_024]),
    }
}

fn email(number: u64) -> Email {
    Email::parse(&format!("m{:x}@example.org", spread(number))).expect("an address")
}

fn payment(number: u64) -> Payment {
    let transaction = format!("{:020}", spread(number));
    Payment {
        event_key: EventKey::captured(&transaction),
        reference: PaymentRef { account: "cybersource".into(), transaction },
        person: PersonId::of_first_address(&email(number)),
        paid_at: envelope(number).received_at,
        paid_on: date(2025, 2, 19),
        amount: Money { minor: 1_500, currency: Currency::parse("USD").expect("a currency") },
        category: "MU".to_owned(),
        renewal_window_days: 40,
    }
}

fn fact(number: u64) -> FactRef {
    let payment = payment(number);
    FactRef { account: payment.reference.account, key: payment.event_key }
}

/// The first payment of a new person.
fn joins(number: u64) -> SettledEvent {
    let (payment, fact) = (payment(number), fact(number));
    let person = payment.person;
    let stamp = Stamp { at: payment.paid_at, key: fact.key.clone() };
    let said =
        |field, value: String| Change::SetDetail { person, field, detail: Detail { value, stamp: stamp.clone() } };
    let (starts, expires) = (date(2025, 2, 19), date(2026, 2, 19));
    let term = Term { payment: payment.reference.clone(), person, starts, expires, ended: None };
    SettledEvent {
        source: "cybersource".into(),
        envelope: envelope(number).id,
        kind: FactKind::PaymentCaptured,
        occurred_at: payment.paid_at,
        digest: EventDigest::read("1:0123456789abcdef0123456789abcdef".to_owned()),
        outcome: Outcome::Applied,
        reason: None,
        changes: vec![
            Change::RegisterPerson { person, email: email(number) },
            said(DetailField::Name, format!("Member {number}")),
            said(DetailField::Address, email(number).as_str().to_owned()),
            said(DetailField::Category, "MU".to_owned()),
            Change::RecordPayment(payment),
            Change::SetTerm { term, was: None },
        ],
        redecided: false,
        fact,
    }
}

/// Of each batch.
#[derive(Default)]
struct Spent {
    load: Vec<Duration>,
    write: Vec<Duration>,
    commit: Vec<Duration>,
}

impl Spent {
    fn median_ms(spent: &mut [Duration]) -> f64 {
        spent.sort_unstable();
        spent.get(spent.len() / 2).map_or(0.0, |middle| middle.as_secs_f64() * 1_000.0)
    }
}

async fn one_batch(store: &dyn Database, first: u64, spent: &mut Spent) -> Result<(), StoreError> {
    let numbers = first..first + BATCH;
    let batch = Batch {
        processor: "membership".into(),
        rules: "rules-0123456789abcdef".to_owned(),
        processed_at: envelope(first).received_at,
        envelopes: numbers.clone().map(envelope).collect(),
        settled: numbers.clone().map(joins).collect(),
        duplicates: Vec::new(),
        settled_envelopes: Vec::new(),
        outgoing: Vec::new(),
        commands: Vec::new(),
    };
    let reads = Reads { people: numbers.clone().map(email).collect(), ..Reads::default() };
    let facts: BTreeSet<_> = numbers.map(fact).collect();

    let began = Instant::now();
    let mut tx = store.begin().await?;
    tx.seen(&batch.processor, &facts).await?;
    tx.load(&batch.processor, &reads).await?;
    let loaded = Instant::now();
    tx.write(&batch).await?;
    let written = Instant::now();
    tx.commit().await?;
    spent.load.push(loaded - began);
    spent.write.push(written - loaded);
    spent.commit.push(written.elapsed());
    Ok(())
}

/// The same, for people and facts that are there already: what a stream of duplicates costs.
async fn known(store: &dyn Database, among: u64) -> Result<f64, StoreError> {
    let mut spent = Vec::new();
    for round in 0..20 {
        let numbers: Vec<_> = (0..BATCH).map(|n| spread(round * BATCH + n) % among).collect();
        let facts = numbers.iter().map(|number| fact(*number)).collect();
        let reads = Reads { people: numbers.iter().map(|number| email(*number)).collect(), ..Reads::default() };
        let began = Instant::now();
        let mut tx = store.begin().await?;
        let seen = tx.seen(&"membership".into(), &facts).await?;
        let state = tx.load(&"membership".into(), &reads).await?;
        spent.push(began.elapsed());
        assert_eq!((seen.len(), state.people.len()), (facts.len(), facts.len()));
    }
    Ok(Spent::median_ms(&mut spent))
}

/// Fills an empty store with the first payments of `rows` people, and tells a heading and then a line
/// each tenth of the way: events a second, the medians of their parts, and what a batch costs that is
/// there already.
pub async fn rate(store: &dyn Database, rows: u64, mut tell: impl FnMut(String)) -> Result<(), StoreError> {
    let names = ["events/s", "load ms", "write ms", "commit ms", "reload ms"];
    tell(format!("{:>9}  {}", "records", names.map(|name| format!("{name:>9}")).join("  ")));
    let step = (rows / 10).max(BATCH).next_multiple_of(BATCH);
    let mut done = 0;
    while done < rows {
        let (began, mut spent) = (Instant::now(), Spent::default());
        let until = done + step;
        while done < until {
            one_batch(store, done, &mut spent).await?;
            done += BATCH;
        }
        let rate = u128::from(step) * 1_000 / began.elapsed().as_millis().max(1);
        let parts = [&mut spent.load, &mut spent.write, &mut spent.commit].map(|part| Spent::median_ms(part));
        let [load, write, commit] = parts;
        let reload = known(store, done).await?;
        tell(format!("{done:>9}  {rate:>9}  {load:>9.2}  {write:>9.2}  {commit:>9.2}  {reload:>9.2}"));
    }
    let began = Instant::now();
    let checks = store.snapshot().await?.checks().await?;
    assert!(checks.iter().all(|check| check.broken == 0));
    tell(format!("{} checks over {done} people in {} ms", checks.len(), began.elapsed().as_millis()));
    Ok(())
}
