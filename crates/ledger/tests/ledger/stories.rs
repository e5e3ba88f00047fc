//! What the rules mean for members, one story a test.

use rollbook_ledger::model::at;
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Command, Destination, HoldId, LARGEST, LotId, Move, Order, Owner, TransactionId,
    Verdict,
};

use crate::club::{Club, WORLD, applied, hold_of, id, owner, refusal};

#[test]
fn the_second_till_is_refused_and_told_why() {
    let mut club = Club::new();
    club.award(0, 100, None);
    applied(&club.hold(0, 40, None));
    let (reason, detail) = {
        let answer = club.redeem(0, 80);
        let (reason, detail) = refusal(&answer);
        (reason.to_owned(), detail.to_owned())
    };
    assert_eq!(reason, "insufficient_points");
    assert_eq!(detail, "this needs 80 points and 60 are available: the balance is 100 points, of which 40 are held");
    applied(&club.redeem(0, 60));
}

#[test]
fn a_refusal_stands_even_when_the_points_are_there_by_now() {
    let mut club = Club::new();
    let refused = club.redeem(0, 10);
    club.award(0, 10, None);
    let moves = vec![Move::Spend { from: owner(0), to: Destination::Redeemed, amount: 10 }];
    let again = Command::new(refused.id, at(5), Actor::System, Order::Post { asset: Asset::Points, moves }).unwrap();
    assert_eq!(club.tables.run_one(again), Answer { repeated: true, ..refused });
    assert_eq!(club.has(0), 10);
}

#[test]
fn an_id_is_for_one_command() {
    let mut club = Club::new();
    let award = club.award(0, 10, None);
    let before = club.tables.clone();
    let moves = vec![Move::Award { to: owner(0), amount: 11, expires_at: None }];
    let other = Command::new(award, at(0), Actor::System, Order::Post { asset: Asset::Points, moves }).unwrap();
    let answer = club.tables.run_one(other);
    assert_eq!(refusal(&answer).0, "conflicting_duplicate");
    assert_eq!(club.tables, before);
}

#[test]
fn a_memo_is_kept_and_is_no_part_of_what_is_asked() {
    let mut club = Club::new();
    let moves = vec![Move::Award { to: owner(0), amount: 10, expires_at: None }];
    let order = Order::Post { asset: Asset::Points, moves };
    let award = |memo: &str| Command::new(id(1), at(0), Actor::System, order.clone()).unwrap().with_memo(memo);
    let first = club.tables.run_one(award("  raked the pitch \n").unwrap());
    let again = club.tables.run_one(award("swept the hall").unwrap());
    assert_eq!(again, Answer { repeated: true, ..first });
    let row = &club.tables.rows.transactions[0];
    assert_eq!(row.memo.as_deref(), Some("raked the pitch"));
    let debug = format!("{row:?} {:?}", award("raked the pitch").unwrap());
    assert!(!debug.contains("raked"), "{debug}");
}

#[test]
fn what_expires_soonest_is_spent_first() {
    let mut club = Club::new();
    club.award(0, 10, Some(30));
    club.award(0, 10, Some(20));
    club.award(0, 10, None);
    applied(&club.redeem(0, 15));
    club.until(25).sweep();
    assert_eq!(club.has(0), 15, "the whole lot of 20 was spent");
    club.until(30).sweep();
    assert_eq!(club.has(0), 10, "the undated ones are left");
}

#[test]
fn an_expiry_has_its_own_date_whoever_notices() {
    let mut club = Club::new();
    let award = club.award(0, 10, Some(20));
    assert_eq!(refusal(&club.until(500).redeem(0, 1)).0, "insufficient_points");
    let expiry = TransactionId::expiring_lot(LotId::of(award, 0));
    let row = club.tables.rows.transactions.iter().find(|one| one.id == expiry).unwrap();
    assert_eq!(row.at, at(20));
}

#[test]
fn a_transfer_keeps_the_expiry() {
    let mut club = Club::new();
    club.award(0, 10, Some(20));
    applied(&club.transfer(0, 1, 6));
    club.until(20).sweep();
    assert_eq!((club.has(0), club.has(1)), (0, 0));
}

#[test]
fn a_discount_quoted_in_time_is_kept_after_the_date() {
    let mut club = Club::new();
    club.award(0, 10, Some(20));
    let hold = hold_of(&club.hold(0, 8, Some(40)));
    club.until(30).sweep();
    assert_eq!(club.has(0), 8, "what is held waits");
    applied(&club.settle(hold, Destination::Redeemed, 5));
    assert_eq!(club.has(0), 0, "what came back was over its date");
}

