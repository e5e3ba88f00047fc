use jiff::civil::date;
use rollbook_domain::{Account, Amount, Capture, Completion, EventKey, Fact, Money, PersonId, SourceName};
use rstest::rstest;
use uuid::Uuid;

use super::*;

fn rule(on: Trigger) -> Rule {
    let rate = Rate::Award { points: 10 };
    Rule {
        name: None,
        on,
        purpose: None,
        category: None,
        source: None,
        rate,
        most: None,
        valid_from: None,
        valid_until: None,
    }
}

fn payments(change: impl FnOnce(&mut Rule)) -> Rule {
    let mut rule = rule(Trigger::PaymentCaptured);
    change(&mut rule);
    rule
}

fn rules(earn: Vec<Rule>) -> Rules {
    let zone = TimeZone::get("America/New_York").unwrap();
    Rules { zone, currency: Currency::parse("USD").unwrap(), expire_after: None, earn }
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn event(source: &str, at: &str, fact: Fact) -> Event {
    let (key, account) = (EventKey::from("k"), Account::from("club"));
    Event { key, account, source: SourceName::from(source), occurred_at: at.parse().unwrap(), fact }
}

fn captured(source: &str, at: &str, purpose: Option<&str>, category: Option<&str>) -> Event {
    let capture = Capture {
        transaction: "t".to_owned(),
        amount: Amount::exact(Money { minor: 4000, currency: Currency::parse("USD").unwrap() }),
        authorised: None,
        purpose: purpose.map(str::to_owned),
        category: category.map(str::to_owned),
        email: None,
        name: None,
        points_group: None,
    };
    event(source, at, Fact::PaymentCaptured(capture))
}

fn matches(rule: Rule, event: &Event) -> bool {
    !rules(vec![rule]).matching(event, crate::earn::said(event)).is_empty()
}

const NOON: &str = "2019-03-10T16:00:00Z";

#[rstest]
#[case::everything_passes_without_a_filter(payments(|_| {}), true)]
#[case::purpose(payments(|rule| rule.purpose = Some(text(" membership"))), true)]
#[case::another_purpose(payments(|rule| rule.purpose = Some(text("rental"))), false)]
#[case::case_counts(payments(|rule| rule.purpose = Some(text("Membership"))), false)]
#[case::category(payments(|rule| rule.category = Some(text("NA "))), true)]
#[case::another_category(payments(|rule| rule.category = Some(text("MU"))), false)]
#[case::source(payments(|rule| rule.source = Some(text("shop"))), true)]
#[case::another_source(payments(|rule| rule.source = Some(text("stall"))), false)]
#[case::all_filters_must_pass(payments(|rule| (rule.purpose, rule.source) = (Some(text("membership")), Some(text("stall")))), false)]
#[case::another_kind_of_fact(rule(Trigger::DocumentCompleted), false)]
fn a_rule_filters(#[case] rule: Rule, #[case] expected: bool) {
    assert_eq!(matches(rule, &captured("shop", NOON, Some("membership "), Some("NA"))), expected);
}

#[test]
fn what_is_not_said_passes_no_filter() {
    let silent = captured("shop", NOON, None, None);
    assert!(matches(payments(|_| {}), &silent));
    assert!(!matches(payments(|rule| rule.purpose = Some(text("membership"))), &silent));
    assert!(!matches(payments(|rule| rule.category = Some(text("NA"))), &silent));
}

#[test]
fn registrations_and_documents_are_earned_by_too() {
    let registered = event("rollbook", NOON, Fact::MemberRegistered { person: PersonId(Uuid::nil()) });
    assert!(matches(rule(Trigger::MemberRegistered), &registered));
    let category = Some(text("Guest"));
    let completion = Completion { document: "d".to_owned(), email: None, name: None, category };
    let signed = event("signing", NOON, Fact::DocumentCompleted(completion));
    assert!(matches(rule(Trigger::DocumentCompleted), &signed));
    assert!(matches(Rule { category: Some(text("Guest")), ..rule(Trigger::DocumentCompleted) }, &signed));
    assert!(!matches(Rule { category: Some(text("Staff")), ..rule(Trigger::DocumentCompleted) }, &signed));
}

/// The first and the last day count whole, by the clock of Boston.
#[rstest]
#[case("2019-03-10T04:59:59.999999Z", false)]
#[case("2019-03-10T05:00:00Z", true)]
#[case("2019-03-12T03:59:59.999999Z", true)]
#[case("2019-03-12T04:00:00Z", false)]
fn the_dates_of_a_rule_are_inclusive_in_the_zone(#[case] at: &str, #[case] expected: bool) {
    let rule = payments(|rule| {
        (rule.valid_from, rule.valid_until) = (Some(date(2019, 3, 10)), Some(date(2019, 3, 11)));
    });
    assert_eq!(matches(rule, &captured("shop", at, None, None)), expected);
}

#[test]
fn the_order_of_rules_does_not_matter() {
    let one = payments(|rule| rule.purpose = Some(text("membership")));
    let other = payments(|rule| rule.name = Some(text("all")));
    let event = captured("shop", NOON, Some("membership"), None);
    let names = |earn: Vec<Rule>| {
        let rules = rules(earn);
        let matching = rules.matching(&event, crate::earn::said(&event));
        matching.into_iter().map(|(identity, _)| identity).collect::<Vec<_>>()
    };
    assert_eq!(names(vec![one.clone(), other.clone()]), names(vec![other, one]));
}

#[test]
fn an_identity_tells_filters_and_nothing_else() {
    let all = payments(|rule| {
        (rule.purpose, rule.category, rule.source) = (Some(text(" member ship")), Some(text("NA")), Some(text("shop")));
    });
    assert_eq!(all.identity(), "payment_captured purpose=\"member ship\" category=\"NA\" source=\"shop\"");
    let most = Some(Most { points: 5, every: Every::Week });
    let changed =
        Rule { rate: Rate::PerUnit { per_10000: 1 }, most, valid_until: Some(date(2019, 1, 1)), ..all.clone() };
    assert_eq!(changed.identity(), all.identity());
    assert_eq!(Rule { name: Some(text("dues")), ..all }.identity(), "dues");
    assert_eq!(rule(Trigger::MemberRegistered).identity(), "member_registered");
}

#[rstest]
#[case::no_rules(vec![])]
#[case::different_filters(vec![payments(|_| {}), payments(|rule| rule.purpose = Some(text("rental")))])]
#[case::named(vec![payments(|_| {}), payments(|rule| rule.name = Some(text("bonus")))])]
#[case::one_after_the_other(vec![
    payments(|rule| rule.valid_from = Some(date(2020, 1, 1))),
    payments(|rule| rule.valid_until = Some(date(2019, 12, 31))),
])]
fn good_rules_pass(#[case] earn: Vec<Rule>) {
    assert_eq!(rules(earn).check(), Ok(()));
}

