//! Reversals and take-backs, one story a test.

use rollbook_ledger::model::at;
use rollbook_ledger::{Actor, Asset, Command, Destination, Move, Order};

use crate::club::{Club, applied, hold_of, id, owner, refusal};

#[test]
fn a_refunded_payment_leaves_a_debt_that_the_next_award_pays_first() {
    let mut club = Club::new();
    let award = club.award(0, 100, None);
    applied(&club.redeem(0, 70));
    applied(&club.reverse(award));
    assert_eq!((club.has(0), club.owes(0)), (0, 70));
    let next = club.award(0, 90, Some(50));
    assert_eq!((club.has(0), club.owes(0)), (20, 0));
    applied(&club.reverse(next));
    assert_eq!((club.has(0), club.owes(0)), (0, 70), "the debt stands as before it");
}

#[test]
fn points_that_expired_unspent_are_no_debt() {
    let mut club = Club::new();
    let award = club.award(0, 100, Some(20));
    applied(&club.redeem(0, 30));
    club.until(20).sweep();
    applied(&club.reverse(award));
    assert_eq!((club.has(0), club.owes(0)), (0, 30));
}

#[test]
fn a_clawback_takes_its_own_points_before_others() {
    let mut club = Club::new();
    club.award(0, 10, Some(20));
    let late = club.award(0, 10, Some(40));
    applied(&club.reverse(late));
    club.until(20).sweep();
    assert_eq!(club.has(0), 0, "those of 20 were left");
}

/// Two rules gave by one event, and what one of them gave is taken back.
#[test]
fn a_clawback_that_names_a_date_takes_what_the_event_gave_until_then() {
    for (expiring, left) in [(20, 10), (40, 6)] {
        let mut club = Club::new();
        let award = |amount, until| Move::Award { to: owner(0), amount, expires_at: Some(at(until)) };
        let moves = vec![award(4, 20), award(10, 40)];
        let of = Some(applied(&club.order(Order::Post { asset: Asset::Points, moves })));
        let take_back = Move::TakeBack { from: owner(0), amount: 4, of, expiring: Some(at(expiring)) };
        applied(&club.order(Order::Post { asset: Asset::Points, moves: vec![take_back] }));
        club.until(20).sweep();
        assert_eq!(club.has(0), left);
    }
}

#[test]
fn a_clawback_that_names_a_date_finds_what_expired_then() {
    let mut club = Club::new();
    let award = |amount, until| Move::Award { to: owner(0), amount, expires_at: Some(at(until)) };
    let moves = vec![award(4, 20), award(10, 40)];
    let of = Some(applied(&club.order(Order::Post { asset: Asset::Points, moves })));
    club.until(20).sweep();
    let take_back = |amount, until| Move::TakeBack { from: owner(0), amount, of, expiring: Some(at(until)) };
    let moves = vec![take_back(4, 20), take_back(3, 40)];
    applied(&club.order(Order::Post { asset: Asset::Points, moves }));
    assert_eq!((club.has(0), club.owes(0)), (7, 0));
}

#[test]
fn a_clawback_leaves_what_is_held_and_makes_a_debt() {
    let mut club = Club::new();
    let award = club.award(0, 10, None);
    let hold = hold_of(&club.hold(0, 7, None));
    applied(&club.reverse(award));
    assert_eq!((club.has(0), club.owes(0)), (7, 7));
    applied(&club.settle(hold, Destination::Redeemed, 7));
}

#[test]
fn a_partial_refund_takes_its_own_points_before_others() {
    let mut club = Club::new();
    club.award(0, 10, Some(20));
    let late = club.award(0, 10, Some(40));
    club.take_back(0, 4, Some(late));
    club.until(20).sweep();
    assert_eq!(club.has(0), 6, "those of 20 were left, and expired");
    club.take_back(0, 10, Some(late));
    assert_eq!((club.has(0), club.owes(0)), (0, 4), "four more than it gave");
}

#[test]
fn a_take_back_of_no_award_takes_the_soonest() {
    let mut club = Club::new();
    club.award(0, 10, Some(40));
    club.award(0, 10, Some(20));
    club.take_back(0, 12, None);
    club.until(20).sweep();
    assert_eq!(club.has(0), 8);
}

/// What has no date cannot be told from what has one without looking at all of it.
#[test]
fn undated_points_that_are_spent_are_not_found_among_dated_ones() {
    let mut club = Club::new();
    let undated = club.award(0, 10, None);
    applied(&club.redeem(0, 10));
    club.award(0, 20, Some(30));
    club.award(0, 20, Some(40));
    club.take_back(0, 10, Some(undated));
    club.until(30).sweep();
    assert_eq!(club.has(0), 20, "ten of the first lot expired");
    club.until(40).sweep();
    assert_eq!(club.has(0), 0);
}

