//! What is taken back when a payment is.

use rollbook_domain::{Amount, Change, Earning, Event, FactRef, Fault, Money, Paid, PaymentRef, State};

use crate::earn::{fault, whole_micros};
use crate::rate::points;
use crate::reasons::{WRONG_AMOUNT, WRONG_CURRENCY};
use crate::share::{taken_from, under_cap};

/// How much of a payment was given back.
#[derive(Clone, Copy)]
pub(crate) enum Returned {
    /// So much in all, by this refund and those before.
    Refunded(Money),
    /// All of it: a dispute was lost.
    All,
}

/// Brings what the payment earned down to what is left of it. `awards` are what it was given, one a
/// rule.
pub(crate) fn adjust(
    event: &Event,
    awards: &[&Earning],
    returned: Returned,
    state: &State,
) -> Result<Vec<Change>, Fault> {
    let mut changes = Vec::new();
    for award in awards {
        let Some(paid) = &award.paid else { continue };
        let after = Paid { returned_minor: returned_minor(paid, award, returned, state)?, ..paid.clone() };
        changes.extend(bring_down(event, award, &after, state));
    }
    Ok(changes)
}

/// What the payment was given, one a rule, in order of rule.
pub(crate) fn awards<'a>(state: &'a State, payment: &PaymentRef) -> Vec<&'a Earning> {
    state.earned_by(payment).filter(|earning| earning.is_award()).collect()
}

/// Of this rule's rows the greatest: refunds may arrive in any order.
fn returned_minor(paid: &Paid, award: &Earning, returned: Returned, state: &State) -> Result<i64, Fault> {
    let new = match returned {
        Returned::All => paid.amount.minor,
        Returned::Refunded(cumulative) => cumulative_minor(paid, cumulative)?,
    };
    let before = of_rule(state, award, &paid.payment).filter_map(|earning| earning.paid.as_ref());
    Ok(before.map(|paid| paid.returned_minor).fold(new, i64::max))
}

fn cumulative_minor(paid: &Paid, cumulative: Money) -> Result<i64, Fault> {
    let amount = || Some(Amount::exact(cumulative));
    if cumulative.currency != paid.amount.currency {
        let (refunded, paid) = (cumulative.currency, paid.amount.currency);
        let detail = format!("refunded in {refunded}, but paid in {paid}; look the payment up");
        return Err(fault(WRONG_CURRENCY, &detail, amount()));
    }
    if cumulative.minor <= 0 {
        return Err(fault(WRONG_AMOUNT, "a refund must be more than zero; look the payment up", amount()));
    }
    Ok(cumulative.minor.min(paid.amount.minor))
}

fn of_rule<'a>(state: &'a State, award: &'a Earning, payment: &PaymentRef) -> impl Iterator<Item = &'a Earning> {
    state.earned_by(payment).filter(|earning| earning.rule == award.rule)
}

fn bring_down(event: &Event, award: &Earning, paid: &Paid, state: &State) -> Vec<Change> {
    let so_far: i64 = of_rule(state, award, &paid.payment).map(|earning| earning.earned).sum();
    // Less than the award, which could be counted.
    let earned = points(award.rate, Some(paid)).unwrap_or(so_far) - so_far;
    let moved = match (award.scope(), award.capped) {
        (Some(scope), Some(capped)) => under_cap(state, &scope, capped.points, earned),
        _ => earned,
    };
    let rows = taken_from(state, award, (-moved).max(0)).into_iter().enumerate();
    let row = |(index, (of, taken)): (usize, (FactRef, i64))| Earning {
        fact: FactRef { account: event.account.clone(), key: event.key.clone() },
        // The lifetime of points may have been changed meanwhile.
        expires_at: award_of(state, award, &of).expires_at,
        of,
        paid: Some(paid.clone()),
        earned: if index == 0 { earned } else { 0 },
        moved: -taken,
        at: whole_micros(event.occurred_at),
        ..award.clone()
    };
    rows.map(|taken| Change::Earn(Box::new(row(taken)))).collect()
}

/// The award of the fact `of` by the rule of `award`: that one, or another in its scope.
fn award_of<'a>(state: &'a State, award: &'a Earning, of: &FactRef) -> &'a Earning {
    let scope = award.scope();
    let mut others = scope.iter().flat_map(|scope| state.earned_in(scope));
    others.find(|other| other.is_award() && other.fact == *of).unwrap_or(award)
}
