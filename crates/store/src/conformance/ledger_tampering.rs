//! What the database itself refuses of the ledger, whatever the code does; and what `verify` finds
//! where something went past the database.

use rollbook_ledger::{Asset, INVARIANTS, Move, Order, Role};

use super::Harness;
use super::ledger_samples::{
    award, command, execute, found, group, hold, hold_id, lot_id, member, redeem, reverse, settle, sweep, take_back,
    transfer, void,
};
use super::samples::nothing_is_broken;
use super::tampering::broken;
use crate::Database;

/// Something of everything.
async fn books(store: &dyn Database) {
    let (ada, bob) = (member(1), member(2));
    found(store, 1, &[(1, Role::Owner), (2, Role::Spender)]).await;
    let minutes =
        Order::Post { asset: Asset::Minutes, moves: vec![Move::Award { to: ada, amount: 60, expires_at: None }] };
    let commands = [
        command(1, 1, award(ada, 100, Some(500))),
        command(2, 2, award(ada, 40, None)),
        command(3, 3, minutes),
        command(4, 4, redeem(ada, 10)),
        command(5, 5, transfer(ada, bob, 30)),
        command(6, 6, hold(ada, 20, None)),
        command(7, 7, hold(ada, 15, Some(400))),
        command(8, 8, settle(7, 5)),
        command(9, 9, hold(bob, 3, None)),
        command(10, 10, void(9)),
        command(11, 11, reverse(4)),
        command(12, 12, award(group(1), 25, Some(20))),
        sweep(rollbook_ledger::Due::Lot(lot_id(12)), 20),
        command(13, 21, award(member(3), 8, None)),
        command(14, 22, redeem(member(3), 6)),
        command(15, 23, reverse(13)),
        command(16, 24, redeem(bob, 500)),
        command(17, 25, hold(bob, 4, Some(30))),
        sweep(rollbook_ledger::Due::Hold(hold_id(17)), 30),
        command(18, 31, award(member(4), 10, None)),
        command(19, 32, take_back(member(4), 4, Some(18))),
    ];
    execute(store, &commands).await;
}

