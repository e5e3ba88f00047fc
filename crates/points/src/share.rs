//! From what was earned to what is moved: the cap, and whose points are taken back.

use std::collections::BTreeMap;

use rollbook_domain::{Earning, FactRef, Scope, State};

/// What an owner may still be given, or must give back, once they have earned so much more in `scope`
/// under a cap of `cap` points (of those that were in force the greatest holds).
pub(crate) fn under_cap(state: &State, scope: &Scope, cap: i64, earned: i64) -> i64 {
    let (mut cap, mut earned, mut moved) = (cap, earned, 0_i64);
    for earning in state.earned_in(scope) {
        cap = cap.max(earning.capped.map_or(0, |capped| capped.points));
        earned = earned.saturating_add(earning.earned);
        moved = moved.saturating_add(earning.moved);
    }
    earned.clamp(0, cap) - moved
}

/// Whose points `amount` is taken back from: first what `award` gave, then what else stands in its
/// scope, which has the same owner and expires with it.
pub(crate) fn taken_from(state: &State, award: &Earning, amount: i64) -> Vec<(FactRef, i64)> {
    let standing = standing(state, award);
    let own = standing.get_key_value(&award.fact);
    let others = standing.iter().filter(|(of, _)| **of != award.fact);
    let mut left = amount;
    let mut taken = Vec::new();
    for (of, stands) in own.into_iter().chain(others) {
        let part = left.min((*stands).max(0));
        left -= part;
        // The first row says what was earned, too, even where nothing of it was moved.
        if part > 0 || *of == award.fact {
            taken.push((of.clone(), part));
        }
    }
    taken
}

/// What stands of each award that points may be taken back from.
fn standing(state: &State, award: &Earning) -> BTreeMap<FactRef, i64> {
    let mut standing = BTreeMap::from([(award.fact.clone(), 0)]);
    let mut count = |earning: &Earning| *standing.entry(earning.of.clone()).or_default() += earning.moved;
    match (award.scope(), &award.paid) {
        (Some(scope), _) => state.earned_in(&scope).for_each(&mut count),
        (None, Some(paid)) => {
            let of_rule = state.earned_by(&paid.payment).filter(|earning| earning.rule == award.rule);
            of_rule.for_each(&mut count);
        }
        (None, None) => {}
    }
    standing
}