#[test]
fn a_hold_is_resolved_once() {
    let mut club = Club::new();
    club.award(0, 10, None);
    let hold = hold_of(&club.hold(0, 10, Some(50)));
    assert_eq!(refusal(&club.settle(hold, Destination::Redeemed, 11)).0, "exceeds_hold");
    assert_eq!(refusal(&club.settle(hold, Destination::Owner(owner(0)), 1)).0, "to_itself");
    applied(&club.settle(hold, Destination::Owner(owner(1)), 4));
    assert_eq!(refusal(&club.order(Order::Void { hold })).0, "hold_settled");
    assert_eq!((club.has(0), club.has(1)), (6, 4));
}

/// Whether the sweep came by or not: who asks late is refused, and for good.
#[test]
fn a_hold_that_is_over_cannot_be_settled() {
    for swept in [false, true] {
        let mut club = Club::new();
        club.award(0, 10, None);
        let hold = hold_of(&club.hold(0, 6, Some(50)));
        club.until(50);
        if swept {
            club.sweep();
        }
        assert_eq!(refusal(&club.settle(hold, Destination::Redeemed, 6)).0, "hold_expired");
        assert_eq!((club.has(0), club.sums(Account::available(Asset::Points, owner(0))).held), (10, 0));
        assert_eq!(refusal(&club.until(49).settle(hold, Destination::Redeemed, 6)).0, "hold_expired");
    }
}

#[test]
fn what_was_unknown_when_it_was_named_stays_refused() {
    let mut club = Club::new();
    let award = club.award(0, 10, None);
    let hold = HoldId::placed_by(id(4));
    let (void, reverse) = (Order::Void { hold }, Order::Reverse { transaction: id(4) });
    let first = [club.order(void.clone()), club.order(reverse.clone())];
    assert_eq!([refusal(&first[0]).0, refusal(&first[1]).0], ["unknown_hold", "unknown_transaction"]);
    assert_eq!(hold_of(&club.hold(0, 4, None)), hold);
    for (answer, order) in first.into_iter().zip([void, reverse]) {
        let again = Command::new(answer.id, at(9), Actor::System, order).unwrap();
        assert_eq!(club.tables.run_one(again), Answer { repeated: true, ..answer });
    }
    applied(&club.order(Order::Void { hold }));
    applied(&club.reverse(award));
}

#[test]
fn only_owners_and_spenders_spend_from_a_group() {
    let mut club = Club::new();
    club.award(3, 100, None);
    for (who, may) in [(0, true), (1, true), (2, false)] {
        club.by = Actor::Person(WORLD.person(who));
        for answer in [club.redeem(3, 1), club.transfer(3, 0, 1), club.hold(3, 1, None)] {
            assert_eq!(answer.verdict == Verdict::Applied, may, "{who}");
            assert!(may || (refusal(&answer).0, answer.left) == ("not_a_spender", None));
        }
    }
    assert_eq!(owner(3), Owner::Group(WORLD.group(0)));
}

#[test]
fn a_command_is_done_whole_or_not_at_all() {
    let mut club = Club::new();
    club.award(0, 10, None);
    let step = |from: usize, to: usize, amount: i64| Move::Spend {
        from: owner(from),
        to: Destination::Owner(owner(to)),
        amount,
    };
    let order = |moves| Order::Post { asset: Asset::Points, moves };
    assert_eq!(refusal(&club.order(order(vec![step(0, 1, 10), step(1, 2, 11)]))).0, "insufficient_points");
    assert_eq!((club.has(0), club.has(1)), (10, 0));
    applied(&club.order(order(vec![step(0, 1, 10), step(1, 2, 10)])));
    assert_eq!(club.has(2), 10);
}

#[test]
fn assets_do_not_mix() {
    let mut club = Club::new();
    club.award(0, 10, None);
    let moves = vec![Move::Spend { from: owner(0), to: Destination::Redeemed, amount: 1 }];
    let answer = club.order(Order::Post { asset: Asset::Minutes, moves });
    assert_eq!(refusal(&answer).0, "insufficient_minutes");
}

#[test]
fn a_balance_stays_within_what_readers_keep_exact() {
    let mut club = Club::new();
    club.award(0, LARGEST, None);
    let moves = vec![Move::Award { to: owner(0), amount: 1, expires_at: None }];
    assert_eq!(refusal(&club.order(Order::Post { asset: Asset::Points, moves })).0, "balance_too_large");
    let redeemed = applied(&club.redeem(0, LARGEST));
    club.award(0, LARGEST, None);
    assert_eq!(refusal(&club.reverse(redeemed)).0, "balance_too_large");
    club.take_back(1, LARGEST, None);
    let moves = vec![Move::TakeBack { from: owner(1), amount: 1, of: None, expiring: None }];
    assert_eq!(refusal(&club.order(Order::Post { asset: Asset::Points, moves })).0, "balance_too_large");
}
