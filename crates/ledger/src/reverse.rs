//! Reverse: a post or a settle is undone, once.
//!
//! What an owner got is taken back from them: the very lots it made, then others, soonest first; what is
//! missing becomes their debt, so that a reversal is never refused for want of a balance. What of it
//! expired unspent is not asked for again. What an owner spent returns to the lots it came from,
//! and leaves at once where their date has passed.

use crate::answer::{already_reversed, not_reversible, unknown};
use crate::books::Books;
use crate::lots::{Draft, Portion, soonest, up_to};
use crate::reads::Directory as _;
use crate::{Account, Command, Kind, Leg, LotMovement, Place, Refusal, TransactionId, reasons};

/// The account that the answer is about: the first leg's payer, or who got it from the system.
pub(crate) fn subject(books: &Books, transaction: TransactionId) -> Option<Account> {
    let first = books.legs(transaction).first()?;
    [first.from, first.to]
        .into_iter()
        .find_map(|account| Some(Account::available(account.asset, account.place.owner()?)))
}

pub(crate) fn reverse(books: &mut Books, command: &Command, transaction: TransactionId) -> Result<(), Refusal> {
    check(books, transaction)?;
    let legs: Vec<Leg> = books.legs(transaction).to_vec();
    let mut draft = Draft::new(books, command.id, command.at);
    for leg in legs.iter().filter(|leg| leg.to.place != Place::Expired) {
        undo(&mut draft, leg);
    }
    draft.expire_returned();
    Ok(())
}

fn check(books: &Books, id: TransactionId) -> Result<(), Refusal> {
    let Some(transaction) = books.transaction(id) else {
        return Err(unknown(reasons::UNKNOWN_TRANSACTION, "transaction"));
    };
    let standing = subject(books, id).map(|account| (account.asset, books.sums(account)));
    if !transaction.is_applied() {
        return Err(not_reversible(transaction.kind.as_str(), "rejected", standing));
    }
    if !matches!(transaction.kind, Kind::Post | Kind::Settle) {
        return Err(not_reversible(transaction.kind.as_str(), "applied", standing));
    }
    if books.reversed.contains(&id) {
        return Err(already_reversed(standing));
    }
    Ok(())
}

fn undo(draft: &mut Draft<'_>, leg: &Leg) {
    let moved = draft.books.movements(leg);
    let mut restored = to_restore(draft.books, &moved);
    match leg.to.place {
        Place::Available(owner) => {
            let taken = take_back(draft.books, leg, &moved);
            give(draft, leg.to, leg.from, taken.amount, &taken.portions, &mut restored);
            let owed = Account::owed(leg.to.asset, owner);
            give(draft, owed, leg.from, taken.missing, &[], &mut restored);
        }
        _ => give(draft, leg.to, leg.from, leg.amount, &[], &mut restored),
    }
}

/// One leg of the reversal, with what leaves lots and what returns to them.
fn give(
    draft: &mut Draft<'_>,
    from: Account,
    to: Account,
    amount: i64,
    portions: &[Portion],
    restored: &mut Vec<Portion>,
) {
    if amount == 0 {
        return;
    }
    let n = draft.leg(from, to, amount);
    for portion in portions {
        draft.take_out(n, *portion);
    }
    for portion in up_to(amount, restored.clone()) {
        draft.put_back(n, portion);
        spend(restored, portion);
    }
}

fn spend(restored: &mut Vec<Portion>, portion: Portion) {
    for left in restored.iter_mut().filter(|left| left.lot == portion.lot) {
        left.amount -= portion.amount;
    }
    restored.retain(|left| left.amount > 0);
}

/// What was taken out of lots, less what expired where it went.
fn to_restore(books: &Books, moved: &[LotMovement]) -> Vec<Portion> {
    let made: Vec<_> = made(moved).filter_map(|portion| books.lot(portion.lot)).collect();
    let left = moved.iter().filter(|movement| movement.amount < 0).map(|movement| {
        let gone = made.iter().filter(|lot| lot.source == Some(movement.lot)).map(|lot| lot.expired).sum::<i64>();
        Portion { lot: movement.lot, amount: -movement.amount - gone }
    });
    left.filter(|portion| portion.amount > 0).collect()
}

fn made(moved: &[LotMovement]) -> impl Iterator<Item = Portion> + '_ {
    let into = moved.iter().filter(|movement| movement.amount > 0);
    into.map(|movement| Portion { lot: movement.lot, amount: movement.amount })
}

struct Taken {
    amount: i64,
    portions: Vec<Portion>,
    missing: i64,
}

/// What can be taken from the one who got it, and from where.
fn take_back(books: &Books, leg: &Leg, moved: &[LotMovement]) -> Taken {
    let lots: Vec<_> = made(moved).filter_map(|portion| books.lot(portion.lot)).collect();
    let wanted = leg.amount - lots.iter().map(|lot| lot.expired).sum::<i64>();
    let available = books.sums(leg.to).available();
    let amount = wanted.min(available);
    let own = up_to(amount, lots.iter().map(|lot| Portion { lot: lot.id, amount: lot.free() }));
    let dated = books.free_lots(leg.to).map(crate::Lot::free).sum::<i64>();
    let own_undated = (leg.amount - made(moved).map(|portion| portion.amount).sum::<i64>()).min(available - dated);
    let rest = (amount - total(&own) - own_undated).max(0);
    let portions = own.iter().copied().filter(|portion| portion.amount > 0).chain(others(books, leg.to, &own, rest));
    Taken { amount, portions: portions.collect(), missing: wanted - amount }
}

/// `rest` units of other lots, soonest first.
fn others(books: &Books, account: Account, own: &[Portion], rest: i64) -> Vec<Portion> {
    let all = soonest(books, account, i64::MAX);
    up_to(rest, all.into_iter().filter(|portion| own.iter().all(|other| other.lot != portion.lot)))
}

fn total(portions: &[Portion]) -> i64 {
    portions.iter().map(|portion| portion.amount).sum()
}
