//! What mitoc-member got wrong or never tested.

use jiff::civil::date;
use rollbook_domain::{Amount, Decision, Event, Money, Verdict, plan, reasons};
use rollbook_membership::{Rules, reasons::WRONG_AMOUNT};
use rstest::rstest;

use crate::world::{ADA, World, captured, club, day, dollars, paid, plan_of, refunded};

#[rstest]
#[case::forty_days_left("2018-12-01T12:00:00Z", "2018-12-01")]
#[case::thirty_nine_days_left("2018-12-02T12:00:00Z", "2019-01-10")]
#[case::forty_in_boston_thirty_nine_in_utc("2018-12-02T04:59:59Z", "2018-12-01")]
#[case::no_day_left("2019-01-10T12:00:00Z", "2019-01-10")]
fn fewer_than_forty_days_left_are_kept(#[case] renewed_at: &str, #[case] starts: &str) {
    let mut world = World::new();
    world.apply_all(&[&paid("1", "2018-01-10T12:00:00Z"), &paid("2", renewed_at)]);
    assert_eq!(world.starts(), ["2018-01-10", starts]);
}

#[rstest]
#[case("2024-02-29T12:00:00Z", "2024-02-29", "2025-02-28")]
#[case("2023-02-28T12:00:00Z", "2023-02-28", "2024-02-28")]
#[case("2023-03-01T12:00:00Z", "2023-03-01", "2024-03-01")]
#[case("2024-03-01T04:59:59Z", "2024-02-29", "2025-02-28")]
fn a_leap_day(#[case] paid_at: &str, #[case] starts: &str, #[case] expires: &str) {
    let mut world = World::new();
    world.apply(&paid("1", paid_at));
    assert_eq!(world.terms(), [(starts.to_owned(), expires.to_owned(), None)]);
}

#[test]
fn a_renewal_of_a_leap_day_term_starts_where_it_ends() {
    let mut world = World::new();
    world.apply_all(&[&paid("1", "2024-02-29T12:00:00Z"), &paid("2", "2025-02-01T12:00:00Z")]);
    assert_eq!(world.terms()[1], ("2025-02-28".to_owned(), "2026-02-28".to_owned(), None));
}

/// The seed added a second row: it looked for a term that ends a year after the payment.
#[test]
fn a_redelivery_after_an_early_renewal_changes_nothing() {
    let mut world = World::new();
    let (first, early) = (paid("1", "2017-01-15T12:00:00Z"), paid("2", "2018-01-01T12:47:00Z"));
    world.apply_all(&[&first, &early]);
    let before = world.state.clone();
    for event in [&early, &first, &early, &early] {
        assert_eq!(world.give(event), Verdict::Duplicate);
    }
    assert_eq!(world.state, before);
    assert_eq!(world.starts(), ["2017-01-15", "2018-01-15"]);
}

#[rstest]
#[case("2018-02-02T00:00:00Z", "2018-02-01")]
#[case("2018-02-02T04:59:59Z", "2018-02-01")]
#[case("2018-02-02T05:00:00Z", "2018-02-02")]
#[case("2018-07-02T00:00:00Z", "2018-07-01")]
#[case("2018-07-02T03:59:59Z", "2018-07-01")]
#[case("2018-07-02T04:00:00Z", "2018-07-02")]
fn a_payment_at_night_has_the_date_of_boston_and_is_known_again(#[case] paid_at: &str, #[case] starts: &str) {
    let mut world = World::new();
    let payment = paid("1", paid_at);
    world.apply(&payment);
    assert_eq!(world.give(&payment), Verdict::Duplicate);
    assert_eq!(world.starts(), [starts]);
}

#[test]
fn two_payments_on_one_day_are_two_terms() {
    let mut world = World::new();
    world.apply_all(&[&paid("1", "2018-05-02T12:00:00Z"), &paid("2", "2018-05-02T12:00:00Z")]);
    let term = ("2018-05-02".to_owned(), "2019-05-02".to_owned(), None);
    assert_eq!(world.terms(), [term.clone(), term]);
    assert_eq!(world.state.payments.len(), 2);
}

/// One price until the end of 2018, another from 2019 on.
fn dearer() -> Rules {
    let plans = vec![
        plan_of("NA", 2500, day("2018-01-01"), Some(day("2018-12-31"))),
        plan_of("NA", 4000, day("2019-01-01"), None),
    ];
    Rules { plans, ..club() }
}

#[rstest]
#[case::last_second_of_the_old_price("2019-01-01T04:59:59Z", 2500, true)]
#[case::old_price_too_late("2019-01-01T05:00:00Z", 2500, false)]
#[case::first_second_of_the_new_price("2019-01-01T05:00:00Z", 4000, true)]
#[case::new_price_too_early("2019-01-01T04:59:59Z", 4000, false)]
#[case::first_day_of_all("2018-01-01T05:00:00Z", 2500, true)]
fn the_price_is_that_of_the_payment_date(#[case] paid_at: &str, #[case] amount: i64, #[case] right: bool) {
    let mut world = World::of(dearer());
    let payment = captured("1", paid_at, |capture| capture.amount = Amount::exact(dollars(amount)));
    if right {
        world.apply(&payment);
    } else {
        assert_eq!(world.refused(&payment).reason, WRONG_AMOUNT);
    }
}

