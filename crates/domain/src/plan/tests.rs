use proptest::prelude::*;

use super::*;
use crate::{
    Account, Change, Completion, Currency, DocumentRef, Email, EventKey, Fact, FactKind, Money, PersonId, Reason,
    Refund, SourceName,
};

/// Registers whoever completes a document, once; refuses, waits or panics on demand.
struct Probe;

const TAKEN: Reason = Reason::new("taken");

impl Processor for Probe {
    fn name(&self) -> &'static str {
        "probe"
    }

    fn wants(&self) -> &'static [FactKind] {
        &[FactKind::DocumentCompleted, FactKind::DocumentVoided]
    }

    fn reads(&self, event: &Event) -> Reads {
        let mut reads = Reads::default();
        if let Fact::DocumentCompleted(completion) = &event.fact {
            reads.people.extend(completion.email.as_deref().and_then(Email::parse));
        }
        reads.documents.insert(DocumentRef { account: event.account.clone(), document: event.key.as_str().to_owned() });
        reads
    }

    fn decide(&self, event: &Event, state: &State) -> Decision {
        let fault = || Fault { reason: TAKEN, detail: String::new(), amount: None };
        let Fact::DocumentCompleted(completion) = &event.fact else { return Decision::Reject(TAKEN) };
        match completion.document.as_str() {
            "panic" => panic!("on demand"),
            "ignore" => Decision::Ignore(TAKEN),
            "defer" => Decision::Defer(fault()),
            "fail" => Decision::Fail(fault()),
            _ => {
                let email = Email::parse(completion.email.as_deref().unwrap_or_default()).unwrap();
                let person = PersonId::of_first_address(&email);
                let known = state.person(&email).is_some();
                if known {
                    Decision::Ignore(TAKEN)
                } else {
                    Decision::Apply(vec![Change::RegisterPerson { person, email }])
                }
            }
        }
    }
}

fn completed(key: &str, document: &str, email: &str) -> Event {
    let completion =
        Completion { document: document.to_owned(), email: Some(email.to_owned()), name: None, category: None };
    event(key, Fact::DocumentCompleted(completion))
}

fn event(key: &str, fact: Fact) -> Event {
    Event {
        key: EventKey::from(key),
        account: Account::from("club"),
        source: SourceName::from("signing"),
        occurred_at: jiff::Timestamp::UNIX_EPOCH,
        fact,
    }
}

fn run(events: &[Event], state: &mut State) -> Vec<Verdict> {
    let events: Vec<_> = events.iter().map(|event| (event.clone(), false)).collect();
    plan(&Probe, &events, state)
}

fn decisions(verdicts: &[Verdict]) -> Vec<&Decision> {
    let decided = |verdict| match verdict {
        &Verdict::Duplicate => panic!("a duplicate"),
        Verdict::Decided { decision, .. } => decision,
    };
    verdicts.iter().map(decided).collect()
}

#[test]
fn a_later_event_of_a_batch_sees_what_an_earlier_one_changed() {
    let mut state = State::default();
    let verdicts = run(&[completed("a", "d", "ada@example.org"), completed("b", "e", "ada@example.org")], &mut state);
    assert!(matches!(decisions(&verdicts)[..], [Decision::Apply(_), Decision::Ignore(reason)] if *reason == TAKEN));
    assert_eq!(state.people.len(), 1);
}

#[test]
fn a_fact_that_stands_twice_in_a_batch_is_decided_once() {
    let mut state = State::default();
    let event = completed("a", "d", "ada@example.org");
    let verdicts = run(&[event.clone(), event.clone(), event], &mut state);
    assert!(matches!(verdicts[..], [Verdict::Decided { .. }, Verdict::Duplicate, Verdict::Duplicate]));
}

#[test]
fn one_key_in_two_accounts_is_two_facts() {
    let mut state = State::default();
    let here = completed("a", "d", "ada@example.org");
    let there = Event { account: Account::from("branch"), ..completed("a", "d", "bea@example.org") };
    assert!(run(&[here, there], &mut state).iter().all(|verdict| *verdict != Verdict::Duplicate));
    assert_eq!(state.people.len(), 2);
}

#[test]
fn only_what_is_final_is_remembered() {
    for (document, outcome) in [
        ("ignore", Some(Outcome::Ignored)),
        ("defer", None),
        ("fail", None),
        ("panic", None),
        ("other", Some(Outcome::Applied)),
    ] {
        let mut state = State::default();
        run(&[completed("a", document, "ada@example.org")], &mut state);
        assert_eq!(state.outcomes.values().next().map(|seen| seen.outcome), outcome, "{document}");
    }
    let mut state = State::default();
    run(&[event("v", Fact::DocumentVoided { document: "d".to_owned() })], &mut state);
    assert_eq!(state.outcomes.values().next().unwrap().outcome, Outcome::Rejected);
}

#[test]
fn what_nobody_asked_for_is_ignored_and_not_read() {
    let unwanted = event("u", Fact::PaymentPending);
    assert_eq!(reads(&Probe, std::slice::from_ref(&unwanted)), Reads::default());
    let verdicts = run(&[unwanted], &mut State::default());
    assert_eq!(decisions(&verdicts), [&Decision::Ignore(reasons::UNWANTED_TYPE)]);
}

