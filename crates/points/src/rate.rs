//! What a rate makes of a payment.

use rollbook_domain::{Paid, Rate};

/// The most that one event may earn: what the ledger can count.
pub const LARGEST: i64 = (1 << 53) - 1;

/// The points for what is left of the payment; none where there is no payment to be counted.
///
/// Rounded down once, at the end: 0.99 USD at 1 a unit earn nothing, 1.50 USD at 2 a unit earn 3.
/// `None`: more than [`LARGEST`].
pub(crate) fn points(rate: Rate, paid: Option<&Paid>) -> Option<i64> {
    let points = match (rate, paid) {
        (Rate::PerUnit { per_10000 }, Some(paid)) => per_unit(per_10000, paid),
        (Rate::PerUnit { .. }, None) => 0,
        (Rate::Award { .. }, Some(paid)) if paid.returned_minor > 0 && paid.kept_minor() <= 0 => 0,
        (Rate::Award { points }, _) => i128::from(points),
    };
    i64::try_from(points).ok().filter(|points| *points <= LARGEST)
}

fn per_unit(per_10000: i64, paid: &Paid) -> i128 {
    let minor_in_10000 = 10_000 * 10_i128.pow(paid.amount.currency.decimals());
    (i128::from(paid.kept_minor()) * i128::from(per_10000)).div_euclid(minor_in_10000)
}

#[cfg(test)]
mod tests {
    use rollbook_domain::{Currency, Money, PaymentRef};
    use rstest::rstest;

    use super::*;

    fn paid(minor: i64, code: &str, returned_minor: i64) -> Paid {
        let amount = Money { minor, currency: Currency::parse(code).unwrap() };
        Paid { payment: PaymentRef { account: "club".into(), transaction: "t".to_owned() }, amount, returned_minor }
    }

    #[rstest]
    #[case::whole(1_0000, 4000, "USD", 40)]
    #[case::rounded_down(1_0000, 4099, "USD", 40)]
    #[case::less_than_a_unit(1_0000, 99, "USD", 0)]
    #[case::nothing(1_0000, 0, "USD", 0)]
    #[case::rounded_once(2_0000, 150, "USD", 3)]
    #[case::a_tenth(1000, 4000, "USD", 4)]
    #[case::a_tenth_rounded_down(1000, 999, "USD", 0)]
    #[case::the_least_rate(1, 1_000_000, "USD", 1)]
    #[case::no_decimals(1_0000, 40, "JPY", 40)]
    #[case::three_decimals(1_0000, 40_999, "KWD", 40)]
    fn points_per_unit_are_rounded_down(
        #[case] per_10000: i64,
        #[case] minor: i64,
        #[case] code: &str,
        #[case] expected: i64,
    ) {
        assert_eq!(points(Rate::PerUnit { per_10000 }, Some(&paid(minor, code, 0))), Some(expected));
    }

    #[rstest]
    #[case(0, 15)]
    #[case(1, 14)]
    #[case(50, 14)]
    #[case(51, 14)]
    #[case(1450, 0)]
    #[case(1500, 0)]
    fn what_was_given_back_earns_nothing(#[case] returned_minor: i64, #[case] expected: i64) {
        let rate = Rate::PerUnit { per_10000: 1_0000 };
        assert_eq!(points(rate, Some(&paid(1500, "USD", returned_minor))), Some(expected));
    }

    #[test]
    fn an_award_is_kept_until_all_is_given_back() {
        let award = |paid: Option<Paid>| points(Rate::Award { points: 100 }, paid.as_ref());
        assert_eq!(award(None), Some(100));
        assert_eq!(award(Some(paid(0, "USD", 0))), Some(100), "free of charge, and still done");
        assert_eq!(award(Some(paid(1500, "USD", 1499))), Some(100));
        assert_eq!(award(Some(paid(1500, "USD", 1500))), Some(0));
    }

    #[test]
    fn more_than_the_ledger_can_count_is_no_amount() {
        assert_eq!(LARGEST, rollbook_ledger::LARGEST);
        let rate = Rate::PerUnit { per_10000: 1_0000 };
        assert_eq!(points(rate, Some(&paid(LARGEST, "JPY", 0))), Some(LARGEST));
        assert_eq!(points(rate, Some(&paid(LARGEST + 1, "JPY", 0))), None);
        assert_eq!(points(Rate::PerUnit { per_10000: i64::MAX }, Some(&paid(i64::MAX, "JPY", 0))), None);
    }
}
