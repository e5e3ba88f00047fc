//! The promise of `crates/points/tests/points/any_order.rs` on a real store, by real workers: several at
//! once, in batches of any size, in any order, with repetitions and a crash, come to what the
//! processor comes to in memory, one event after another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rollbook_domain::{
    Account, Earning, Envelope, EnvelopeId, Event, Fact, FactKind, GroupId, Owner, PaymentRef, ProcessorName, Reads,
    Scope, SourceName,
};
use rollbook_ledger::{Actor, Asset, Command, Due, Lot, Role};
use rollbook_points::{Lifetime, Points, Rules};
use rollbook_providers::{Fields, KeyFault, Keys, Provider, Request, Secret, SignatureFault, Signed, TranslateFault};
use rollbook_queue::{DEAD_LETTERS, MemoryQueue, Message, Queue as _, QueueDepth};
use rollbook_store::{ChangeId, Database, EventFilter, GroupChange, GroupOrder, Said, Store};
use rollbook_tests::Records;
use rollbook_worker::{Context, InFlight, Options, RetrySchedule, Source, Sources, run_processor};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::history::history;
use super::world::{World, every_kind, instant, owner, person};

const ADA: &str = "ada@example.org";
const BEA: &str = "bea@example.org";
const CLEO: &str = "cleo@example.org";
const WORKERS: usize = 3;

/// Says the event whose number it reads.
struct Teller(Vec<Event>);

impl Provider for Teller {
    fn name(&self) -> &'static str {
        "teller"
    }

    fn yields(&self) -> &'static [FactKind] {
        &[]
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
        let number: usize = std::str::from_utf8(&envelope.body).unwrap().parse().unwrap();
        Ok(vec![self.0[number].clone()])
    }

    fn sign(&self, _: &Secret, _: &[u8], _: &str, _: Timestamp) -> Result<Signed, KeyFault> {
        Err(KeyFault::None)
    }
}

fn points() -> ProcessorName {
    "points".into()
}

fn household() -> GroupId {
    GroupId(Uuid::from_u128(0x6006))
}

/// Until then Bea belonged to the household.
fn bea_left() -> Timestamp {
    instant("2019-01-20T00:00:00Z")
}

/// Several histories at once, of the same people and different merchants. Some payments are for the household.
fn drawn(random: &mut fastrand::Rng) -> Vec<Event> {
    let seed: Vec<u8> = (0..16).map(|_| random.u8(..)).collect();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::XorShift, &seed));
    let mut events = Vec::new();
    for number in 0..8 {
        for event in history().new_tree(&mut runner).unwrap().current().events() {
            let account = Account::new(format!("{}-{number}", event.account));
            let mut event = Event { account, ..event.clone() };
            if let Fact::PaymentCaptured(capture) = &mut event.fact {
                let payer = capture.email.as_deref().map(person);
                let member =
                    payer == Some(person(ADA)) || (payer == Some(person(BEA)) && event.occurred_at < bea_left());
                capture.points_group = (member && random.u8(..4) == 0).then(|| household().to_string());
            }
            events.push(event);
        }
    }
    events
}

/// One event after another, as they happened.
fn in_memory(points: &Points, events: &[Event]) -> World {
    let mut world = World::new();
    world.records.group_members.insert((household(), person(ADA)), None);
    world.records.group_members.insert((household(), person(BEA)), Some(bea_left()));
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.occurred_at);
    for _ in 0..3 {
        for event in &events {
            world.deliver(points, &[(event.clone(), false)]);
        }
    }
    world
}

fn context(events: &'static Teller, batch_max: usize) -> Arc<Context> {
    let source = Source { provider: events, account: "unused".into(), fields: Fields::default() };
    Arc::new(Context {
        sources: Sources::new(HashMap::from([(SourceName::new("teller"), source)])),
        schedule: RetrySchedule::new(vec![Duration::from_millis(20); 2000]),
        metrics: Arc::new(rollbook_telemetry::Metrics::new("0").unwrap()),
        clock: Arc::new(Timestamp::now),
        random: Arc::new(|| fastrand::u64(..)),
        rules: "rules".to_owned(),
        subscribers: HashMap::new(),
        options: Options { batch_max, receive_wait: Duration::from_millis(20), ..Options::default() },
        in_flight: InFlight::default(),
    })
}

