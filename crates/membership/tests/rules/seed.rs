//! The cases that mitoc-member tested, as rules of ours (its `tests/test_db.py` and
//! `tests/views/test_membership.py`).

use rollbook_domain::{Amount, Change, Event, EventKey, Fact, Verdict};
use rollbook_membership::reasons;
use rstest::rstest;

use crate::world::{ADA, World, captured, dollars, event, paid, refunded};

#[rstest]
#[case("2018-05-02T06:13:00Z", "2018-05-02")]
#[case("2018-02-02T05:57:00Z", "2018-02-02")]
#[case("2018-02-02T04:57:00Z", "2018-02-01")]
#[case("2018-06-02T04:57:00Z", "2018-06-02")]
#[case("2018-06-02T03:57:00Z", "2018-06-01")]
fn a_new_membership_starts_on_the_date_in_boston(#[case] paid_at: &str, #[case] starts: &str) {
    let mut world = World::new();
    world.apply(&paid("1", paid_at));
    assert_eq!(world.starts(), [starts]);
}

#[rstest]
#[case::near_its_end("2017-01-15T12:00:00Z", "2018-01-01T12:47:00Z", "2018-01-15", "2019-01-15")]
#[case::very_early("2017-06-06T12:00:00Z", "2018-01-01T12:47:00Z", "2018-01-01", "2019-01-01")]
#[case::on_the_last_day("2017-01-15T12:00:00Z", "2018-01-15T12:00:00Z", "2018-01-15", "2019-01-15")]
#[case::a_day_late("2017-01-15T12:00:00Z", "2018-01-16T12:00:00Z", "2018-01-16", "2019-01-16")]
fn a_renewal(#[case] first: &str, #[case] second: &str, #[case] starts: &str, #[case] expires: &str) {
    let mut world = World::new();
    world.apply_all(&[&paid("1", first), &paid("2", second)]);
    assert_eq!(world.terms()[1], (starts.to_owned(), expires.to_owned(), None));
}

#[rstest]
#[case("MU", 1500)]
#[case("MG", 1500)]
#[case("MA", 3000)]
#[case("NU", 4000)]
#[case("NG", 4000)]
#[case("ML", 4000)]
#[case("NA", 4000)]
fn the_price_of_the_category_buys_a_membership(#[case] category: &str, #[case] price: i64) {
    let mut world = World::new();
    world.apply(&buying(category, price));
    assert_eq!(world.person(ADA).category.as_ref().unwrap().value, category);
    let payment = world.state.payments.values().next().unwrap();
    assert_eq!((payment.category.as_str(), payment.amount), (category, dollars(price)));
}

/// The prices of 2018, and a payer who edited the form.
#[rstest]
#[case("MA", 2000)]
#[case("NU", 1500)]
#[case("NG", 1500)]
#[case("ML", 2500)]
#[case("NA", 2500)]
#[case::edited_by_the_payer("NA", 123)]
fn another_amount_does_not(#[case] category: &str, #[case] amount: i64) {
    let fault = World::new().refused(&buying(category, amount));
    assert_eq!(fault.reason, reasons::WRONG_AMOUNT);
    assert_eq!(fault.amount, Some(Amount::exact(dollars(amount))));
}

#[test]
fn an_unknown_affiliation_is_a_dead_letter() {
    let fault = World::new().refused(&buying("MX", 4000));
    assert_eq!(fault.reason, reasons::UNKNOWN_CATEGORY);
    assert_eq!(
        fault.detail,
        "no plan has the category MX; add one that is valid on 2018-05-02 and replay, or refund the payment"
    );
}

fn buying(category: &str, price: i64) -> Event {
    captured("1", "2018-05-02T06:13:00Z", |capture| {
        capture.category = Some(category.to_owned());
        capture.amount = Amount::exact(dollars(price));
    })
}