#[test]
fn a_category_without_a_plan_on_that_date_says_so() {
    let fault = World::of(dearer()).refused(&paid("1", "2018-01-01T04:59:59Z"));
    assert_eq!(fault.reason, rollbook_membership::reasons::UNKNOWN_CATEGORY);
    assert_eq!(
        fault.detail,
        "no plan of the category NA is valid on 2017-12-31; mend its dates and replay, or refund the payment"
    );
}

/// What failed for a missing plan is applied once the plan is there, by its own date.
#[test]
fn a_replay_after_the_price_list_was_mended_is_as_if_it_had_been_right() {
    let (first, second) = (paid("1", "2018-01-10T12:00:00Z"), paid("2", "2018-12-20T12:00:00Z"));
    let mut world = World::of(Rules { plans: vec![plan_of("NA", 4000, day("2018-06-01"), None)], ..club() });
    world.refused(&first);
    world.apply(&second);
    assert_eq!(world.starts(), ["2018-12-20"]);
    let mut mended = World { membership: World::new().membership, state: world.state };
    mended.apply(&first);
    assert_eq!(mended.starts(), ["2018-01-10", "2019-01-10"]);
}

/// No wall clock: an old message among newer records gives what it would have given.
#[test]
fn a_replay_a_year_later_gives_the_same_answer() {
    let events = [
        paid("1", "2017-01-15T12:00:00Z"),
        paid("2", "2018-01-01T12:47:00Z"),
        refunded("2", "2018-03-01T12:00:00Z", 1000),
        paid("3", "2019-01-02T12:47:00Z"),
    ];
    let mut in_order = World::new();
    in_order.apply_all(&events.each_ref());
    let mut late = World::new();
    late.apply_all(&[&events[0], &events[3], &events[1], &events[2]]);
    assert_eq!(late.state, in_order.state);
    assert_eq!(late.starts(), ["2017-01-15", "2018-01-15", "2019-01-15"]);
    for event in &events {
        assert_eq!(late.give(event), Verdict::Duplicate);
    }
    assert_eq!(late.state, in_order.state);
}

/// A window that is configured later moves no term that stands.
#[test]
fn another_renewal_window_moves_no_older_term() {
    let mut world = World::new();
    world.apply_all(&[&paid("1", "2018-01-10T12:00:00Z"), &paid("2", "2018-12-20T12:00:00Z")]);
    let rules = Rules { renewal_window_days: 0, ..club() };
    let mut later = World { membership: rollbook_membership::Membership::new(rules), state: world.state };
    later.apply(&paid("3", "2019-12-20T12:00:00Z"));
    assert_eq!(later.starts(), ["2018-01-10", "2019-01-10", "2019-12-20"]);
}

/// The browser's post and the server's post of one payment.
#[rstest]
#[case::browser_first(false)]
#[case::server_first(true)]
fn both_posts_of_one_payment_are_one_membership(#[case] server_first: bool) {
    let browser = captured("1", "2018-05-02T12:00:00Z", |capture| {
        capture.name = None;
        capture.email = Some(" Ada@EXAMPLE.org".to_owned());
        capture.amount = Amount::decimal(Some("40"), Some("usd"));
    });
    let mut both = [browser, paid("1", "2018-05-02T12:00:00Z")];
    if server_first {
        both.reverse();
    }
    let mut world = World::new();
    world.apply(&both[0]);
    assert_eq!(world.give(&both[1]), Verdict::Duplicate);
    assert_eq!((world.state.people.len(), world.state.terms.len()), (1, 1));
    assert_eq!(world.person(ADA).emails.len(), 1);
}

#[rstest]
#[case::amount(captured("1", "2018-05-02T12:00:00Z", |capture| capture.amount = Amount::exact(dollars(1500))))]
#[case::currency(captured("1", "2018-05-02T12:00:00Z", |capture| {
    let currency = rollbook_domain::Currency::parse("EUR").unwrap();
    capture.amount = Amount::exact(Money { minor: 4000, currency });
}))]
#[case::member(captured("1", "2018-05-02T12:00:00Z", |capture| capture.email = Some("bea@example.org".to_owned())))]
#[case::category(captured("1", "2018-05-02T12:00:00Z", |capture| capture.category = Some("ML".to_owned())))]
#[case::purpose(captured("1", "2018-05-02T12:00:00Z", |capture| capture.purpose = Some("rental".to_owned())))]
fn a_second_post_that_says_something_else_is_never_silent(#[case] other: Event) {
    let mut world = World::new();
    world.apply(&paid("1", "2018-05-02T12:00:00Z"));
    assert_eq!(world.refused(&other).reason, reasons::CONFLICTING_DUPLICATE);
}

#[test]
fn an_operator_may_decide_again_what_was_ignored_and_nothing_else() {
    let rental = captured("1", "2018-05-02T12:00:00Z", |capture| capture.purpose = Some("dues".to_owned()));
    let mut world = World::new();
    world.ignored(&rental);
    assert_eq!(world.give(&rental), Verdict::Duplicate, "final for a redelivery");
    let rules = Rules { purpose: "dues".to_owned(), ..club() };
    let membership = rollbook_membership::Membership::new(rules);
    let mut replay = || plan(&membership, &[(rental.clone(), true)], &mut world.state).remove(0);
    assert!(matches!(replay(), Verdict::Decided { decision: Decision::Apply(_), .. }));
    assert_eq!(replay(), Verdict::Duplicate, "an applied row stands");
    assert_eq!(world.starts(), [date(2018, 5, 2).to_string()]);
}