fn envelope(id: usize, event: usize) -> Envelope {
    Envelope {
        id: EnvelopeId(Uuid::from_u128(id as u128)),
        source: "teller".into(),
        delivery_key: format!("{id}").as_str().into(),
        received_at: Timestamp::now(),
        headers: Vec::new(),
        trace: None,
        body: event.to_string().into(),
    }
}

/// Everything at least once, some of it more often, in any order.
async fn publish(queue: &MemoryQueue, events: usize, random: &mut fastrand::Rng) {
    let mut schedule: Vec<_> = (0..events).map(|event| (event, false)).collect();
    schedule.extend((0..events / 2).map(|_| (random.usize(..events), random.bool())));
    random.shuffle(&mut schedule);
    for (turn, (event, redecide)) in schedule.into_iter().enumerate() {
        let id = if random.bool() { event } else { events + turn };
        let message = Message { envelope: envelope(id, event), to: vec![points()], redecide };
        queue.publisher().publish(message).await.unwrap();
    }
}

fn left(depth: &QueueDepth) -> u64 {
    depth.ready + depth.in_flight + depth.retrying
}

/// Waits until no more than `most` deliveries are unsettled.
async fn until_left(queue: &MemoryQueue, most: u64) {
    let started = std::time::Instant::now();
    loop {
        let depth = &queue.depths(&[points()]).await.unwrap()[0];
        if left(depth) <= most {
            return;
        }
        assert!(started.elapsed() < Duration::from_mins(1), "it does not get done: {depth:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Ada joins the household while payments for it are waiting, and half-way all workers crash.
async fn by_workers(store: &Arc<dyn Database>, rules: &Points, events: Vec<Event>, random: &mut fastrand::Rng) {
    let queue = MemoryQueue::new(Arc::new(Timestamp::now));
    publish(&queue, events.len(), random).await;
    let all = u64::try_from(events.len()).unwrap();
    let told: &'static Teller = Box::leak(Box::new(Teller(events)));
    let stop = CancellationToken::new();
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (processor, queue) = (Arc::new(rules.clone()), Arc::new(queue.clone()));
            let context = context(told, random.usize(1..12));
            tokio::spawn(run_processor(processor, queue, Arc::clone(store) as Arc<dyn Store>, context, stop.clone()))
        })
        .collect();
    until_left(&queue, all).await;
    queue.crash();
    let joins = GroupOrder::Join { group: household(), person: person(ADA), role: Role::Viewer };
    change(&**store, &joins, 4, founded()).await;
    until_left(&queue, 0).await;
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    let dead = queue.depths(&[DEAD_LETTERS.into()]).await.unwrap();
    assert_eq!(left(&dead[0]), 0, "dead letters");
}

async fn found_household(store: &dyn Database) {
    let (group, bea) = (household(), person(BEA));
    let create = GroupOrder::Create { name: "Household".to_owned(), owner: Some(person(CLEO)) };
    change(store, &create, group.0.as_u128(), founded()).await;
    change(store, &GroupOrder::Join { group, person: bea, role: Role::Spender }, 2, founded()).await;
    change(store, &GroupOrder::Leave { group, person: bea }, 3, bea_left()).await;
}

fn founded() -> Timestamp {
    instant("2018-01-01T00:00:00Z")
}

async fn change(store: &dyn Database, order: &GroupOrder, id: u128, at: Timestamp) {
    let said = Said::new(ChangeId(Uuid::from_u128(id)), at, Actor::System);
    assert_eq!(store.change_group(order, &said).await.unwrap().0, GroupChange::Done);
}

fn owners() -> [Owner; 4] {
    [owner(ADA), owner(BEA), owner(CLEO), Owner::Group(household())]
}

/// By date of expiry, and what they owe.
type Holding = (BTreeMap<Option<Timestamp>, i64>, i64);

async fn holding(store: &dyn Database, owner: Owner) -> Holding {
    let standing = store.standing(Asset::Points, owner).await.unwrap();
    let mut dated = BTreeMap::new();
    for Lot { expires_at, remaining, .. } in store.open_lots(Asset::Points, Some(owner), None, 10_000).await.unwrap() {
        *dated.entry(Some(expires_at)).or_default() += remaining;
    }
    let undated = standing.sums.posted - dated.values().sum::<i64>();
    if undated != 0 {
        dated.insert(None, undated);
    }
    (dated, standing.owed)
}

type Sums = BTreeMap<(Owner, String, Option<Scope>), (i64, i64)>;

/// What payments and caps brought; nobody can ask for the rest.
fn sums(earnings: impl IntoIterator<Item = Earning>) -> Sums {
    let mut sums = Sums::new();
    for earning in earnings.into_iter().filter(|earning| earning.paid.is_some() || earning.capped.is_some()) {
        let sum = sums.entry((earning.owner, earning.rule.clone(), earning.scope())).or_default();
        *sum = (sum.0 + earning.earned, sum.1 + earning.moved);
    }
    sums
}

async fn recorded(store: &dyn Database, world: &World) -> Sums {
    let all = || world.records.earnings.values();
    let payments = all().filter_map(|earning| Some(earning.paid.as_ref()?.payment.clone()));
    let earned_by: std::collections::BTreeSet<PaymentRef> = payments.collect();
    let reads = Reads { earned_by, scopes: all().filter_map(Earning::scope).collect(), ..Reads::default() };
    let mut tx = store.begin().await.unwrap();
    sums(tx.load(&points(), &reads).await.unwrap().earnings.into_values())
}

async fn outcomes(store: &dyn Database) -> Vec<(String, String)> {
    let rows = store.events(&EventFilter::default()).await.unwrap();
    let mut outcomes: Vec<_> = rows.into_iter().map(|row| (row.event_key, row.outcome)).collect();
    outcomes.sort();
    outcomes
}

fn outcomes_in_memory(world: &World) -> Vec<(String, String)> {
    let outcomes = world.records.outcomes.iter();
    let mut outcomes: Vec<_> =
        outcomes.map(|(fact, seen)| (fact.key.to_string(), seen.outcome.as_str().to_owned())).collect();
    outcomes.sort();
    outcomes
}

async fn nothing_is_broken(store: &dyn Database) {
    let checks = store.snapshot().await.unwrap().checks().await.unwrap();
    let broken: Vec<_> = checks.iter().filter(|check| check.broken > 0).collect();
    assert!(broken.is_empty(), "{broken:?}");
}

/// Everything that is due by then expires, on both sides.
async fn sweep(store: &dyn Database, world: &mut World, by: Timestamp) {
    loop {
        let due = store.due(by, 500).await.unwrap();
        if due.is_empty() {
            break;
        }
        let commands: Vec<_> = due.into_iter().map(|due| Command::expiring(due, by)).collect();
        store.execute(&commands, by).await.unwrap();
    }
    let due = world.ledger.rows.lots.iter().filter(|lot| lot.expires_at <= by && lot.free() > 0);
    let commands: Vec<_> = due.map(|lot| Command::expiring(Due::Lot(lot.id), by)).collect();
    world.ledger.run(&commands);
}

/// Points by every kind of rule, that live for ever or expire.
fn every_club() -> [Points; 3] {
    [None, Some(Lifetime::Days(45)), Some(Lifetime::Months(9))]
        .map(|expire_after| Points::new(Rules { expire_after, ..every_kind().rules().clone() }))
}

/// Prints the seed, to be put here in its place when it finds something.
fn seeded() -> fastrand::Rng {
    let seed = fastrand::u64(..);
    eprintln!("seed {seed}");
    fastrand::Rng::with_seed(seed)
}

/// Some points are expired by the time they are taken back, some when they are given.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_come_to_what_one_after_another_would() {
    let mut random = seeded();
    for rules in every_club() {
        let records = Records::new().await;
        let store = &records.store;
        found_household(&**store).await;
        let events = drawn(&mut random);
        let mut expected = in_memory(&rules, &events);
        by_workers(store, &rules, events, &mut random).await;
        nothing_is_broken(&**store).await;
        assert_eq!(outcomes(&**store).await, outcomes_in_memory(&expected));
        let (found, wanted) = (recorded(&**store, &expected).await, sums(expected.records.earnings.values().cloned()));
        for (what, sums) in &wanted {
            assert_eq!(found.get(what), Some(sums), "{what:?}");
        }
        sweep(&**store, &mut expected, instant("2020-06-01T00:00:00Z")).await;
        for owner in owners() {
            let expected = expected.holdings().remove(&owner).unwrap_or_default();
            assert_eq!(holding(&**store, owner).await, expected, "{owner:?}");
        }
        nothing_is_broken(&**store).await;
    }
}