#[test]
fn two_partial_refunds_take_as_much_as_one() {
    let spent_and_expired = || {
        let mut club = Club::new();
        let award = club.award(0, 100, Some(20));
        applied(&club.redeem(0, 30));
        club.until(20).sweep();
        (club, award)
    };
    for parts in [&[100][..], &[60, 40], &[90, 10], &[1, 99]] {
        let (mut club, award) = spent_and_expired();
        for part in parts {
            club.take_back(0, *part, Some(award));
        }
        assert_eq!((club.has(0), club.owes(0)), (0, 30), "{parts:?}: the 70 that expired are no debt");
    }
}

#[test]
fn what_was_reversed_is_not_taken_back_again() {
    let mut club = Club::new();
    let award = club.award(0, 10, None);
    applied(&club.redeem(0, 10));
    applied(&club.reverse(award));
    club.take_back(0, 10, Some(award));
    assert_eq!((club.has(0), club.owes(0)), (0, 10));
    club.take_back(0, 10, Some(id(999)));
    assert_eq!(club.owes(0), 20, "one that nobody knows sets no order");
}

#[test]
fn what_was_taken_back_is_not_reversed_until_that_is() {
    let mut club = Club::new();
    let award = club.award(0, 100, None);
    let taken = club.take_back(0, 40, Some(award));
    applied(&club.redeem(0, 30));
    assert_eq!(refusal(&club.reverse(award)).0, "already_taken_back");
    assert_eq!((club.has(0), club.owes(0)), (30, 0), "nothing was changed");
    applied(&club.reverse(taken));
    applied(&club.reverse(award));
    assert_eq!((club.has(0), club.owes(0)), (0, 30), "as much as was spent");
}

#[test]
fn what_expired_or_became_a_debt_was_taken_back_as_well() {
    let mut club = Club::new();
    let (short, spent) = (club.award(0, 10, Some(20)), club.award(1, 10, None));
    applied(&club.redeem(1, 10));
    club.until(20).sweep();
    club.take_back(0, 10, Some(short));
    club.take_back(1, 10, Some(spent));
    for award in [short, spent] {
        assert_eq!(refusal(&club.reverse(award)).0, "already_taken_back");
    }
    assert_eq!((club.owes(0), club.owes(1)), (0, 10));
}

/// What names a transaction only sets no order, so it is none of its take-backs.
#[test]
fn a_take_back_from_somebody_else_keeps_nothing_from_being_reversed() {
    let mut club = Club::new();
    club.award(1, 10, None);
    club.take_back(0, 1, Some(id(club.next + 2)));
    let award = club.award(0, 10, None);
    club.take_back(1, 5, Some(award));
    applied(&club.reverse(award));
    assert_eq!((club.owes(0), club.has(1)), (1, 5), "the debt is from before the award");
}

#[test]
fn a_command_takes_nothing_back_of_itself() {
    let mut club = Club::new();
    club.award(0, 10, Some(20));
    let own = Some(id(club.next + 1));
    let award = Move::Award { to: owner(0), amount: 10, expires_at: Some(at(40)) };
    let take_back = Move::TakeBack { from: owner(0), amount: 10, of: own, expiring: None };
    let both = applied(&club.order(Order::Post { asset: Asset::Points, moves: vec![award, take_back] }));
    club.until(20).sweep();
    assert_eq!(club.has(0), 10, "those of 20 were taken");
    applied(&club.reverse(both));
}

#[test]
fn a_take_back_is_no_gift_even_of_what_had_expired() {
    let mut club = Club::new();
    let award = club.award(0, 1, Some(20));
    club.until(20).sweep();
    let taken = club.take_back(0, 1, Some(award));
    applied(&club.reverse(taken));
    club.take_back(0, 5, Some(taken));
    assert_eq!((club.has(0), club.owes(0)), (0, 5));
}

#[test]
fn a_dispute_that_is_won_gives_back_what_was_taken() {
    let mut club = Club::new();
    let award = club.award(0, 10, Some(20));
    applied(&club.redeem(0, 4));
    let taken = club.take_back(0, 10, Some(award));
    assert_eq!((club.has(0), club.owes(0)), (0, 4));
    club.award(0, 3, Some(50));
    assert_eq!((club.has(0), club.owes(0)), (0, 1));
    applied(&club.until(15).reverse(taken));
    assert_eq!((club.has(0), club.owes(0)), (9, 0), "six as they were, and the three that had paid the debt");
    club.until(20).sweep();
    assert_eq!(club.has(0), 3);
    club.take_back(0, 10, Some(award));
    assert_eq!((club.has(0), club.owes(0)), (0, 1), "six had expired unspent");
}

