//! Many workers, and workers of several processors, over the same rows.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use rollbook_domain::{Change, Document, FactRef, PersonId, ProcessorName, Reads, State, Waiver};
use rollbook_store::conformance::Harness as _;
use rollbook_store::{Batch, DeadLetters as _, Records as _, SettledEvent, Store as _, StoreError, Tx};
use rollbook_store_postgres::PostgresStore;
use tokio::sync::Barrier;

use super::sample::{batch, document_ref, email, envelope, event, letter, membership, newcomer, voids, waiver};
use super::{World, make};

fn address(number: usize) -> String {
    format!("member-{number}@example.org")
}

fn people(numbers: impl IntoIterator<Item = usize>) -> Reads {
    Reads { people: numbers.into_iter().map(|number| email(&address(number))).collect(), ..Reads::default() }
}

/// An event about each of these members, who registers there if nobody has come before.
fn about(processor: &ProcessorName, numbers: &[usize], state: &State) -> Batch {
    let told = |number: &usize| {
        let key = format!("{}:{number}", processor.as_str());
        let known = state.person(&email(&address(*number))).is_some();
        if known { event(&key, Vec::new()) } else { newcomer(&address(*number), &key) }
    };
    let mut batch = batch(processor.clone(), numbers.iter().map(told).collect());
    batch.envelopes = numbers.iter().map(|number| envelope(u128::try_from(*number).expect("a number"))).collect();
    batch
}

/// Loads, decides, writes; after a conflict once more from the start. A deadlock that PostgreSQL
/// had to end would be a conflict, too: none is expected.
async fn work(store: &PostgresStore, processor: ProcessorName, numbers: Vec<usize>) {
    work_together(store, processor, numbers, &Barrier::new(1)).await;
}

/// The first attempts of all who share the barrier write at the same moment.
async fn work_together(store: &PostgresStore, processor: ProcessorName, numbers: Vec<usize>, start: &Barrier) {
    let alone = Barrier::new(1);
    for turn in 0..50 {
        let start = if turn == 0 { start } else { &alone };
        match attempt(store, &processor, &numbers, start).await {
            Ok(()) => return,
            Err(StoreError::Conflict(source)) => assert!(!source.to_string().contains("40P01"), "{source}"),
            Err(error) => panic!("neither settled nor a conflict: {error:?}, {:?}", error.source()),
        }
    }
    panic!("fifty conflicts in a row");
}

async fn attempt(
    store: &PostgresStore,
    processor: &ProcessorName,
    numbers: &[usize],
    start: &Barrier,
) -> Result<(), StoreError> {
    let mut tx = store.begin().await?;
    let fact =
        |number: &usize| FactRef { account: "club".into(), key: format!("{}:{number}", processor.as_str()).into() };
    let facts: BTreeSet<_> = numbers.iter().map(fact).collect();
    let seen = tx.seen(processor, &facts).await?;
    let fresh: Vec<_> = numbers.iter().copied().filter(|number| !seen.contains_key(&fact(number))).collect();
    let state = tx.load(processor, &people(fresh.clone())).await?;
    let batch = about(processor, &fresh, &state);
    start.wait().await;
    tx.write(&batch).await?;
    tx.commit().await
}

async fn nothing_is_broken(world: &World) {
    let checks = world.store().snapshot().await.expect("checked").checks().await.expect("checked");
    // These people have neither paid nor signed; that is not what is shown here.
    let broken: Vec<_> =
        checks.iter().filter(|check| check.broken > 0 && check.name != "people_have_an_effect").collect();
    assert!(broken.is_empty(), "{broken:?}");
}

/// The same people in another order for each worker: circles wherever there is no common order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_in_any_order_do_not_deadlock() {
    let world = make().await;
    for round in 0..10 {
        let start = Arc::new(Barrier::new(8));
        let workers = (0..8).map(|worker| {
            let (store, start) = (world.store.clone(), start.clone());
            let processor = if worker % 2 == 0 { membership() } else { waiver() };
            // 101 is prime: every step visits each member once.
            let numbers = (0..101).map(|turn| round * 101 + (turn * (worker / 2 * 7 + 1) + worker * 9) % 101).collect();
            tokio::spawn(async move { work_together(&store, processor, numbers, &start).await })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
    }
    assert_eq!(world.store.members(None).await.unwrap().len(), 1_010);
    nothing_is_broken(&world).await;
}

/// Two processors, one new person, one event each: the smallest race, many times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processors_make_one_person() {
    let world = make().await;
    for number in 0..200 {
        let (one, two) = (world.store.clone(), world.store.clone());
        let one = tokio::spawn(async move { work(&one, membership(), vec![number]).await });
        let two = tokio::spawn(async move { work(&two, waiver(), vec![number]).await });
        one.await.unwrap();
        two.await.unwrap();
    }
    assert_eq!(world.store.members(None).await.unwrap().len(), 200);
    nothing_is_broken(&world).await;
}

