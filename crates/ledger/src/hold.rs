//! Holds: placed, settled, voided. Their expiry is in `due`.
//!
//! A hold pins the lots that a spending would take, and touches no posted balance. It is resolved
//! once; what a settle does not spend returns.

use jiff::Timestamp;

use crate::books::Books;
use crate::decide::may_spend;
use crate::lots::{Draft, Portion, soonest, up_to};
use crate::post::destination;
use crate::refusals::{exceeds_hold, insufficient, resolved, to_itself, too_large, unknown};
use crate::{Account, Command, Destination, Hold, HoldId, HoldState, LARGEST, Pin, Refusal, Share, reasons};

pub(crate) fn place(
    books: &mut Books,
    command: &Command,
    from: Account,
    amount: i64,
    expires_at: Option<Timestamp>,
) -> Result<(), Refusal> {
    may_spend(books, command.actor, from)?;
    let sums = books.sums(from);
    if sums.available() < amount {
        return Err(insufficient(from.asset, amount, sums));
    }
    let id = HoldId::placed_by(command.id);
    pin(books, id, from, amount);
    books.balance(from).sums.held += amount;
    books.place_hold(Hold { id, account: from, amount, state: HoldState::Open, settled: 0, expires_at });
    Ok(())
}

fn pin(books: &mut Books, hold: HoldId, from: Account, amount: i64) {
    for Portion { lot, amount } in soonest(books, from, amount) {
        let mut row = books.lot(lot).expect("the lots of an account are loaded");
        row.held += amount;
        books.set_lot(row);
        books.add_pin(Pin { hold, lot, amount });
    }
}

pub(crate) fn void(books: &mut Books, command: &Command, hold: HoldId) -> Result<(), Refusal> {
    let mut hold = open(books, command, hold)?;
    hold.state = HoldState::Voided;
    books.set_hold(hold);
    let mut draft = Draft::new(books, command.id, command.at);
    draft.unpin(&hold);
    draft.expire_returned();
    Ok(())
}

pub(crate) fn settle(books: &mut Books, command: &Command, hold: HoldId, shares: &[Share]) -> Result<(), Refusal> {
    let mut hold = open(books, command, hold)?;
    check_shares(books, &hold, shares)?;
    hold.state = HoldState::Settled;
    hold.settled = shares.iter().map(|share| share.amount).sum();
    books.set_hold(hold);
    let mut draft = Draft::new(books, command.id, command.at);
    let mut pinned = draft.unpin(&hold);
    for share in shares {
        let portions = up_to(share.amount, pinned.iter().copied());
        remove(&mut pinned, &portions);
        draft.hand_over(hold.account, destination(hold.account.asset, share.to), share.amount, &portions);
    }
    draft.expire_returned();
    Ok(())
}

/// Takes `portions`, which are its first, off `pinned`.
fn remove(pinned: &mut Vec<Portion>, portions: &[Portion]) {
    for (left, portion) in pinned.iter_mut().zip(portions) {
        left.amount -= portion.amount;
    }
    pinned.retain(|portion| portion.amount > 0);
}

fn open(books: &Books, command: &Command, hold: HoldId) -> Result<Hold, Refusal> {
    let hold = books.named_hold(hold).ok_or_else(|| unknown(reasons::UNKNOWN_HOLD, "hold"))?;
    may_spend(books, command.actor, hold.account)?;
    match hold.state {
        HoldState::Open => Ok(hold),
        state => Err(resolved(state, hold.account.asset, books.sums(hold.account))),
    }
}

fn check_shares(books: &Books, hold: &Hold, shares: &[Share]) -> Result<(), Refusal> {
    let (asset, sums) = (hold.account.asset, books.sums(hold.account));
    let asked: i64 = shares.iter().map(|share| share.amount).sum();
    if asked > hold.amount {
        return Err(exceeds_hold(asset, asked, hold.amount, sums));
    }
    for share in shares {
        let to = destination(asset, share.to);
        if to == hold.account {
            return Err(to_itself(asset, sums));
        }
        if matches!(share.to, Destination::Owner(_)) && asked > LARGEST - books.sums(to).posted {
            return Err(too_large(asset, asked, books.sums(to)));
        }
    }
    Ok(())
}
