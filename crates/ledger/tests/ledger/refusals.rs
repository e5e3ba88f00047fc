//! Every no as it is read by whoever asked.

use rollbook_ledger::model::at;
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Command, Destination, Due, HoldId, LARGEST, Move, Order, Share, TransactionId,
};

use crate::club::{Club, WORLD, applied, hold_of, id, owner, refusal};

fn says(answer: &Answer, reason: &str, sentence: &str) {
    assert_eq!(refusal(answer), (reason, sentence));
}

#[test]
fn of_a_balance() {
    let mut club = Club::new();
    says(
        &club.redeem(0, 1),
        "insufficient_points",
        "this needs 1 point and 0 are available: the balance is 0 points, and none are held",
    );
    club.award(0, 100, None);
    applied(&club.hold(0, 1, None));
    says(
        &club.redeem(0, 100),
        "insufficient_points",
        "this needs 100 points and 99 are available: the balance is 100 points, of which 1 is held",
    );
    let from = Account::available(Asset::Minutes, owner(0));
    says(
        &club.order(Order::Hold { from, amount: 30, expires_at: None }),
        "insufficient_minutes",
        "this needs 30 minutes and 0 are available: the balance is 0 minutes, and none are held",
    );
    let post = |step| Order::Post { asset: Asset::Points, moves: vec![step] };
    says(
        &club.order(post(Move::Award { to: owner(0), amount: LARGEST, expires_at: None })),
        "balance_too_large",
        "9007199254740991 points more would exceed the largest balance that anybody can have, 9007199254740991: \
         the balance is 100 points, of which 1 is held",
    );
    club.take_back(1, 5, None);
    says(
        &club.order(post(Move::TakeBack { from: owner(1), amount: LARGEST, of: None, expiring: None })),
        "balance_too_large",
        "9007199254740991 points more would exceed the largest debt that anybody can have, 9007199254740991: \
         5 points owed so far",
    );
    club.by = Actor::Person(WORLD.person(2));
    says(
        &club.redeem(3, 1),
        "not_a_spender",
        "only an owner or a spender of the group may spend from it; ask one of its owners",
    );
}

#[test]
fn of_a_hold() {
    let mut club = Club::new();
    club.award(0, 10, None);
    let place = |club: &mut Club| hold_of(&club.hold(0, 2, Some(5)));
    let (settled, voided, expired, open) = (place(&mut club), place(&mut club), place(&mut club), place(&mut club));
    applied(&club.settle(settled, Destination::Redeemed, 1));
    applied(&club.order(Order::Void { hold: voided }));
    says(
        &club.order(Order::Void { hold: settled }),
        "hold_settled",
        "the hold was settled before, and that stands: the balance is 9 points, of which 4 are held",
    );
    says(
        &club.settle(voided, Destination::Redeemed, 1),
        "hold_voided",
        "the hold was voided before, so it holds nothing any more: the balance is 9 points, of which 4 are held",
    );
    says(
        &club.settle(open, Destination::Redeemed, 3),
        "exceeds_hold",
        "the hold is of 2 and cannot be settled with 3 points; settle at most what it holds: \
         the balance is 9 points, of which 4 are held",
    );
    says(
        &club.order(Order::Settle { hold: open, shares: vec![Share { to: Destination::Owner(owner(0)), amount: 1 }] }),
        "to_itself",
        "the points are held for the same owner that they would go to; name another: \
         the balance is 9 points, of which 4 are held",
    );
    let early = Command::expiring(Due::Hold(open), at(4));
    says(
        &club.tables.run_one(early),
        "not_due",
        "nothing of it expires by then: the balance is 9 points, of which 4 are held",
    );
    says(
        &club.until(5).settle(expired, Destination::Redeemed, 1),
        "hold_expired",
        "the hold has expired, so it holds nothing any more: the balance is 9 points, and none are held",
    );
    says(
        &club.order(Order::Void { hold: HoldId::placed_by(id(999)) }),
        "unknown_hold",
        "there is no such hold; find it in the history of its owner and ask again under a new id",
    );
}

#[test]
fn of_a_reversal() {
    let mut club = Club::new();
    let award = club.award(0, 10, Some(20));
    let rejected = club.redeem(0, 11).id;
    let hold = applied(&club.hold(0, 1, None));
    let void = applied(&club.order(Order::Void { hold: HoldId::placed_by(hold) }));
    let gone = club.award(1, 3, None);
    let reversal = applied(&club.reverse(gone));
    let nothing = "the balance is 0 points, and none are held";
    let cases = [
        (gone, "already_reversed", format!("the transaction was reversed before, and that stands: {nothing}")),
        (
            reversal,
            "not_reversible",
            format!("a reversal cannot be reversed; give the command again with a new id: {nothing}"),
        ),
        (hold, "not_reversible", "a hold is not reversed but voided".to_owned()),
        (
            void,
            "not_reversible",
            "a void moved nothing, so there is nothing to reverse; place the hold again".to_owned(),
        ),
        (
            rejected,
            "not_reversible",
            "that command was rejected and moved nothing, so there is nothing to reverse".to_owned(),
        ),
        (
            id(999),
            "unknown_transaction",
            "there is no such transaction; find it in the history of its owner and ask again under a new id".to_owned(),
        ),
    ];
    for (transaction, reason, sentence) in cases {
        says(&club.reverse(transaction), reason, &sentence);
    }
    club.until(20).sweep();
    let expiry = TransactionId::expiring_lot(rollbook_ledger::LotId::of(award, 0));
    let sentence = format!("what expired is not brought back by a reversal; award it anew: {nothing}");
    says(&club.reverse(expiry), "not_reversible", &sentence);
}

#[test]
fn of_a_reversal_of_what_was_taken_back() {
    let mut club = Club::new();
    let award = club.award(0, 100, None);
    let first = club.take_back(0, 1, Some(award));
    says(
        &club.reverse(award),
        "already_taken_back",
        &format!(
            "1 of it was taken back before, by {first}, and a reversal would take it a second time; reverse that one \
             first, then ask again under a new id: the balance is 99 points, and none are held"
        ),
    );
    let mut taken = [(first, 1), (club.take_back(0, 39, Some(award)), 39)];
    taken.sort_unstable();
    let by = |n: usize| format!("{} by {}", taken[n].1, taken[n].0);
    says(
        &club.reverse(award),
        "already_taken_back",
        &format!(
            "40 of it were taken back before, {}, {}, and a reversal would take them a second time; reverse those \
             first, then ask again under a new id: the balance is 60 points, and none are held",
            by(0),
            by(1)
        ),
    );
    for _ in 0..3 {
        club.take_back(0, 2, Some(award));
    }
    let answer = club.reverse(award);
    let sentence = refusal(&answer).1;
    assert!(
        sentence.starts_with("46 of it were taken back before, ") && sentence.contains(" by others, and"),
        "{sentence}"
    );
}

#[test]
fn of_an_id_that_is_taken() {
    let mut club = Club::new();
    let award = club.award(0, 10, None);
    let other = Command::new(award, at(0), Actor::System, Order::Void { hold: HoldId::placed_by(award) }).unwrap();
    says(
        &club.tables.run_one(other),
        "conflicting_duplicate",
        "this id was used for another command (post), and nothing was changed now; ask under a new id",
    );
}