/// An envelope goes to every processor, and the batches of two need not be alike.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_envelopes_in_any_order_do_not_deadlock() {
    let world = make().await;
    for round in 0..10_u128 {
        let start = Arc::new(Barrier::new(4));
        let workers = (0..4_u128).map(|worker| {
            let (store, start) = (world.store.clone(), start.clone());
            let mut work = batch(waiver(), Vec::new());
            work.envelopes =
                (0..101).map(|turn| envelope(round * 101 + (turn * (worker + 1) + worker * 25) % 101)).collect();
            tokio::spawn(async move {
                let mut tx = store.begin().await?;
                start.wait().await;
                tx.write(&work).await?;
                tx.commit().await
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap().unwrap();
        }
    }
}

async fn load(tx: &mut dyn Tx, reads: &Reads) -> State {
    tx.load(&waiver(), reads).await.expect("loaded")
}

fn documents() -> Reads {
    Reads { documents: [document_ref("d")].into(), ..Reads::default() }
}

fn completed(store_has: Option<&Document>) -> SettledEvent {
    let ada = PersonId::of_first_address(&email("ada@example.org"));
    let waiver = Waiver { person: ada, signed_at: Timestamp::UNIX_EPOCH, expires: date(1971, 1, 1), category: None };
    let voided_at = store_has.and_then(|document| document.voided_at);
    let change = Document { reference: document_ref("d"), waiver: Some(waiver), voided_at };
    let mut signed = newcomer("ada@example.org", "completed");
    signed.kind = rollbook_domain::FactKind::DocumentCompleted;
    signed.changes.push(Change::SetDocument(change));
    signed
}

fn voided(store_has: Option<&Document>) -> SettledEvent {
    let waiver = store_has.and_then(|document| document.waiver.clone());
    voids(Document { reference: document_ref("d"), waiver, voided_at: Some(Timestamp::UNIX_EPOCH) }, "voided")
}

/// Both found no document; an upsert of the second would undo the first.
#[tokio::test]
async fn a_completion_and_a_void_of_one_unknown_document_both_stand() {
    for completed_first in [true, false] {
        let world = make().await;
        let decide = |first: bool, document: Option<&Document>| {
            if first == completed_first { completed(document) } else { voided(document) }
        };
        let (mut first, mut second) = (world.store.begin().await.unwrap(), world.store.begin().await.unwrap());
        assert!(load(&mut *first, &documents()).await.documents.is_empty());
        assert!(load(&mut *second, &documents()).await.documents.is_empty());
        first.write(&batch(waiver(), vec![decide(true, None)])).await.unwrap();
        first.commit().await.unwrap();
        let lost = second.write(&batch(waiver(), vec![decide(false, None)])).await;
        assert!(matches!(lost, Err(StoreError::Conflict(_))), "{lost:?}");
        drop(second);

        let mut again = world.store.begin().await.unwrap();
        let state = load(&mut *again, &documents()).await;
        again.write(&batch(waiver(), vec![decide(false, state.documents.get(&document_ref("d")))])).await.unwrap();
        // What this transaction inserted or changed it may change again.
        let state = load(&mut *again, &documents()).await;
        let document = &state.documents[&document_ref("d")];
        assert!(document.waiver.is_some() && document.voided_at.is_some(), "{document:?}");
        again.commit().await.unwrap();
        nothing_is_broken(&world).await;
    }
}

/// Whoever loads a person that another worker has loaded waits, and then sees what that one wrote.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loaded_person_is_locked() {
    let world = make().await;
    work(&world.store, membership(), vec![1]).await;
    let mut first = world.store.begin().await.unwrap();
    first.load(&membership(), &people([1])).await.unwrap();
    let store = world.store.clone();
    let second = tokio::spawn(async move {
        let mut tx = store.begin().await.unwrap();
        tx.load(&waiver(), &people([1])).await.unwrap()
    });
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut stranger = world.fresh.connect().await;
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut stranger).await.unwrap() == 0 {
        assert!(!second.is_finished(), "it did not wait");
    }
    let ada = PersonId::of_first_address(&email(&address(1)));
    let stamp = rollbook_domain::Stamp { at: Timestamp::UNIX_EPOCH, key: "named".into() };
    let detail = rollbook_domain::Detail { value: "Ada".to_owned(), stamp };
    let naming = Change::SetDetail { person: ada, field: rollbook_domain::DetailField::Name, detail };
    first.write(&batch(membership(), vec![event("named", vec![naming])])).await.unwrap();
    first.commit().await.unwrap();
    let seen = second.await.unwrap();
    assert_eq!(seen.people[&ada].name.as_ref().map(|name| name.value.as_str()), Some("Ada"));
}

/// A letter is kept while its fact is settled: whichever comes first, it does not stay open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_letter_kept_while_its_fact_is_settled_is_resolved() {
    let world = make().await;
    for number in 0..100 {
        let (keeper, worker) = (world.store.clone(), world.store.clone());
        let keeper =
            tokio::spawn(async move { keeper.keep(&[letter(&format!("membership:{number}"))]).await.unwrap() });
        let worker = tokio::spawn(async move { work(&worker, membership(), vec![number]).await });
        keeper.await.unwrap();
        worker.await.unwrap();
    }
    assert_eq!(world.store.open_dead_letters().await.unwrap(), 0);
    nothing_is_broken(&world).await;
}

/// What a keeper, operators and pruning do at once, beside workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keepers_and_operators_do_not_deadlock() {
    let world = make().await;
    let all = rollbook_store::DeadLetterFilter::default;
    let tasks = (0..8).map(|task| {
        let store = world.store.clone();
        tokio::spawn(async move {
            for round in 0..10 {
                let letters: Vec<_> =
                    (0..20).map(|turn| letter(&format!("membership:{}", (turn * (task + 1)) % 20))).collect();
                match task % 4 {
                    0 => store.keep(&letters).await.map(drop),
                    1 => store.replay(&all(), false).await.map(drop),
                    2 => store.prune_envelopes(Timestamp::MAX, 5).await.map(drop),
                    _ => attempt(&store, &membership(), &[round * 2, round * 2 + 1], &Barrier::new(1)).await,
                }
                .or_else(|error| match error {
                    StoreError::Conflict(source) if !source.to_string().contains("40P01") => Ok(()),
                    other => Err(other),
                })
                .unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    nothing_is_broken(&world).await;
}
