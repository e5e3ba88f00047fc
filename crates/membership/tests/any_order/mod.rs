//! The promise: duplicated, reordered, batched in any way and replayed any number of times, the
//! callbacks of a history end in the same records as in order.
//!
//! Both processors run over one set of records, because they share the people. Two kinds of story
//! are left out, since arrival decides in them by nature: two messages of one fact that contradict
//! each other, and a document completed after it was voided (see the waiver crate).

mod history;
mod records;

use history::{History, history};
use proptest::prelude::*;
use proptest::test_runner::Config;
use records::Records;
use rollbook_domain::Event;

/// Which event is delivered, and whether by an operator who wants it decided again.
type Schedule = Vec<(usize, bool)>;

/// Every event at least once, any of them more often, in any order.
fn schedule(events: usize) -> impl Strategy<Value = Schedule> {
    prop::collection::vec((0..events, any::<bool>()), 0..=events)
        .prop_map(move |again| (0..events).map(|event| (event, false)).chain(again).collect::<Schedule>())
        .prop_shuffle()
}

fn delivered() -> impl Strategy<Value = (History, [Schedule; 2], Vec<usize>)> {
    history().prop_flat_map(|history| {
        let events = history.events().len();
        let schedules = [schedule(events), schedule(events)];
        (Just(history), schedules, prop::collection::vec(1..9_usize, 1..5))
    })
}

/// One message after another by the provider's clock, each settled before the next.
fn in_order(events: &[Event]) -> Records {
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.occurred_at);
    let mut records = Records::new();
    for event in &events {
        records.deliver_to_both(&[(event.clone(), false)]);
    }
    records.settle(&events);
    records
}

/// Each processor drains its own queue, a batch at a time, now one and now the other.
fn as_scheduled(events: &[Event], schedules: &[Schedule; 2], batches: &[usize]) -> Records {
    let mut records = Records::new();
    let mut queues = schedules.clone().map(Vec::into_iter);
    let mut sizes = batches.iter().copied().cycle();
    loop {
        let mut idle = true;
        for (processor, queue) in queues.iter_mut().enumerate() {
            let size = sizes.next().unwrap_or(1);
            let batch: Vec<_> =
                queue.by_ref().take(size).map(|(event, redecide)| (events[event].clone(), redecide)).collect();
            idle &= batch.is_empty();
            records.deliver(processor, &batch);
        }
        if idle {
            break;
        }
    }
    records.settle(events);
    records
}

proptest! {
    #![proptest_config(Config { cases: 256, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_delivery_of_a_history_ends_in_the_same_records((history, schedules, batches) in delivered()) {
        let events = history.events();
        let expected = in_order(&events);
        let found = as_scheduled(&events, &schedules, &batches);
        prop_assert_eq!(found.outcomes(), expected.outcomes());
        prop_assert_eq!(found.sorted(), expected.sorted());
    }

    #[test]
    fn a_replay_of_everything_changes_nothing((history, schedules, batches) in delivered()) {
        let events = history.events();
        let mut records = in_order(&events);
        let before = records.clone();
        for (processor, schedule) in schedules.iter().enumerate() {
            for batch in schedule.chunks(batches[0]) {
                let batch: Vec<_> = batch.iter().map(|(event, redecide)| (events[*event].clone(), *redecide)).collect();
                records.deliver(processor, &batch);
            }
        }
        prop_assert_eq!(records, before);
    }

    #[test]
    fn every_applied_event_has_its_effect_once((history, schedules, batches) in delivered()) {
        let events = history.events();
        let records = as_scheduled(&events, &schedules, &batches);
        records.check_effects(&events);
    }
}

/// The generator is worth something only if its histories hold what the rules are about.
#[test]
fn the_histories_are_not_dull() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut seen = records::Sights::default();
    for _ in 0..400 {
        let history = history().new_tree(&mut runner).expect("a history").current();
        seen.look(&in_order(&history.events()));
    }
    assert!(seen.renewals_kept_days > 20, "{seen:?}");
    assert!(seen.ended > 50 && seen.partly_refunded > 50, "{seen:?}");
    assert!(seen.waivers > 100 && seen.voided > 50, "{seen:?}");
    assert!(seen.ignored > 100 && seen.members_with_both > 100, "{seen:?}");
}

/// Two workers, a payment and a waiver of somebody new at the same moment.
#[test]
fn whoever_comes_first_a_new_person_is_one_person() {
    let events = history::a_payment_and_a_waiver_at_once();
    let found = [[0, 1], [1, 0]].map(|order| {
        let mut records = Records::new();
        for event in order {
            records.deliver_to_both(&[(events[event].clone(), false)]);
        }
        records.check_effects(&events);
        assert_eq!(records.sorted().people.len(), 1);
        records.sorted()
    });
    assert_eq!(found[0], found[1]);
}
