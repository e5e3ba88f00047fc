//! Refunds and disputes.

use rollbook_domain::{Amount, Change, Currency, DisputePhase, Event, EventKey, Fact, Money, Refund, Verdict};
use rollbook_membership::reasons;
use rstest::rstest;

use crate::world::{World, captured, disputed, dollars, event, paid, refunded};

const PAID_AT: &str = "2018-05-02T12:00:00Z";

/// How the one term of a payment of 40 dollars ended.
fn ended(adjustments: &[Event]) -> Option<String> {
    let mut world = World::new();
    world.apply(&paid("1", PAID_AT));
    world.apply_all(&adjustments.iter().collect::<Vec<_>>());
    assert_eq!(world.state.adjustments.values().map(Vec::len).sum::<usize>(), adjustments.len());
    world.terms().remove(0).2
}

#[rstest]
#[case::partial(vec![refunded("1", "2018-06-01T12:00:00Z", 3999)], None)]
#[case::full(vec![refunded("1", "2018-06-01T12:00:00Z", 4000)], Some("refunded 2018-06-01"))]
#[case::more_than_full(vec![refunded("1", "2018-06-01T12:00:00Z", 5000)], Some("refunded 2018-06-01"))]
#[case::on_the_date_in_boston(vec![refunded("1", "2018-06-02T03:59:59Z", 4000)], Some("refunded 2018-06-01"))]
#[case::in_two_parts(
    vec![refunded("1", "2018-06-01T12:00:00Z", 1000), refunded("1", "2018-06-03T12:00:00Z", 4000)],
    Some("refunded 2018-06-03")
)]
#[case::parts_the_wrong_way_round(
    vec![refunded("1", "2018-06-03T12:00:00Z", 4000), refunded("1", "2018-06-01T12:00:00Z", 1000)],
    Some("refunded 2018-06-03")
)]
#[case::dispute_opened(vec![disputed("1", "2018-06-01T12:00:00Z", "d", DisputePhase::Opened)], None)]
#[case::dispute_won(
    vec![
        disputed("1", "2018-06-01T12:00:00Z", "d", DisputePhase::Opened),
        disputed("1", "2018-06-09T12:00:00Z", "d", DisputePhase::Won),
    ],
    None
)]
#[case::dispute_lost(vec![disputed("1", "2018-06-09T12:00:00Z", "d", DisputePhase::Lost)], Some("dispute_lost 2018-06-09"))]
#[case::refund_before_dispute_that_arrived_first(
    vec![
        disputed("1", "2018-06-09T12:00:00Z", "d", DisputePhase::Lost),
        refunded("1", "2018-06-08T12:00:00Z", 4000),
    ],
    Some("refunded 2018-06-08")
)]
#[case::a_later_end_changes_nothing(
    vec![
        refunded("1", "2018-06-08T12:00:00Z", 4000),
        disputed("1", "2018-06-09T12:00:00Z", "d", DisputePhase::Lost),
    ],
    Some("refunded 2018-06-08")
)]
#[case::at_one_instant_the_key_decides(
    vec![
        refunded("1", "2018-06-08T12:00:00Z", 4000),
        disputed("1", "2018-06-08T12:00:00Z", "d", DisputePhase::Lost),
    ],
    Some("dispute_lost 2018-06-08")
)]
fn what_ends_a_term(#[case] adjustments: Vec<Event>, #[case] end: Option<&str>) {
    assert_eq!(ended(&adjustments).as_deref(), end);
}

#[test]
fn an_adjustment_is_recorded_and_the_changed_term_says_what_it_was() {
    let mut world = World::new();
    world.apply(&paid("1", PAID_AT));
    let partial = world.apply(&refunded("1", "2018-06-01T12:00:00Z", 1000));
    assert!(matches!(partial[..], [Change::AdjustPayment(_)]), "no term changes: {partial:?}");
    let full = world.apply(&refunded("1", "2018-06-02T12:00:00Z", 4000));
    let [Change::AdjustPayment(_), Change::SetTerm { term, was: Some(was) }] = &full[..] else {
        panic!("{full:?}");
    };
    assert_eq!((was.ended, term.ended.is_some(), &was.payment), (None, true, &term.payment));
}

