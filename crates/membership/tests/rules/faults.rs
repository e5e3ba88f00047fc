//! Dead letters of payments: the reason, the money at stake, a sentence that helps, and nobody's
//! name in it.

use proptest::prelude::*;
use proptest::test_runner::Config;
use rollbook_domain::{Amount, Capture, Decision, Reason, State, Verdict, reasons as shared};
use rollbook_membership::reasons::{BAD_EMAIL, MISSING_FIELD, UNKNOWN_CATEGORY, WRONG_AMOUNT, WRONG_CURRENCY};
use rstest::rstest;

use crate::world::{World, captured, dollars};

const PAID_AT: &str = "2018-05-02T12:00:00Z";

fn amount(text: &str, currency: &str) -> Amount {
    Amount::decimal(Some(text), Some(currency))
}

#[rstest]
#[case::no_email(|c: &mut Capture| c.email = None, MISSING_FIELD, "no email")]
#[case::blank_email(|c: &mut Capture| c.email = Some(" ".to_owned()), MISSING_FIELD, "no email")]
#[case::no_category(|c: &mut Capture| c.category = None, MISSING_FIELD, "no category")]
#[case::blank_category(|c: &mut Capture| c.category = Some("\t".to_owned()), MISSING_FIELD, "no category")]
#[case::no_amount(|c: &mut Capture| c.amount = Amount::decimal(None, Some("USD")), MISSING_FIELD, "no amount")]
#[case::no_currency(|c: &mut Capture| c.amount = Amount::decimal(Some("40.00"), None), MISSING_FIELD, "no currency")]
#[case::no_transaction(|c: &mut Capture| c.transaction = String::new(), MISSING_FIELD, "no transaction")]
#[case::no_address(|c: &mut Capture| c.email = Some("ada.example.org".to_owned()), BAD_EMAIL, "cannot be an e-mail address")]
#[case::two_addresses(|c: &mut Capture| c.email = Some("a@example.org b@example.org".to_owned()), BAD_EMAIL, "cannot be")]
#[case::category(|c: &mut Capture| c.category = Some("MX".to_owned()), UNKNOWN_CATEGORY, "no plan has the category MX")]
#[case::category_in_small(|c: &mut Capture| c.category = Some("na".to_owned()), UNKNOWN_CATEGORY, "the category na")]
#[case::currency(|c: &mut Capture| c.amount = amount("40.00", "EUR"), WRONG_CURRENCY, "paid in EUR")]
#[case::no_such_currency(|c: &mut Capture| c.amount = amount("40.00", "dollars"), WRONG_CURRENCY, "no ISO 4217 code")]
#[case::too_little(|c: &mut Capture| c.amount = amount("1.23", "USD"), WRONG_AMOUNT, "1.23 USD was paid, but the category NA costs 40.00 USD on 2018-05-02")]
#[case::too_much(|c: &mut Capture| c.amount = amount("40.01", "USD"), WRONG_AMOUNT, "40.01 USD was paid")]
#[case::more_decimals(|c: &mut Capture| c.amount = amount("40.001", "USD"), WRONG_AMOUNT, "more decimals")]
#[case::a_hair_more(|c: &mut Capture| c.amount = amount("40.0000000000000000000000000000000001", "USD"), WRONG_AMOUNT, "more decimals")]
#[case::nothing(|c: &mut Capture| c.amount = amount("0.00", "USD"), WRONG_AMOUNT, "0.00 USD was paid")]
#[case::negative(|c: &mut Capture| c.amount = amount("-40.00", "USD"), WRONG_AMOUNT, "-40.00 USD was paid")]
#[case::no_number(|c: &mut Capture| c.amount = amount("forty", "USD"), WRONG_AMOUNT, "not a decimal number")]
#[case::huge(|c: &mut Capture| c.amount = amount("999999999999999999999999", "USD"), WRONG_AMOUNT, "out of range")]
#[case::authorised_less(|c: &mut Capture| c.authorised = Some(amount("1.00", "USD")), WRONG_AMOUNT, "another amount was authorised")]
#[case::authorised_elsewhere(|c: &mut Capture| c.authorised = Some(amount("40.00", "EUR")), WRONG_AMOUNT, "another amount")]
#[case::authorised_unreadable(|c: &mut Capture| c.authorised = Some(amount("?", "USD")), WRONG_AMOUNT, "another amount")]
#[case::authorised_bare(|c: &mut Capture| c.authorised = Some(Amount::decimal(Some("1"), None)), WRONG_AMOUNT, "another amount")]
fn a_faulty_payment(#[case] change: fn(&mut Capture), #[case] reason: Reason, #[case] says: &str) {
    let event = captured("1", PAID_AT, change);
    let rollbook_domain::Fact::PaymentCaptured(capture) = &event.fact else { panic!("a capture") };
    let fault = World::new().refused(&event);
    assert_eq!(fault.reason, reason);
    assert_eq!(fault.amount.as_ref(), Some(&capture.amount), "the money at stake");
    assert!(fault.detail.contains(says), "{}", fault.detail);
    assert!(!fault.detail.contains('@') && !fault.detail.to_lowercase().contains("ada"), "{}", fault.detail);
}