#[rstest]
#[case::same_filters(
    vec![payments(|_| {}), payments(|rule| rule.rate = Rate::PerUnit { per_10000: 1_0000 })],
    "two rules are both called \"payment_captured\" and earn on the same days; \
     give one a `name`, or end one by `valid_until` before the other begins"
)]
#[case::same_name_on_one_day(
    vec![
        payments(|rule| (rule.name, rule.valid_until) = (Some(text("x")), Some(date(2020, 1, 1)))),
        Rule { name: Some(text("x")), valid_from: Some(date(2020, 1, 1)), ..rule(Trigger::DocumentCompleted) },
    ],
    "two rules are both called \"x\" and earn on the same days; \
     give one a `name`, or end one by `valid_until` before the other begins"
)]
#[case::per_unit_of_nothing(
    vec![Rule { rate: Rate::PerUnit { per_10000: 1 }, ..rule(Trigger::MemberRegistered) }],
    "points per unit need a payment, and member_registered has none; give `award`"
)]
#[case::purpose_of_a_document(
    vec![Rule { purpose: Some(text("x")), ..rule(Trigger::DocumentCompleted) }],
    "document_completed has no purpose to filter by; leave that out"
)]
#[case::source_of_a_registration(
    vec![Rule { source: Some(text("x")), ..rule(Trigger::MemberRegistered) }],
    "member_registered has no source to filter by; leave that out"
)]
#[case::empty_filter(
    vec![payments(|rule| rule.category = Some(text(" ")))],
    "an empty category matches nothing; leave it out to let every category pass"
)]
#[case::nothing_to_give(
    vec![payments(|rule| rule.rate = Rate::Award { points: 0 })],
    "a rule must give more than 0 and at most a thousand million points at once"
)]
#[case::a_cap_of_nothing(
    vec![payments(|rule| rule.most = Some(Most { points: 0, every: Every::Day }))],
    "a rule must give more than 0 and at most a thousand million points at once"
)]
#[case::five_months(
    vec![payments(|rule| rule.most = Some(Most { points: 1, every: Every::Months(5) }))],
    "a period is a day, a week, a year, or 1, 2, 3, 4 or 6 months"
)]
#[case::backwards(
    vec![payments(|rule| (rule.valid_from, rule.valid_until) = (Some(date(2020, 1, 2)), Some(date(2020, 1, 1))))],
    "it ends on 2020-01-01, before it starts on 2020-01-02"
)]
#[case::bad_name(
    vec![payments(|rule| rule.name = Some(text("a name")))],
    "a name is empty, too long or has odd characters; write up to 64 of a-z, A-Z, 0-9, `-` and `_`"
)]
fn bad_rules_are_told_in_one_sentence(#[case] earn: Vec<Rule>, #[case] sentence: &str) {
    assert_eq!(rules(earn).check().unwrap_err().to_string(), sentence);
}

#[test]
fn points_that_live_for_no_time_are_refused() {
    let rules = Rules { expire_after: Some(Lifetime::Months(0)), ..rules(vec![]) };
    assert_eq!(rules.check(), Err(RulesFault::Lifetime));
}

/// What filled a cap depends on the order of arrival, so the date must not.
#[test]
fn points_under_a_cap_expire_counting_from_the_end_of_the_period() {
    let rules = Rules { expire_after: Some(Lifetime::Months(24)), ..rules(vec![]) };
    let at: Timestamp = "2019-03-10T16:00:00.5Z".parse().unwrap();
    let instant = |text: &str| Some(text.parse().unwrap());
    assert_eq!(rules.expires_at(at, None), instant("2021-03-10T17:00:00.5Z"));
    let march = payments(|rule| rule.most = Some(Most { points: 1, every: Every::Months(1) })).capped(rules.date(at));
    assert_eq!(rules.expires_at(at, march), instant("2021-04-01T04:00:00Z"));
}