/// The second term counted on the first; once that is refunded, it starts when it was paid. The
/// third, already renewed from the second, moves with it.
#[test]
fn a_refund_gives_no_days_to_later_terms() {
    let payments =
        [paid("1", "2018-01-10T12:00:00Z"), paid("2", "2018-12-20T12:00:00Z"), paid("3", "2019-12-25T12:00:00Z")];
    let refund = refunded("1", "2019-12-30T12:00:00Z", 4000);
    let mut late = World::new();
    late.apply_all(&payments.each_ref());
    assert_eq!(late.starts(), ["2018-01-10", "2019-01-10", "2020-01-10"]);
    let changes = late.apply(&refund);
    assert_eq!(changes.iter().filter(|change| matches!(change, Change::SetTerm { .. })).count(), 3);
    assert_eq!(late.starts(), ["2018-01-10", "2018-12-20", "2019-12-25"]);

    let mut early = World::new();
    early.apply_all(&[&payments[0], &refund, &payments[1], &payments[2]]);
    assert_eq!(early.state, late.state, "whenever the refund arrived");
}

#[rstest]
#[case::refund(refunded("1", "2018-06-01T12:00:00Z", 4000), Some(Amount::exact(dollars(4000))))]
#[case::dispute(disputed("1", "2018-06-01T12:00:00Z", "d", DisputePhase::Opened), None)]
fn before_its_payment_it_waits(#[case] early: Event, #[case] at_stake: Option<Amount>) {
    let mut world = World::new();
    let fault = world.refused(&early);
    assert_eq!((fault.reason, fault.amount), (reasons::PAYMENT_UNKNOWN, at_stake));
    world.apply(&paid("1", PAID_AT));
    world.apply(&early);
    assert_eq!(world.give(&early), Verdict::Duplicate);
}

#[rstest]
#[case::refund(refunded("1", "2018-06-01T12:00:00Z", 4000))]
#[case::dispute(disputed("1", "2018-06-01T12:00:00Z", "d", DisputePhase::Lost))]
fn of_a_payment_that_is_not_ours_it_is_ignored(#[case] later: Event) {
    let mut world = World::new();
    world.ignored(&captured("1", PAID_AT, |capture| capture.purpose = Some("rental".to_owned())));
    assert_eq!(world.ignored(&later), reasons::PAYMENT_NOT_OURS);
}

/// A dead letter may yet be mended, so its refund waits with it.
#[test]
fn of_a_payment_that_failed_it_waits() {
    let mut world = World::new();
    world.refused(&captured("1", PAID_AT, |capture| capture.category = Some("MX".to_owned())));
    assert_eq!(world.refused(&refunded("1", "2018-06-01T12:00:00Z", 4000)).reason, reasons::PAYMENT_UNKNOWN);
}

#[test]
fn of_another_account_it_is_another_payment() {
    let mut world = World::new();
    world.apply(&paid("1", PAID_AT));
    let elsewhere = Event { account: "elsewhere".into(), ..refunded("1", "2018-06-01T12:00:00Z", 4000) };
    assert_eq!(world.refused(&elsewhere).reason, reasons::PAYMENT_UNKNOWN);
}

#[rstest]
#[case::other_currency(4000, "EUR", reasons::WRONG_CURRENCY)]
#[case::nothing(0, "USD", reasons::WRONG_AMOUNT)]
#[case::negative(-100, "USD", reasons::WRONG_AMOUNT)]
fn an_impossible_refund_is_a_dead_letter(
    #[case] minor: i64,
    #[case] currency: &str,
    #[case] reason: rollbook_domain::Reason,
) {
    let mut world = World::new();
    world.apply(&paid("1", PAID_AT));
    let cumulative = Money { minor, currency: Currency::parse(currency).unwrap() };
    let refund = Refund { transaction: "1".to_owned(), cumulative };
    let fact = event(EventKey::refunded("1", minor), "2018-06-01T12:00:00Z", Fact::PaymentRefunded(refund));
    let fault = world.refused(&fact);
    assert_eq!((fault.reason, fault.amount), (reason, Some(Amount::exact(cumulative))));
}