#[rstest]
#[case::written_shorter(|c: &mut Capture| c.amount = amount("40", "USD"))]
#[case::written_longer(|c: &mut Capture| c.amount = amount("40.000", "USD"))]
#[case::currency_in_small(|c: &mut Capture| c.amount = amount("40.00", "usd"))]
#[case::authorised_too(|c: &mut Capture| c.authorised = Some(amount("40.0", "USD")))]
#[case::authorised_without_a_currency(|c: &mut Capture| c.authorised = Some(Amount::decimal(Some("40.00"), None)))]
#[case::authorised_is_absent(|c: &mut Capture| c.authorised = Some(Amount::decimal(None, Some("USD"))))]
#[case::space_around(|c: &mut Capture| (c.category, c.purpose) = (Some(" NA ".to_owned()), Some("membership ".to_owned())))]
#[case::no_name(|c: &mut Capture| c.name = None)]
fn a_good_payment(#[case] change: fn(&mut Capture)) {
    let mut world = World::new();
    world.apply(&captured("1", PAID_AT, change));
    assert_eq!(world.state.payments.values().next().unwrap().category, "NA");
    assert_eq!(world.starts(), ["2018-05-02"]);
}

type Mend = fn(&mut Capture);

/// Purpose, fields, category, currency, amount: mending one fault shows the next.
#[test]
fn the_first_fault_is_told() {
    let mut event = captured("1", PAID_AT, |c| {
        c.purpose = Some("rental".to_owned());
        c.email = None;
        c.category = Some("MX".to_owned());
        c.amount = amount("1.23", "EUR");
    });
    assert_eq!(World::new().ignored(&event), rollbook_membership::reasons::NOT_MEMBERSHIP);
    let mends: [(Mend, Reason); 4] = [
        (|c| c.purpose = Some("membership".to_owned()), MISSING_FIELD),
        (|c| c.email = Some("ada@example.org".to_owned()), UNKNOWN_CATEGORY),
        (|c| c.category = Some("NA".to_owned()), WRONG_CURRENCY),
        (|c| c.amount = amount("1.23", "USD"), WRONG_AMOUNT),
    ];
    for (mend, reason) in mends {
        let rollbook_domain::Fact::PaymentCaptured(capture) = &mut event.fact else { panic!("a capture") };
        mend(capture);
        assert_eq!(World::new().refused(&event).reason, reason);
    }
}

/// Anything can be written into a form, a name or an address among it.
#[rstest]
#[case("ada@example.org")]
#[case("Ada Example")]
#[case("a-category-that-is-far-too-long-to-be-a-code")]
fn what_is_no_code_is_not_told(#[case] category: &str) {
    let event = captured("1", PAID_AT, |capture| capture.category = Some(category.to_owned()));
    let fault = World::new().refused(&event);
    assert!(!fault.detail.contains(category), "{}", fault.detail);
    assert!(!format!("{event:?}").contains("ada@example.org"), "Debug shows no address");
}

/// Mostly as it should be, so that all of it is right often enough.
fn field(right: &'static str) -> impl Strategy<Value = Option<String>> {
    prop_oneof![4 => Just(Some(right.to_owned())), 1 => Just(None), 1 => ".{0,12}".prop_map(Some)]
}

fn written() -> impl Strategy<Value = Amount> {
    let text = prop_oneof![4 => field("40.00"), 1 => "-?[0-9]{1,24}(\\.[0-9]{0,40})?".prop_map(Some)];
    (text, field("USD")).prop_map(|(text, currency)| Amount::decimal(text.as_deref(), currency.as_deref()))
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    /// Whatever stands in the fields and whenever it was: an answer, no panic inside, and only the
    /// exact price buys anything.
    #[test]
    fn every_capture_is_answered(
        transaction in ".{0,4}", email in field("a@b"), category in field("NA"), amount in written(),
        authorised in prop::option::of(written()), second in -377_705_023_201_i64..=253_402_207_200,
    ) {
        let mut event = captured("1", PAID_AT, |capture| {
            (capture.transaction, capture.email, capture.category) = (transaction, email, category);
            (capture.amount, capture.authorised) = (amount.clone(), authorised);
        });
        event.occurred_at = jiff::Timestamp::from_second(second).unwrap();
        let mut world = World::new();
        match world.give(&event) {
            Verdict::Decided { decision: Decision::Apply(_), .. } => {
                prop_assert_eq!(amount.money, Ok(dollars(4000)));
                prop_assert_eq!(world.state.terms.len(), 1);
            }
            Verdict::Decided { decision: Decision::Fail(fault), .. } => {
                prop_assert_ne!(fault.reason, shared::PANICKED);
                prop_assert_eq!(world.state, State::default());
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