#[test]
fn what_a_take_back_leaves_can_be_spent_in_the_same_command() {
    let mut club = Club::new();
    let award = club.award(0, 10, Some(20));
    let take_back = Move::TakeBack { from: owner(0), amount: 6, of: Some(award), expiring: None };
    let spend = |amount| Move::Spend { from: owner(0), to: Destination::Redeemed, amount };
    let order = |moves| Order::Post { asset: Asset::Points, moves };
    assert_eq!(refusal(&club.order(order(vec![take_back, spend(5)]))).0, "insufficient_points");
    applied(&club.order(order(vec![take_back, spend(4)])));
    assert_eq!((club.has(0), club.owes(0)), (0, 0));
}

#[test]
fn what_expired_is_found_once_within_one_command() {
    let mut club = Club::new();
    let award = club.award(0, 10, Some(20));
    club.until(20).sweep();
    club.award(0, 10, None);
    let take_back = Move::TakeBack { from: owner(0), amount: 6, of: Some(award), expiring: None };
    let spend = |amount| Move::Spend { from: owner(0), to: Destination::Redeemed, amount };
    let order = |moves| Order::Post { asset: Asset::Points, moves };
    let refused = club.order(order(vec![take_back, take_back, spend(9)]));
    assert_eq!(refusal(&refused).0, "insufficient_points", "ten of twelve had expired");
    applied(&club.order(order(vec![take_back, take_back, spend(8)])));
    assert_eq!((club.has(0), club.owes(0)), (0, 0));
}

/// In memory rows stand as they were made, from a database they come in any order.
#[test]
fn a_reversal_over_several_lots_is_the_same_in_one_batch_or_alone() {
    let post = |n: usize, step| {
        let order = Order::Post { asset: Asset::Points, moves: vec![step] };
        Command::new(id(n), at(0), Actor::System, order).unwrap()
    };
    let award = |expires| Move::Award { to: owner(0), amount: 10, expires_at: Some(at(expires)) };
    let spend = |from: usize, to, amount| Move::Spend { from: owner(from), to, amount };
    let commands = [
        post(0, award(30)),
        post(1, award(20)),
        post(2, spend(0, Destination::Owner(owner(1)), 20)),
        post(3, spend(1, Destination::Redeemed, 15)),
        Command::new(id(4), at(0), Actor::System, Order::Reverse { transaction: id(2) }).unwrap(),
    ];
    let (mut together, mut alone) = (Club::new().tables, Club::new().tables);
    together.run(&commands);
    for command in commands {
        alone.run_one(command);
    }
    assert_eq!(together, alone);
}

#[test]
fn what_a_reversed_redemption_returns_keeps_its_date() {
    let mut club = Club::new();
    club.award(0, 10, Some(20));
    let (soon, late) = (applied(&club.redeem(0, 4)), applied(&club.redeem(0, 6)));
    applied(&club.reverse(soon));
    assert_eq!(club.has(0), 4);
    applied(&club.until(25).reverse(late));
    assert_eq!(club.has(0), 0, "the first four expired at 20, the others as they came");
}

#[test]
fn a_reversed_transfer_makes_both_whole() {
    let mut club = Club::new();
    club.award(0, 10, Some(20));
    let transfer = applied(&club.transfer(0, 1, 8));
    applied(&club.redeem(1, 3));
    applied(&club.reverse(transfer));
    assert_eq!((club.has(0), club.has(1), club.owes(1)), (10, 0, 3));
    assert_eq!(refusal(&club.reverse(transfer)).0, "already_reversed");
}

#[test]
fn a_reversal_cannot_be_reversed() {
    let mut club = Club::new();
    let award = club.award(0, 10, None);
    let reversal = applied(&club.reverse(award));
    let award = club.award(0, 10, None);
    let hold = applied(&club.hold(0, 10, None));
    assert_eq!(refusal(&club.reverse(reversal)).0, "not_reversible");
    assert_eq!(refusal(&club.reverse(hold)).0, "not_reversible");
    assert_eq!(refusal(&club.reverse(id(999))).0, "unknown_transaction");
    applied(&club.reverse(award));
}
