//! What no command can be, and what stands in tables for ever.

use rollbook_domain::{Email, PersonId};
use rollbook_ledger::model::at;
use rollbook_ledger::{
    Account, Actor, Asset, Command, Destination, Due, HoldId, LARGEST, LotId, Malformed, Move, Order, Owner,
    TransactionId,
};

use crate::club::{id, owner};

#[test]
fn a_memo_is_one_short_line() {
    let command = || Command::new(id(1), at(0), Actor::System, Order::Void { hold: HoldId::placed_by(id(0)) }).unwrap();
    assert_eq!(command().with_memo("  ").unwrap().memo(), None);
    let longest = "ü".repeat(500);
    assert_eq!(command().with_memo(&longest).unwrap().memo(), Some(longest.as_str()));
    for memo in ["two\nlines", "a\tb", "a\u{7}b", "a\u{85}b", &"ü".repeat(501)] {
        assert_eq!(command().with_memo(memo).unwrap_err(), Malformed::Memo, "{memo:?}");
    }
}

/// Nobody can have meant these, so they get no id and no row.
#[test]
fn the_malformed_are_refused_before_they_are_commands() {
    let asset = Asset::Points;
    let award =
        |amount, expires_at| Order::Post { asset, moves: vec![Move::Award { to: owner(0), amount, expires_at }] };
    let to_itself = Move::Spend { from: owner(0), to: Destination::Owner(owner(0)), amount: 1 };
    let owed = Account::owed(asset, owner(0));
    let cases = [
        (award(0, None), Malformed::Amount),
        (award(-1, None), Malformed::Amount),
        (award(LARGEST + 1, None), Malformed::Amount),
        (award(1, Some(at(10))), Malformed::ExpiresBefore),
        (Order::Post { asset, moves: vec![] }, Malformed::Nothing),
        (Order::Post { asset, moves: vec![to_itself] }, Malformed::ToItself),
        (Order::Post { asset, moves: vec![to_itself; 1001] }, Malformed::ToItself),
        (Order::Hold { from: owed, amount: 1, expires_at: None }, Malformed::NotHoldable),
        (Order::Expire(Due::Hold(HoldId::placed_by(id(0)))), Malformed::Expiry),
    ];
    for (order, malformed) in cases {
        assert_eq!(Command::new(id(0), at(10), Actor::System, order).unwrap_err(), malformed);
    }
    let reserved = TransactionId::expiring_lot(LotId::of(id(0), 0));
    let refused = Command::new(reserved, at(10), Actor::System, award(1, None)).unwrap_err();
    assert_eq!(refused, Malformed::ReservedId);
}

/// These stand in tables: what they are derived from may never change.
#[test]
fn ids_are_stable() {
    let command = TransactionId::of_key("command 1");
    let member = Owner::Person(PersonId::of_first_address(&Email::parse("member0@example.org").unwrap()));
    let lot = LotId::of(command, 0);
    let ids = [
        command.to_string(),
        lot.to_string(),
        TransactionId::expiring_lot(lot).to_string(),
        Account::available(Asset::Points, member).id().to_string(),
    ];
    let stored = [
        "b446923d-14ca-53b9-bae8-d0a9fbea8e59",
        "24ce0427-98d5-5bf8-8914-25bd0ea5c7e5",
        "d25c5703-1cab-8d6a-b127-c7b3d69f0bfb",
        "d08290d0-554d-5f44-9b2a-e61634082033",
    ];
    assert_eq!(ids, stored);
    assert_ne!(lot, LotId::of(command, 1));
    assert_ne!(TransactionId::expiring_lot(lot).0, TransactionId::expiring_hold(HoldId(lot.0)).0);
}