#[rstest]
#[case("Cher", "Cher")]
#[case("John Smith", "John Smith")]
#[case("  John \t Smith ", "John Smith")]
#[case("Gabriel José de la Concordia García Márquez", "Gabriel José de la Concordia García Márquez")]
fn names_are_kept_whole(#[case] written: &str, #[case] name: &str) {
    let mut world = World::new();
    world.apply(&captured("1", "2018-05-02T06:13:00Z", |capture| capture.name = Some(written.to_owned())));
    assert_eq!(world.person(ADA).name.as_ref().unwrap().value, name);
}

#[rstest]
#[case(Some("rental"))]
#[case(Some("Membership"))]
#[case(Some(""))]
#[case(None)]
fn a_payment_for_something_else_is_ignored_whatever_it_lacks(#[case] purpose: Option<&str>) {
    let mut world = World::new();
    let rental = captured("1", "2018-05-02T06:13:00Z", |capture| {
        capture.purpose = purpose.map(str::to_owned);
        (capture.email, capture.category) = (None, None);
        capture.amount = Amount::decimal(None, None);
    });
    assert_eq!(world.ignored(&rental), reasons::NOT_MEMBERSHIP);
    assert!(world.state.people.is_empty() && world.state.payments.is_empty());
}

#[rstest]
#[case::review(EventKey::pending("1"), Fact::PaymentPending, reasons::PENDING)]
#[case::declined(EventKey::declined("1"), Fact::PaymentDeclined, reasons::DECLINED)]
fn only_captured_money_counts(#[case] key: EventKey, #[case] fact: Fact, #[case] reason: rollbook_domain::Reason) {
    let mut world = World::new();
    assert_eq!(world.ignored(&event(key, "2018-05-02T06:13:00Z", fact)), reason);
    assert!(world.state.people.is_empty());
    world.apply(&paid("1", "2018-05-02T07:13:00Z"));
    assert_eq!(world.starts(), ["2018-05-02"], "what is accepted after a review counts");
}

#[test]
fn a_duplicate_writes_nothing() {
    let mut world = World::new();
    let payment = paid("1", "2018-05-02T06:13:00Z");
    world.apply(&payment);
    let before = world.state.clone();
    assert_eq!(world.give(&payment), Verdict::Duplicate);
    assert_eq!(world.state, before);
}

#[test]
fn a_new_member_is_registered_and_a_known_one_updated() {
    let mut world = World::new();
    let first = world.apply(&paid("1", "2018-05-02T06:13:00Z"));
    assert!(matches!(first[..2], [Change::RegisterPerson { .. }, Change::Emit(_)]), "{first:?}");
    let second = world.apply(&captured("2", "2019-05-01T06:13:00Z", |capture| {
        capture.email = Some(" ADA@Example.org ".to_owned());
        capture.name = Some("Ada Married".to_owned());
        capture.category = Some("MU".to_owned());
        capture.amount = Amount::exact(dollars(1500));
    }));
    assert!(!second.iter().any(|change| matches!(change, Change::RegisterPerson { .. } | Change::Emit(_))));
    assert_eq!(world.state.people.len(), 1);
    let person = world.person(ADA);
    let detail = |detail: &Option<rollbook_domain::Detail>| detail.as_ref().unwrap().value.clone();
    assert_eq!(detail(&person.name), "Ada Married");
    assert_eq!(detail(&person.category), "MU");
    assert_eq!(detail(&person.address), "ADA@Example.org");
    assert_eq!(world.starts(), ["2018-05-02", "2019-05-02"]);
}

#[test]
fn the_billing_address_of_another_does_not_matter_and_nobody_else_is_touched() {
    let mut world = World::new();
    world.apply(&paid("1", "2018-05-02T06:13:00Z"));
    let bea = captured("2", "2018-06-02T06:13:00Z", |capture| capture.email = Some("bea@example.org".to_owned()));
    world.apply(&bea);
    world.apply(&refunded("2", "2018-07-01T12:00:00Z", 4000));
    assert_eq!(world.state.people.len(), 2);
    let mut terms = world.terms();
    terms.sort();
    assert_eq!(terms[0], ("2018-05-02".to_owned(), "2019-05-02".to_owned(), None));
    assert_eq!(terms[1].2.as_deref(), Some("refunded 2018-07-01"));
}
