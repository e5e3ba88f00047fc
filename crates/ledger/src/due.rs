//! What is due expires first, soonest first, each at its own date.
//!
//! A hold that expires at the same moment as a lot goes first, so that what it returns to that lot
//! expires with it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::books::Books;
use crate::decide::{Entry, record};
use crate::lots::Draft;
use crate::refusals::{not_due, resolved, unknown};
use crate::{Account, Answer, Command, Due, HoldId, HoldState, LotId, Refusal, TransactionId, Verdict, reasons};

/// Lets everything expire that is due in `accounts` by `at`.
pub(crate) fn expire_due(books: &mut Books, accounts: &BTreeSet<Account>, at: Timestamp) {
    while let Some((date, due)) = next(books, accounts).filter(|(date, _)| *date <= at) {
        match due {
            Due::Hold(hold) => expire_hold(books, hold, date),
            Due::Lot(lot) => expire_lot(books, lot, date),
        }
    }
}

fn next(books: &Books, accounts: &BTreeSet<Account>) -> Option<(Timestamp, Due)> {
    let holds = accounts.iter().filter_map(|account| books.next_hold(*account));
    let holds = holds.map(|(date, hold)| (date, Due::Hold(hold)));
    let lots = accounts.iter().filter_map(|account| books.free_lots(*account).next());
    let lots = lots.map(|lot| (lot.expires_at, Due::Lot(lot.id)));
    holds.chain(lots).min()
}

fn expire_hold(books: &mut Books, hold: HoldId, date: Timestamp) {
    let Some(mut row) = books.hold(hold) else { return };
    row.state = HoldState::Expired;
    books.set_hold(row);
    let command = Command::expiring(Due::Hold(hold), date);
    let mut draft = Draft::new(books, command.id, date);
    draft.unpin(&row);
    draft.expire_returned();
    record(books, Entry { hold: Some(hold), ..Entry::of(&command) }, Verdict::Applied, Some(row.account));
}

fn expire_lot(books: &mut Books, lot: LotId, date: Timestamp) {
    let Some(mut row) = books.lot(lot) else { return };
    row.lapsed = true;
    let command = Command::expiring(Due::Lot(lot), date);
    Draft::new(books, command.id, date).expire(row);
    record(books, Entry { lot: Some(lot), ..Entry::of(&command) }, Verdict::Applied, Some(row.account));
}

/// Answers the sweep, whose order has been done already if it was due. A no is not recorded: the
/// id is that of the expiry, which may still come.
pub(crate) fn answer(books: &Books, id: TransactionId, due: Due) -> Answer {
    if let Some(done) = books.decided.get(&id) {
        return Answer::of(done, false);
    }
    let refusal = match due {
        Due::Hold(hold) => refuse_hold(books, hold),
        Due::Lot(lot) => refuse_lot(books, lot),
    };
    Answer::unrecorded(id, refusal)
}

fn refuse_hold(books: &Books, hold: HoldId) -> Refusal {
    let Some(hold) = books.named_hold(hold) else { return unknown(reasons::UNKNOWN_HOLD, "hold") };
    let sums = books.sums(hold.account);
    match hold.state {
        HoldState::Open => not_due(hold.account.asset, sums),
        state => resolved(state, hold.account.asset, sums),
    }
}

fn refuse_lot(books: &Books, lot: LotId) -> Refusal {
    let Some(lot) = books.named_lot(lot) else { return unknown(reasons::UNKNOWN_LOT, "lot") };
    not_due(lot.account.asset, books.sums(lot.account))
}
