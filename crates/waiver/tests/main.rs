//! The waiver rules: the cases that mitoc-member tested (its `tests/test_envelopes.py` and
//! `tests/views/test_waiver.py`), those that it did not, and voids in every order.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::test_runner::Config;
use rollbook_domain::{
    Account, Change, Completion, Decision, Document, Email, Event, EventKey, Fact, FactKind, Person, Processor as _,
    Reason, SourceName, State, Verdict, plan, reads, reasons as shared,
};
use rollbook_waiver::{Rules, Waiver, reasons};
use rstest::rstest;

const ADA: &str = "ada@example.org";
const SIGNED_AT: &str = "2018-11-10T23:41:06.937Z";

fn event(key: EventKey, at: &str, fact: Fact) -> Event {
    let occurred_at = at.parse().expect("an instant");
    Event { key, account: Account::from("club"), source: SourceName::from("signing"), occurred_at, fact }
}

fn completed_by(at: &str, change: impl FnOnce(&mut Completion)) -> Event {
    let mut completion = Completion {
        document: "d".to_owned(),
        email: Some(ADA.to_owned()),
        name: Some("Ada Example".to_owned()),
        category: Some("Non-affiliate".to_owned()),
    };
    change(&mut completion);
    event(EventKey::document_completed(&completion.document), at, Fact::DocumentCompleted(completion))
}

fn completed(at: &str) -> Event {
    completed_by(at, |_| {})
}

fn voided(at: &str) -> Event {
    event(EventKey::document_voided("d"), at, Fact::DocumentVoided { document: "d".to_owned() })
}

fn signer_is_done(at: &str) -> Event {
    let fact = Fact::RecipientCompleted { document: "d".to_owned(), recipient: "1".to_owned() };
    event(EventKey::recipient_completed("d", "1"), at, fact)
}

#[derive(Default)]
struct World {
    state: State,
}

impl World {
    fn waiver() -> Waiver {
        Waiver::new(Rules { zone: TimeZone::get("America/New_York").expect("a zone") })
    }

    fn give(&mut self, event: &Event) -> Verdict {
        plan(&Self::waiver(), &[(event.clone(), false)], &mut self.state).remove(0)
    }

    fn decision(&mut self, event: &Event) -> Decision {
        match self.give(event) {
            Verdict::Decided { decision, .. } => decision,
            Verdict::Duplicate => panic!("a duplicate"),
        }
    }

    fn apply(&mut self, event: &Event) -> Vec<Change> {
        match self.decision(event) {
            Decision::Apply(changes) => changes,
            other => panic!("not applied: {other:?}"),
        }
    }

    fn document(&self) -> &Document {
        assert_eq!(self.state.documents.len(), 1, "one document");
        self.state.documents.values().next().expect("a document")
    }

    fn recorded(&self) -> &rollbook_domain::Waiver {
        self.document().waiver.as_ref().expect("a waiver")
    }

    fn person(&self) -> &Person {
        self.state.person(&Email::parse(ADA).expect("an address")).expect("a known person")
    }
}

#[test]
fn a_completed_document_of_somebody_new_is_a_waiver() {
    let mut world = World::default();
    let changes = world.apply(&completed(SIGNED_AT));
    assert!(matches!(changes[..2], [Change::RegisterPerson { .. }, Change::Emit(_)]), "{changes:?}");
    let waiver = world.recorded();
    assert_eq!(waiver.person, world.person().id);
    assert_eq!(waiver.signed_at, SIGNED_AT.parse().unwrap());
    assert_eq!(waiver.expires.to_string(), "2019-11-10");
    assert_eq!(waiver.category.as_deref(), Some("Non-affiliate"));
    assert_eq!(world.document().voided_at, None);
}

#[rstest]
#[case::seed("2018-11-10T23:41:06.937Z", "2019-11-10")]
#[case::the_evening_before_in_boston("2018-11-11T04:59:59Z", "2019-11-10")]
#[case::midnight_in_boston("2018-11-11T05:00:00Z", "2019-11-11")]
#[case::summer("2018-07-02T03:59:59Z", "2019-07-01")]
#[case::leap_day("2024-02-29T12:00:00Z", "2025-02-28")]
#[case::before_a_leap_day("2023-03-01T12:00:00Z", "2024-03-01")]
fn it_lasts_a_calendar_year_from_the_date_in_boston(#[case] signed_at: &str, #[case] expires: &str) {
    let mut world = World::default();
    world.apply(&completed(signed_at));
    assert_eq!(world.recorded().expires.to_string(), expires);
}

