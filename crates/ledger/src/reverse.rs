//! Reverse: a post or a settle is undone, once, and not while a part of it is taken back otherwise.
//!
//! What an owner got is taken back from them as in `clawback`; what of it expired unspent is not
//! asked for again. What an owner spent, or gave back, returns to the lots it came from, and leaves
//! at once where their date has passed.

use std::collections::BTreeMap;

use crate::books::Books;
use crate::clawback::{Gift, take};
use crate::lots::{Draft, Portion, up_to};
use crate::reads::Directory as _;
use crate::refusals::{already_reversed, already_taken_back, debt_too_large, not_reversible, too_large, unknown};
use crate::{Account, Command, LARGEST, Leg, LotMovement, Place, Refusal, TransactionId, reasons};

/// The account that the answer is about: the first leg's payer, or who got it from the system.
pub(crate) fn subject(books: &Books, transaction: TransactionId) -> Option<Account> {
    let first = books.legs(transaction).first()?;
    [first.from, first.to]
        .into_iter()
        .find_map(|account| Some(Account::available(account.asset, account.place.owner()?)))
}

pub(crate) fn reverse(books: &mut Books, command: &Command, transaction: TransactionId) -> Result<(), Refusal> {
    check(books, transaction)?;
    let legs: Vec<Leg> = to_undo(books, transaction).copied().collect();
    check_size(books, &legs)?;
    let mut draft = Draft::new(books, command.id, command.at);
    for leg in &legs {
        undo(&mut draft, leg);
    }
    draft.expire_returned();
    Ok(())
}

/// Expiries are not undone: what returns to an overdue lot leaves anew.
fn to_undo(books: &Books, transaction: TransactionId) -> impl Iterator<Item = &Leg> {
    let expiry = |account: Account| account.place == Place::Expired;
    books.legs(transaction).iter().filter(move |leg| !expiry(leg.from) && !expiry(leg.to))
}

fn check(books: &Books, id: TransactionId) -> Result<(), Refusal> {
    let Some(transaction) = books.transaction(id) else {
        return Err(unknown(reasons::UNKNOWN_TRANSACTION, "transaction"));
    };
    let standing = subject(books, id).map(|account| (account.asset, books.sums(account)));
    if !transaction.is_reversible() {
        return Err(not_reversible(transaction, standing));
    }
    if books.reversed.contains(&id) {
        return Err(already_reversed(standing));
    }
    match books.taken_back(id).as_slice() {
        [] => Ok(()),
        taken => Err(already_taken_back(taken, standing)),
    }
}

/// As if nothing of it could be taken back, and all that was spent returned.
fn check_size(books: &Books, legs: &[Leg]) -> Result<(), Refusal> {
    let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
    for leg in legs {
        if let Some(payer) = leg.from.place.owner() {
            *sums.entry(Account::available(leg.from.asset, payer)).or_default() += leg.amount;
        }
        if let Some(receiver) = leg.to.place.owner() {
            *sums.entry(Account::owed(leg.to.asset, receiver)).or_default() -= leg.amount;
        }
    }
    for (account, change) in sums {
        let (asset, now) = (account.asset, books.sums(account));
        match account.place {
            Place::Owed(_) if -now.posted > LARGEST + change => {
                return Err(debt_too_large(asset, -change, -now.posted));
            }
            Place::Available(_) if now.posted > LARGEST - change => return Err(too_large(asset, change, now)),
            _ => {}
        }
    }
    Ok(())
}

fn undo(draft: &mut Draft<'_>, leg: &Leg) {
    let moved = draft.books.movements(leg);
    let mut restored = to_restore(draft.books, &moved);
    match leg.to.place {
        Place::Available(owner) => {
            let gift = Gift::of_leg(draft.books, leg, &moved);
            let taken = take(draft.books, leg.to, leg.amount - gift.expired(), &gift);
            give(draft, leg.to, leg.from, taken.amount, &taken.portions, &mut restored);
            let owed = Account::owed(leg.to.asset, owner);
            give(draft, owed, leg.from, taken.missing, &[], &mut restored);
        }
        _ => give_back(draft, leg, &mut restored),
    }
}

/// A debt that was paid meanwhile is paid out.
fn give_back(draft: &mut Draft<'_>, leg: &Leg, restored: &mut Vec<Portion>) {
    let Place::Owed(owner) = leg.from.place else {
        return give(draft, leg.to, leg.from, leg.amount, &[], restored);
    };
    let owed = leg.amount.min(-draft.books.sums(leg.from).posted);
    give(draft, leg.to, leg.from, owed, &[], restored);
    give(draft, leg.to, Account::available(leg.to.asset, owner), leg.amount - owed, &[], restored);
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