/// What nobody may write, in the words of both databases.
const REFUSED: [(&str, &str); 42] = [
    (
        "an overdraft by a leg",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, from_version)
         SELECT t.id, 9, a.asset, a.id, r.id, a.posted - a.held + 1, a.version + 1
         FROM ledger_account AS a
         JOIN ledger_account AS r ON r.asset = a.asset AND r.place = 'redeemed'
         JOIN ledger_transaction AS t ON t.kind = 'post' AND t.outcome = 'applied'
         WHERE a.place = 'available' AND a.posted > 0 AND a.asset = 'points'
         LIMIT 1",
    ),
    (
        "an overdraft by a hold",
        "INSERT INTO hold (id, account, amount, state, settled)
         SELECT t.id, a.id, a.posted - a.held + 1, 'open', 0
         FROM ledger_account AS a
         JOIN ledger_transaction AS t ON t.kind = 'post' AND t.outcome = 'applied'
         WHERE a.place = 'available' AND a.posted > 0 AND a.asset = 'points'
         LIMIT 1",
    ),
    (
        "a leg across assets",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, to_version)
         SELECT t.id, 9, i.asset, i.id, a.id, 1, a.version + 1
         FROM ledger_account AS a
         JOIN ledger_account AS i ON i.asset = 'minutes' AND i.place = 'issued'
         JOIN ledger_transaction AS t ON t.kind = 'post' AND t.outcome = 'applied'
         WHERE a.place = 'available' AND a.posted > 0 AND a.asset = 'points'
         LIMIT 1",
    ),
    (
        "a leg to where it comes from",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount)
         SELECT t.id, 9, i.asset, i.id, i.id, 1
         FROM ledger_account AS i
         JOIN ledger_transaction AS t ON t.kind = 'post' AND t.outcome = 'applied'
         WHERE i.place = 'issued'
         LIMIT 1",
    ),
    (
        "a leg of nothing",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount)
         SELECT t.id, 9, i.asset, i.id, r.id, 0
         FROM ledger_account AS i
         JOIN ledger_account AS r ON r.asset = i.asset AND r.place = 'redeemed'
         JOIN ledger_transaction AS t ON t.kind = 'post' AND t.outcome = 'applied'
         WHERE i.place = 'issued'
         LIMIT 1",
    ),
    (
        "a leg of no transaction",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount)
         SELECT i.id, 0, i.asset, i.id, r.id, 1
         FROM ledger_account AS i
         JOIN ledger_account AS r ON r.asset = i.asset AND r.place = 'redeemed'
         WHERE i.place = 'issued'
         LIMIT 1",
    ),
    (
        "a leg of a version that was",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, to_version)
         SELECT t.id, 9, i.asset, i.id, a.id, 1, a.version
         FROM ledger_account AS a
         JOIN ledger_account AS i ON i.asset = a.asset AND i.place = 'issued'
         JOIN ledger_transaction AS t ON t.kind = 'post' AND t.outcome = 'applied'
         WHERE a.place = 'available' AND a.version = 1
         LIMIT 1",
    ),
    (
        "a second settlement",
        "INSERT INTO ledger_transaction (id, kind, digest, outcome, hold, happened_at, recorded_at)
         SELECT a.id, 'settle', t.digest, 'applied', t.hold, t.happened_at, t.recorded_at
         FROM ledger_transaction AS t
         JOIN ledger_account AS a ON a.asset = 'points' AND a.place = 'issued'
         WHERE t.kind = 'settle' AND t.outcome = 'applied'",
    ),
    (
        "a void of what was settled",
        "INSERT INTO ledger_transaction (id, kind, digest, outcome, hold, happened_at, recorded_at)
         SELECT a.id, 'void', t.digest, 'applied', t.hold, t.happened_at, t.recorded_at
         FROM ledger_transaction AS t
         JOIN ledger_account AS a ON a.asset = 'points' AND a.place = 'issued'
         WHERE t.kind = 'settle' AND t.outcome = 'applied'",
    ),
    (
        "a second reversal",
        "INSERT INTO ledger_transaction (id, kind, digest, outcome, reverses, happened_at, recorded_at)
         SELECT a.id, 'reverse', t.digest, 'applied', t.reverses, t.happened_at, t.recorded_at
         FROM ledger_transaction AS t
         JOIN ledger_account AS a ON a.asset = 'points' AND a.place = 'issued'
         WHERE t.kind = 'reverse' AND t.outcome = 'applied'
         LIMIT 1",
    ),
    (
        "a reversal of what was taken back",
        "INSERT INTO ledger_transaction (id, kind, digest, outcome, reverses, happened_at, recorded_at)
         SELECT a.id, 'reverse', t.digest, 'applied', l.takes_back, t.happened_at, t.recorded_at
         FROM leg AS l
         JOIN ledger_transaction AS t ON t.id = l.transaction_id
         JOIN ledger_account AS a ON a.asset = 'points' AND a.place = 'issued'
         WHERE l.takes_back IS NOT NULL",
    ),
    (
        "a take-back of what was reversed",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, from_version, takes_back)
         SELECT l.transaction_id, 9, a.asset, a.id, l.to_account, 1, a.version + 1, r.reverses
         FROM leg AS l
         JOIN ledger_account AS a ON a.id = l.from_account
         JOIN ledger_transaction AS r ON r.kind = 'reverse' AND r.outcome = 'applied'
         WHERE l.takes_back IS NOT NULL
         LIMIT 1",
    ),
    (
        "a take-back of no transaction",
        "INSERT INTO leg (transaction_id, n, asset, from_account, to_account, amount, from_version, takes_back)
         SELECT l.transaction_id, 9, a.asset, a.id, l.to_account, 1, a.version + 1, a.id
         FROM leg AS l
         JOIN ledger_account AS a ON a.id = l.from_account
         WHERE l.takes_back IS NOT NULL",
    ),
    (
        "a second expiry of a lot",
        "INSERT INTO ledger_transaction (id, kind, digest, outcome, lot, happened_at, recorded_at)
         SELECT a.id, 'expire', t.digest, 'applied', t.lot, t.happened_at, t.recorded_at
         FROM ledger_transaction AS t
         JOIN ledger_account AS a ON a.asset = 'points' AND a.place = 'issued'
         WHERE t.lot IS NOT NULL",
    ),
    (
        "a transaction twice",
        "INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at)
         SELECT id, kind, digest, outcome, happened_at, recorded_at FROM ledger_transaction WHERE kind = 'hold'",
    ),
    ("a changed leg", "UPDATE leg SET amount = amount + 1"),
    ("a deleted leg", "DELETE FROM leg"),
    ("a changed transaction", "UPDATE ledger_transaction SET memo = 'x'"),
    ("a deleted transaction", "DELETE FROM ledger_transaction"),
    ("a deleted refusal", "DELETE FROM ledger_transaction WHERE outcome = 'rejected'"),
    ("a changed balance", "UPDATE ledger_account SET posted = posted + 1 WHERE place = 'available'"),
    (
        "a changed balance with its version",
        "UPDATE ledger_account SET posted = posted + 1, version = version + 1 WHERE place = 'available'",
    ),
    ("a changed version", "UPDATE ledger_account SET version = version + 1 WHERE place = 'available'"),
    ("a forgiven debt", "UPDATE ledger_account SET posted = 0 WHERE place = 'owed' AND posted < 0"),
    ("less held than is held", "UPDATE ledger_account SET held = 0 WHERE held > 0"),
    ("a balance of another owner", "UPDATE ledger_account SET owner = id WHERE owner_kind = 'person'"),
    (
        "an account with a gift",
        "INSERT INTO ledger_account (id, asset, owner_kind, owner, place, posted)
         SELECT id, 'points', 'person', id, 'available', 5 FROM ledger_transaction WHERE kind = 'settle'",
    ),
    ("a deleted account", "DELETE FROM ledger_account WHERE posted = 0"),
    ("a hold opened again", "UPDATE hold SET state = 'open', settled = 0 WHERE state <> 'open'"),
    ("a hold resolved otherwise", "UPDATE hold SET state = 'voided', settled = 0 WHERE state = 'settled'"),
    ("a smaller hold", "UPDATE hold SET amount = 1 WHERE state = 'open'"),
    ("a hold settled for more", "UPDATE hold SET state = 'settled', settled = amount + 1 WHERE state = 'open'"),
    ("a deleted hold", "DELETE FROM hold WHERE state = 'open'"),
    ("a changed pin", "UPDATE hold_pin SET amount = 1"),
    ("a deleted pin", "DELETE FROM hold_pin"),
    ("a greater lot", "UPDATE lot SET remaining = amount + 1"),
    ("a deleted lot", "DELETE FROM lot"),
    ("a changed movement", "UPDATE lot_movement SET amount = amount + 1"),
    ("a deleted movement", "DELETE FROM lot_movement"),
    ("a deleted member", "DELETE FROM group_member"),
    ("a change of a group explained anew", "UPDATE group_change SET reason = 'x'"),
    ("a deleted change of a group", "DELETE FROM group_change"),
];