#[rstest]
#[case(Some("Cher"), Some("Cher"))]
#[case(Some("  John \t Smith "), Some("John Smith"))]
#[case(Some("Gabriel José de la Concordia García Márquez"), Some("Gabriel José de la Concordia García Márquez"))]
#[case::a_name_may_be_missing(None, None)]
#[case::or_blank(Some("  "), None)]
fn names(#[case] written: Option<&str>, #[case] name: Option<&str>) {
    let mut world = World::default();
    world.apply(&completed_by(SIGNED_AT, |completion| completion.name = written.map(str::to_owned)));
    assert_eq!(world.person().name.as_ref().map(|detail| detail.value.as_str()), name);
}

#[rstest]
#[case::known(Some("MIT undergrad"), Some("MIT undergrad"))]
#[case::unknown_text_is_recorded_as_written(Some("Friend of  a friend"), Some("Friend of  a friend"))]
#[case::it_may_be_missing(None, None)]
#[case::or_blank(Some(" "), None)]
fn the_affiliation_is_never_checked(#[case] written: Option<&str>, #[case] category: Option<&str>) {
    let mut world = World::default();
    world.apply(&completed_by(SIGNED_AT, |completion| completion.category = written.map(str::to_owned)));
    assert_eq!(world.recorded().category.as_deref(), category);
    assert_eq!(world.person().category.as_ref().map(|detail| detail.value.as_str()), category);
}

#[rstest]
#[case::missing(None, reasons::MISSING_FIELD)]
#[case::blank(Some(" "), reasons::MISSING_FIELD)]
#[case::no_address(Some("ada.example.org"), reasons::BAD_EMAIL)]
fn without_an_address_it_is_a_dead_letter(#[case] email: Option<&str>, #[case] reason: Reason) {
    let mut world = World::default();
    let event = completed_by(SIGNED_AT, |completion| completion.email = email.map(str::to_owned));
    let Decision::Fail(fault) = world.decision(&event) else { panic!("not failed") };
    assert_eq!((fault.reason, fault.amount), (reason, None));
    assert!(!fault.detail.contains("ada"), "{}", fault.detail);
    assert!(world.state.people.is_empty() && world.state.documents.is_empty());
    world.apply(&completed(SIGNED_AT));
}

#[rstest]
#[case::completed(completed_by(SIGNED_AT, |completion| completion.document = String::new()))]
#[case::voided(event(EventKey::document_voided(""), SIGNED_AT, Fact::DocumentVoided { document: " ".to_owned() }))]
fn without_a_document_it_is_a_dead_letter(#[case] event: Event) {
    let Decision::Fail(fault) = World::default().decision(&event) else { panic!("not failed") };
    assert_eq!(fault.reason, reasons::MISSING_FIELD);
}

