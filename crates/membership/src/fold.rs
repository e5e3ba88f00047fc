//! Terms as a fold over all that is recorded of one person.
//!
//! Payments are taken in order of (instant, event key), whatever the order of their arrival. A
//! term that ended at all does not count as current for any later payment, even when its end came
//! long after: otherwise the answer would depend on when the refund arrived.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rollbook_domain::{
    Adjustment, AdjustmentKind, EndReason, Ending, EventKey, Payment, PaymentRef, PersonId, State, Term, a_year_after,
};

/// What the terms of `person` must be by all that `state` holds of them, in order of payment.
pub fn fold(state: &State, person: PersonId) -> Vec<Term> {
    let adjustments = state.payments_of(person).flat_map(|payment| state.adjustments_of(&payment.reference));
    fold_payments(state.payments_of(person), adjustments)
}

/// The terms of one person, in order of payment: exactly one a payment.
///
/// `payments` and `adjustments` are all of this person's, in any order; an adjustment of another
/// payment is passed over. Costs O(n log n) of their number.
///
/// The rule (mitoc-member, `member/db.py`, with event time in place of the wall clock): with no
/// current term a term starts on the payment date; with fewer days left than the payment's renewal
/// window, on the day the current one expires; otherwise on the payment date. It ends one calendar
/// year after its start and is valid on its last day.
///
/// Takes no rules: dates and windows are recorded with the payments, so a changed configuration
/// moves no term that stands.
pub fn fold_payments<'a>(
    payments: impl IntoIterator<Item = &'a Payment>,
    adjustments: impl IntoIterator<Item = &'a Adjustment>,
) -> Vec<Term> {
    let mut payments: Vec<&Payment> = payments.into_iter().collect();
    // Keys live in an account; the reference tells two accounts apart.
    payments.sort_by_key(|payment| (payment.paid_at, &payment.event_key, &payment.reference));
    let mut of_payment: BTreeMap<&PaymentRef, Vec<&Adjustment>> = BTreeMap::new();
    for adjustment in adjustments {
        of_payment.entry(&adjustment.payment).or_default().push(adjustment);
    }
    let mut latest_expiry = None;
    payments
        .into_iter()
        .map(|payment| {
            let adjustments = of_payment.get(&payment.reference).map_or(&[][..], Vec::as_slice);
            let term = term(payment, latest_expiry, adjustments);
            if term.ended.is_none() {
                latest_expiry = latest_expiry.max(Some(term.expires));
            }
            term
        })
        .collect()
}

fn term(payment: &Payment, latest_expiry: Option<Date>, adjustments: &[&Adjustment]) -> Term {
    let starts = start(payment, latest_expiry);
    Term {
        payment: payment.reference.clone(),
        person: payment.person,
        starts,
        expires: a_year_after(starts),
        ended: ending(payment, adjustments),
    }
}

fn start(payment: &Payment, latest_expiry: Option<Date>) -> Date {
    let paid_on = payment.paid_on;
    let current = latest_expiry.filter(|expires| *expires >= paid_on);
    match current {
        Some(expires) if (expires - paid_on).get_days() < i32::from(payment.renewal_window_days) => expires,
        _ => paid_on,
    }
}

/// The earliest event that ended it, by the event's own time: the first refund that reached the
/// full amount, or a lost dispute.
fn ending(payment: &Payment, adjustments: &[&Adjustment]) -> Option<Ending> {
    let order =
        |adjustment: &Adjustment| -> (jiff::Timestamp, EventKey) { (adjustment.at, adjustment.event_key.clone()) };
    adjustments
        .iter()
        .filter_map(|adjustment| Some((*adjustment, ends(payment, adjustment.kind)?)))
        .min_by_key(|(adjustment, _)| order(adjustment))
        .map(|(adjustment, reason)| Ending { on: adjustment.on, reason })
}

fn ends(payment: &Payment, kind: AdjustmentKind) -> Option<EndReason> {
    match kind {
        AdjustmentKind::Refunded { cumulative_minor } if cumulative_minor >= payment.amount.minor => {
            Some(EndReason::Refunded)
        }
        AdjustmentKind::DisputeLost => Some(EndReason::DisputeLost),
        AdjustmentKind::Refunded { .. } | AdjustmentKind::DisputeOpened | AdjustmentKind::DisputeWon => None,
    }
}

#[cfg(test)]
mod tests {
    use rollbook_domain::{Currency, Email, Money, date_in};

    use super::*;

    fn payment(account: &str, transaction: &str, paid_at: &str) -> Payment {
        let paid_at = paid_at.parse().unwrap();
        Payment {
            reference: PaymentRef { account: account.into(), transaction: transaction.to_owned() },
            event_key: EventKey::captured(transaction),
            person: PersonId::of_first_address(&Email::parse("ada@example.org").unwrap()),
            paid_at,
            paid_on: date_in(&jiff::tz::TimeZone::UTC, paid_at),
            amount: Money { minor: 4000, currency: Currency::parse("USD").unwrap() },
            category: "NA".to_owned(),
            renewal_window_days: 40,
        }
    }

    fn starts(payments: &[Payment]) -> Vec<(String, String)> {
        let terms = fold_payments(payments, []);
        terms.iter().map(|term| (term.payment.transaction.clone(), term.starts.to_string())).collect()
    }

    fn both_ways(mut payments: Vec<Payment>) -> Vec<(String, String)> {
        let given = starts(&payments);
        payments.reverse();
        assert_eq!(starts(&payments), given, "the order given does not matter");
        given
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect()
    }

    #[test]
    fn nobody_has_no_terms() {
        assert_eq!(fold_payments([], []), []);
    }

    #[test]
    fn the_instant_decides_on_the_order_and_not_the_name() {
        let payments = vec![payment("club", "b", "2018-01-10T12:00:00Z"), payment("club", "a", "2018-12-20T12:00:00Z")];
        assert_eq!(both_ways(payments), pairs(&[("b", "2018-01-10"), ("a", "2019-01-10")]));
    }

    /// Both find 21 days left; only the first of them can keep those.
    #[test]
    fn at_one_instant_the_key_decides_and_then_the_account() {
        let first = || payment("club", "z", "2018-01-10T12:00:00Z");
        let at = "2018-12-20T12:00:00Z";
        let by_key = vec![first(), payment("club", "b", at), payment("branch", "a", at)];
        let expected = pairs(&[("z", "2018-01-10"), ("a", "2019-01-10"), ("b", "2018-12-20")]);
        assert_eq!(both_ways(by_key), expected);
        let by_account = vec![first(), payment("club", "a", at), payment("branch", "a", at)];
        let mut reversed = by_account.clone();
        reversed.reverse();
        let terms = fold_payments(&by_account, []);
        assert_eq!(fold_payments(&reversed, []), terms);
        assert_eq!(terms[1].payment.account.as_str(), "branch");
    }

    /// The later payment started earlier: what counts is the greatest last day, not the last term.
    #[test]
    fn current_is_what_lasts_longest() {
        let payments = vec![
            payment("club", "1", "2018-01-10T12:00:00Z"),
            payment("club", "2", "2018-12-20T12:00:00Z"),
            payment("club", "3", "2018-12-21T12:00:00Z"),
            payment("club", "4", "2019-12-15T12:00:00Z"),
        ];
        let expected = pairs(&[("1", "2018-01-10"), ("2", "2019-01-10"), ("3", "2018-12-21"), ("4", "2020-01-10")]);
        assert_eq!(both_ways(payments), expected);
    }
}