pub async fn the_database_refuses_what_must_not_be(harness: &impl Harness) {
    let store = harness.store();
    books(&*store).await;
    for (what, sql) in REFUSED {
        harness.attempt(sql).await.expect_err(what);
    }
    nothing_is_broken(harness).await;
    // It is not the attempt that fails.
    let lawful = "INSERT INTO ledger_transaction (id, kind, digest, outcome, reason, detail, happened_at, recorded_at)
        SELECT a.id, 'post', t.digest, 'rejected', 'odd', 'odd', t.happened_at, t.recorded_at
        FROM ledger_transaction AS t
        JOIN ledger_account AS a ON a.asset = 'points' AND a.place = 'issued'
        WHERE t.kind = 'settle'";
    harness.attempt(lawful).await.expect("a refusal may be recorded");
    nothing_is_broken(harness).await;
}

/// A lie, and the check that must find it.
const LIES: [(&str, &str); 20] = [
    (
        "UPDATE ledger_account SET posted = posted + 7 WHERE asset = 'points' AND place = 'available' AND held > 0",
        "liability_is_what_was_issued",
    ),
    ("UPDATE ledger_account SET posted = posted + 1 WHERE asset = 'minutes'", "posted_is_the_sum_of_legs"),
    ("UPDATE ledger_account SET version = version + 1 WHERE owner_kind = 'group'", "posted_is_the_sum_of_legs"),
    ("UPDATE ledger_account SET held = held - 1 WHERE held > 0", "held_is_the_sum_of_open_holds"),
    ("UPDATE hold SET settled = settled + 1 WHERE state = 'settled'", "each_hold_resolved_once"),
    ("UPDATE hold SET state = 'expired' WHERE state = 'voided'", "each_hold_resolved_once"),
    ("UPDATE lot SET held = held + 1 WHERE held > 0", "pins_are_what_lots_hold"),
    ("UPDATE hold_pin SET amount = amount + 100", "pins_are_what_lots_hold"),
    ("UPDATE lot SET lapsed = NOT lapsed WHERE expired > 0", "each_lot_expires_once"),
    ("UPDATE lot SET expired = expired + 1 WHERE expired > 0", "lots_are_the_sum_of_movements"),
    ("UPDATE lot SET remaining = remaining + 1000 WHERE held > 0", "lots_within_their_balance"),
    ("UPDATE lot_movement SET amount = -amount WHERE amount = 30", "lots_are_the_sum_of_movements"),
    (
        "UPDATE leg SET takes_back = (SELECT reverses FROM ledger_transaction
         WHERE outcome = 'applied' AND reverses IS NOT NULL ORDER BY reverses LIMIT 1)
         WHERE takes_back IS NOT NULL",
        "each_transaction_reversed_once",
    ),
    (
        "UPDATE ledger_transaction SET kind = 'hold' WHERE id IN (SELECT reverses FROM ledger_transaction)",
        "each_transaction_reversed_once",
    ),
    ("DELETE FROM hold WHERE state = 'expired'", "each_hold_resolved_once"),
    (
        "UPDATE ledger_transaction SET outcome = 'rejected', reason = 'odd', detail = 'odd' WHERE kind = 'reverse'",
        "only_applied_transactions_move",
    ),
    ("UPDATE leg SET from_version = from_version + 50, to_version = to_version + 50", "no_history_below_its_floor"),
    (
        "UPDATE ledger_account SET held = posted + 1
         WHERE place = 'available' AND owner_kind = 'person' AND held < posted",
        "no_balance_below_its_floor",
    ),
    ("UPDATE ledger_account SET posted = 5 WHERE place = 'owed' AND posted < 0", "no_balance_below_its_floor"),
    ("UPDATE leg SET asset = 'minutes' WHERE asset = 'points'", "legs_move_one_asset"),
];

/// One lie after another; each time the named check must count more than before.
pub async fn whatever_is_tampered_with_in_the_ledger_is_found(harness: &impl Harness) {
    let store = harness.store();
    books(&*store).await;
    let mut before = broken(&*store).await;
    assert!(before.is_empty(), "{before:?}");
    for (sql, name) in LIES {
        harness.tamper(sql).await;
        let after = broken(&*store).await;
        assert!(after.get(name) > before.get(name), "{sql}: {name} did not see it, but {after:?}");
        before = after;
    }
    let unfound: Vec<_> = INVARIANTS.iter().filter(|(name, _)| LIES.iter().all(|lie| lie.1 != *name)).collect();
    assert!(unfound.is_empty(), "{} has no lie", unfound[0].0);
}