/// Both messages of one completion, either first; and one signer of two is nothing.
#[rstest]
#[case::document_first([completed(SIGNED_AT), signer_is_done(SIGNED_AT)])]
#[case::signer_first([signer_is_done(SIGNED_AT), completed(SIGNED_AT)])]
fn the_two_messages_of_one_completion_are_one_waiver(#[case] messages: [Event; 2]) {
    let mut world = World::default();
    for message in &messages {
        match world.decision(message) {
            Decision::Apply(_) => assert_eq!(message.fact.kind(), FactKind::DocumentCompleted),
            Decision::Ignore(reason) => assert_eq!(reason, reasons::ONE_SIGNER),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.recorded().expires.to_string(), "2019-11-10");
    for message in &messages {
        assert_eq!(world.give(message), Verdict::Duplicate);
    }
}

#[test]
fn one_signer_alone_or_a_refusal_is_no_waiver() {
    let mut world = World::default();
    let declined = Fact::DocumentDeclined { document: "d".to_owned() };
    let declined = event(EventKey::document_declined("d"), SIGNED_AT, declined);
    assert_eq!(world.decision(&signer_is_done(SIGNED_AT)), Decision::Ignore(reasons::ONE_SIGNER));
    assert_eq!(world.decision(&declined), Decision::Ignore(reasons::DECLINED));
    assert!(world.state.people.is_empty() && world.state.documents.is_empty());
}

/// The seed knew a waiver again by its UTC date only, and never by the document.
#[test]
fn a_document_sent_again_is_known_and_another_one_is_another_waiver() {
    let mut world = World::default();
    world.apply(&completed(SIGNED_AT));
    assert_eq!(world.give(&completed("2018-11-10T23:59:59Z")), Verdict::Duplicate);
    world.apply(&completed_by(SIGNED_AT, |completion| completion.document = "e".to_owned()));
    assert_eq!((world.state.documents.len(), world.state.people.len()), (2, 1));
}

#[test]
fn a_document_sent_again_for_somebody_else_is_never_silent() {
    let mut world = World::default();
    world.apply(&completed(SIGNED_AT));
    let other = completed_by(SIGNED_AT, |completion| completion.email = Some("bea@example.org".to_owned()));
    let Decision::Fail(fault) = world.decision(&other) else { panic!("not failed") };
    assert_eq!(fault.reason, shared::CONFLICTING_DUPLICATE);
}

#[test]
fn the_latest_affiliation_and_name_stand_whenever_they_came() {
    let older = completed("2018-11-10T12:00:00Z");
    let newer = completed_by("2019-11-10T12:00:00Z", |completion| {
        completion.document = "e".to_owned();
        completion.name = Some("Ada Married".to_owned());
        completion.category = Some("MIT alum".to_owned());
        completion.email = Some(" ADA@example.org".to_owned());
    });
    let [first, second] = [[&older, &newer], [&newer, &older]].map(|order| {
        let mut world = World::default();
        for event in order {
            world.apply(event);
        }
        world
    });
    assert_eq!(first.person(), second.person());
    assert_eq!(first.person().name.as_ref().unwrap().value, "Ada Married");
    assert_eq!(first.person().category.as_ref().unwrap().value, "MIT alum");
    assert_eq!(first.person().address.as_ref().unwrap().value, "ADA@example.org");
    assert_eq!(first.person().emails.len(), 1);
}

#[rstest]
#[case::a_month_later("2018-12-10T12:00:00Z")]
#[case::at_the_same_instant(SIGNED_AT)]
fn a_void_ends_the_waiver_whichever_arrives_first(#[case] voided_at: &str) {
    let events = [completed(SIGNED_AT), voided(voided_at)];
    let [in_order, reversed] = [[0_usize, 1], [1, 0]].map(|order| {
        let mut world = World::default();
        for index in order {
            world.apply(&events[index]);
        }
        world.state.outcomes.clear();
        world
    });
    assert_eq!(in_order.state, reversed.state);
    assert_eq!(in_order.document().voided_at, Some(voided_at.parse().unwrap()));
    assert_eq!(in_order.recorded().expires.to_string(), "2019-11-10");
}

/// Nobody holds a valid waiver then, whichever arrives first; see the crate's own page.
#[test]
fn a_completion_after_the_void_gives_no_valid_waiver() {
    let (void, completion) = (voided("2018-11-01T12:00:00Z"), completed(SIGNED_AT));
    let mut in_order = World::default();
    in_order.apply(&void);
    assert_eq!(in_order.decision(&completion), Decision::Ignore(reasons::DOCUMENT_VOIDED));
    assert_eq!(in_order.document().waiver, None);
    assert!(in_order.state.people.is_empty());
    let mut reversed = World::default();
    reversed.apply(&completion);
    reversed.apply(&void);
    assert_eq!(reversed.document().voided_at, in_order.document().voided_at);
}

#[test]
fn a_void_of_an_unknown_document_is_kept() {
    let mut world = World::default();
    let changes = world.apply(&voided(SIGNED_AT));
    assert!(matches!(changes[..], [Change::SetDocument(Document { waiver: None, voided_at: Some(_), .. })]));
}

#[test]
fn of_two_voids_the_earlier_stands() {
    let mut world = World::default();
    world.apply(&voided("2018-12-10T12:00:00Z"));
    let other = Event { key: "document:d:voided:again".into(), ..voided("2018-12-09T12:00:00Z") };
    world.apply(&other);
    let later = Event { key: "document:d:voided:once-more".into(), ..voided("2018-12-11T12:00:00Z") };
    world.apply(&later);
    assert_eq!(world.document().voided_at, Some("2018-12-09T12:00:00Z".parse().unwrap()));
}

#[rstest]
#[case::completed(completed(SIGNED_AT), 1, 1)]
#[case::completed_without_an_address(completed_by(SIGNED_AT, |completion| completion.email = None), 0, 1)]
#[case::voided(voided(SIGNED_AT), 0, 1)]
#[case::one_signer(signer_is_done(SIGNED_AT), 0, 0)]
fn it_reads_no_more_than_it_needs(#[case] event: Event, #[case] people: usize, #[case] documents: usize) {
    let waiver = World::waiver();
    assert!(waiver.wants().contains(&event.fact.kind()));
    let reads = reads(&waiver, &[event]);
    assert_eq!((reads.people.len(), reads.documents.len()), (people, documents));
    assert!(reads.payments.is_empty() && reads.outcomes.is_empty());
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    /// Whatever stands in the fields and whenever it happened: an answer, and no panic inside.
    #[test]
    fn every_completion_is_answered(
        document in ".{0,8}", email in prop::option::of(".{0,12}|[a-z]@[a-z]"), name in prop::option::of(".*"),
        second in -377_705_023_201_i64..=253_402_207_200,
    ) {
        let mut completion = completed_by(SIGNED_AT, |completion| {
            (completion.document, completion.email, completion.name) = (document, email, name);
        });
        completion.occurred_at = jiff::Timestamp::from_second(second).unwrap();
        let mut world = World::default();
        match world.decision(&completion) {
            Decision::Apply(_) => prop_assert_eq!(world.recorded().signed_at, completion.occurred_at),
            Decision::Fail(fault) => prop_assert_ne!(fault.reason, shared::PANICKED),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
