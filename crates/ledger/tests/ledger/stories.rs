//! What the rules mean for members, one story a test.

use rollbook_domain::{Email, PersonId};
use rollbook_ledger::model::{Tables, World, at};
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Command, Destination, Due, HoldId, LARGEST, LotId, Malformed, Move, Order, Owner,
    Share, Sums, TransactionId, Verdict,
};

const WORLD: World = World(0);

fn owner(n: usize) -> Owner {
    WORLD.owner(n)
}

fn id(n: usize) -> TransactionId {
    WORLD.id(n)
}

/// A ledger, the number of the next command and the time.
struct Club {
    tables: Tables,
    next: usize,
    now: i64,
    by: Actor,
}

impl Club {
    fn new() -> Self {
        Self { tables: Tables::new(WORLD.members()), next: 0, now: 0, by: Actor::System }
    }

    fn order(&mut self, order: Order) -> Answer {
        self.next += 1;
        let answer = self.tables.run_one(Command::new(id(self.next), at(self.now), self.by, order).unwrap());
        self.tables.assert_sound();
        answer
    }

    /// Awards and tells the transaction, to be reversed.
    fn award(&mut self, to: usize, amount: i64, expires: Option<i64>) -> TransactionId {
        let moves = vec![Move::Award { to: owner(to), amount, expires_at: expires.map(at) }];
        applied(&self.order(Order::Post { asset: Asset::Points, moves }))
    }

    fn spend(&mut self, from: usize, to: Destination, amount: i64) -> Answer {
        let moves = vec![Move::Spend { from: owner(from), to, amount }];
        self.order(Order::Post { asset: Asset::Points, moves })
    }

    fn redeem(&mut self, from: usize, amount: i64) -> Answer {
        self.spend(from, Destination::Redeemed, amount)
    }

    fn transfer(&mut self, from: usize, to: usize, amount: i64) -> Answer {
        self.spend(from, Destination::Owner(owner(to)), amount)
    }

    fn hold(&mut self, from: usize, amount: i64, expires: Option<i64>) -> Answer {
        let from = Account::available(Asset::Points, owner(from));
        self.order(Order::Hold { from, amount, expires_at: expires.map(at) })
    }

    fn settle(&mut self, hold: HoldId, to: Destination, amount: i64) -> Answer {
        self.order(Order::Settle { hold, shares: vec![Share { to, amount }] })
    }

    fn reverse(&mut self, transaction: TransactionId) -> Answer {
        self.order(Order::Reverse { transaction })
    }

    fn take_back(&mut self, from: usize, amount: i64, of: Option<TransactionId>) -> TransactionId {
        let moves = vec![Move::TakeBack { from: owner(from), amount, of }];
        applied(&self.order(Order::Post { asset: Asset::Points, moves }))
    }

    fn until(&mut self, now: i64) -> &mut Self {
        self.now = now;
        self
    }

    /// Lets everything expire that is due.
    fn sweep(&mut self) {
        let lots: Vec<_> = self.tables.rows.lots.iter().map(|lot| Due::Lot(lot.id)).collect();
        let holds: Vec<_> = self.tables.rows.holds.iter().map(|hold| Due::Hold(hold.id)).collect();
        for due in lots.into_iter().chain(holds) {
            self.tables.run_one(Command::expiring(due, at(self.now)));
        }
        self.tables.assert_sound();
    }

    fn sums(&self, account: Account) -> Sums {
        let found = self.tables.rows.balances.iter().find(|row| row.account == account);
        found.map_or_else(Sums::default, |row| row.sums)
    }

    fn has(&self, n: usize) -> i64 {
        self.sums(Account::available(Asset::Points, owner(n))).posted
    }

    fn owes(&self, n: usize) -> i64 {
        -self.sums(Account::owed(Asset::Points, owner(n))).posted
    }
}

fn applied(answer: &Answer) -> TransactionId {
    assert_eq!(answer.verdict, Verdict::Applied);
    answer.id
}

fn hold_of(answer: &Answer) -> HoldId {
    HoldId::placed_by(applied(answer))
}

fn refusal(answer: &Answer) -> (&str, &str) {
    match &answer.verdict {
        Verdict::Applied => panic!("was applied"),
        Verdict::Rejected(refusal) => (refusal.reason.as_str(), &refusal.detail),
    }
}

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
    assert_eq!(detail, "80 points are needed and 60 are available: the balance is 100 points, of which 40 are held");
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
    assert_eq!(club.tables.rows.transactions[0].memo.as_deref(), Some("raked the pitch"));
}

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
    let late = hold_of(&club.hold(0, 6, Some(50)));
    let answer = club.until(50).settle(late, Destination::Redeemed, 6);
    let said = "the hold is already expired: the balance is 6 points, of which 0 are held";
    assert_eq!(refusal(&answer), ("hold_expired", said));
}

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
    let take_back = Move::TakeBack { from: owner(0), amount: 6, of: Some(award) };
    let spend = |amount| Move::Spend { from: owner(0), to: Destination::Redeemed, amount };
    let order = |moves| Order::Post { asset: Asset::Points, moves };
    assert_eq!(refusal(&club.order(order(vec![take_back, spend(5)]))).0, "insufficient_points");
    applied(&club.order(order(vec![take_back, spend(4)])));
    assert_eq!((club.has(0), club.owes(0)), (0, 0));
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
    let moves = vec![Move::TakeBack { from: owner(1), amount: 1, of: None }];
    let said = "1 more would exceed the largest debt, 9007199254740991: 9007199254740991 points are owed";
    assert_eq!(refusal(&club.order(Order::Post { asset: Asset::Points, moves })), ("balance_too_large", said));
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