#[test]
fn the_reads_of_a_batch_are_one_set() {
    let events = [completed("a", "d", "ada@example.org"), completed("b", "e", " ADA@example.org ")];
    let all = reads(&Probe, &events);
    assert_eq!((all.people.len(), all.documents.len()), (1, 2));
}

#[test]
fn a_panic_fails_that_event_alone() {
    let mut state = State::default();
    let events = [
        completed("a", "d", "ada@example.org"),
        completed("b", "panic", "bea@example.org"),
        completed("c", "e", "cyd@example.org"),
    ];
    let verdicts = run(&events, &mut state);
    let [Decision::Apply(_), Decision::Fail(fault), Decision::Apply(_)] = decisions(&verdicts)[..] else {
        panic!("{verdicts:?}");
    };
    assert_eq!(fault.reason, reasons::PANICKED);
    assert_eq!((state.people.len(), state.outcomes.len()), (2, 2));
}

#[test]
fn the_same_fact_with_other_contents_is_never_silent() {
    let mut state = State::default();
    run(&[completed("a", "d", "ada@example.org")], &mut state);
    let before = state.clone();
    let verdicts = run(&[completed("a", "d", "bea@example.org")], &mut state);
    let [Decision::Fail(fault)] = decisions(&verdicts)[..] else { panic!("{verdicts:?}") };
    assert_eq!(fault.reason, reasons::CONFLICTING_DUPLICATE);
    assert_eq!(state, before);
}

/// It had no effect that other contents could contradict.
#[test]
fn an_ignored_fact_with_other_contents_is_a_duplicate() {
    let mut state = State::default();
    run(&[completed("a", "ignore", "ada@example.org")], &mut state);
    let verdicts = run(&[completed("a", "ignore", "bea@example.org")], &mut state);
    assert_eq!(verdicts, [Verdict::Duplicate]);
}

#[test]
fn digests_of_two_versions_are_not_held_against_each_other() {
    let mut state = State::default();
    let event = completed("a", "d", "ada@example.org");
    run(std::slice::from_ref(&event), &mut state);
    for seen in state.outcomes.values_mut() {
        seen.digest = EventDigest::read("0:older".to_owned());
    }
    assert_eq!(run(&[event], &mut state), [Verdict::Duplicate]);
}

#[test]
fn an_operator_may_redecide_what_was_ignored_and_nothing_else() {
    let before = |outcome| {
        let event = completed("a", "d", "ada@example.org");
        let fact = FactRef { account: event.account.clone(), key: event.key.clone() };
        let digest = EventDigest::of(&event);
        let outcomes = [(fact, Seen { outcome, digest })].into_iter().collect();
        (event, State { outcomes, ..State::default() })
    };
    for (outcome, again) in [(Outcome::Ignored, true), (Outcome::Applied, false), (Outcome::Rejected, false)] {
        let (event, mut state) = before(outcome);
        assert_eq!(run(std::slice::from_ref(&event), &mut state.clone()), [Verdict::Duplicate], "{outcome:?}");
        let verdicts = plan(&Probe, &[(event, true)], &mut state);
        assert_eq!(verdicts != [Verdict::Duplicate], again, "{outcome:?}");
        let stands = state.outcomes.values().next().unwrap().outcome;
        assert_eq!(stands, if again { Outcome::Applied } else { outcome });
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let document = prop::sample::select(vec!["d", "ignore", "defer", "fail"]);
    let completion = (0..6_u8, document, 0..3_u8).prop_map(|(key, document, person)| {
        completed(&format!("{document}:{key}"), document, &format!("member{person}@example.org"))
    });
    let currency = Currency::parse("USD").unwrap();
    let refund =
        Fact::PaymentRefunded(Refund { transaction: "t".to_owned(), cumulative: Money { minor: 1, currency } });
    let void = Fact::DocumentVoided { document: "d".to_owned() };
    prop_oneof![6 => completion, 1 => Just(event("r", refund)), 1 => Just(event("v", void))]
}

proptest! {
    /// How a queue cuts a stream into batches changes no verdict and no record.
    #[test]
    fn batches_make_no_difference(events in prop::collection::vec(any_event(), 0..24), size in 1..9_usize) {
        let (mut whole, mut cut) = (State::default(), State::default());
        let at_once = run(&events, &mut whole);
        let in_parts: Vec<_> = events.chunks(size).flat_map(|part| run(part, &mut cut)).collect();
        prop_assert_eq!(at_once, in_parts);
        prop_assert_eq!(whole, cut);
    }

    /// What is settled stays so, however often it comes again.
    #[test]
    fn a_second_run_changes_nothing(events in prop::collection::vec(any_event(), 0..24)) {
        let mut state = State::default();
        run(&events, &mut state);
        let before = state.clone();
        for verdict in run(&events, &mut state) {
            let settled = match &verdict {
                Verdict::Duplicate => true,
                Verdict::Decided { decision, .. } => outcome(decision).is_none(),
            };
            prop_assert!(settled, "{:?}", verdict);
        }
        prop_assert_eq!(state, before);
    }
}
