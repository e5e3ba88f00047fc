//! Commands of the ledger, one after another: each is answered, recorded and told as it was decided.

use rollbook_domain::Reason;
use rollbook_ledger::{Account, Asset, Due, HoldState, Move, Order, Role, Sums, TransactionId, Verdict};

use super::Harness;
use super::group_samples::{join, leave};
use super::ledger_samples::{
    POINTS, Pair, award, by, command, execute, execute_one, found, group, hold, hold_id, id, lot_id, member, person,
    redeem, reverse, settle, sweep, take_back, the_invariants_agree, transfer, void, word,
};
use super::samples::{Member, at, batch, by_email, load, membership, nothing_is_broken, try_commit};
use crate::{Batch, Counterpart, HistoryFilter, Standing, StoreError};

/// After each command the store tells the same as the ledger in memory.
pub async fn every_order_is_told_as_it_was_decided(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (member(1), member(2));
    let mut pair = Pair::new(&*store, vec![ada, bob, member(3)]);
    let steps = [
        (command(1, 10, award(ada, 100, Some(100))), "applied"),
        (command(2, 11, award(ada, 40, None)), "applied"),
        (command(3, 12, redeem(ada, 30)), "applied"),
        (command(4, 13, redeem(ada, 111)), "insufficient_points"),
        (command(5, 14, transfer(ada, bob, 50)), "applied"),
        (command(6, 15, hold(bob, 20, None)), "applied"),
        (command(7, 16, hold(bob, 31, None)), "insufficient_points"),
        (command(8, 17, settle(6, 21)), "exceeds_hold"),
        (command(9, 18, settle(6, 15)), "applied"),
        (command(10, 19, settle(6, 15)), "hold_settled"),
        (command(11, 20, hold(ada, 55, Some(200))), "applied"),
        (command(12, 21, void(11)), "applied"),
        (command(13, 22, hold(ada, 60, Some(30))), "applied"),
        // The hold expires first, and the lot that it pinned is free again.
        (command(14, 40, redeem(ada, 60)), "applied"),
        (command(15, 41, void(13)), "hold_expired"),
        (sweep(Due::Lot(lot_id(1)), 99), "not_due"),
        (command(16, 101, redeem(bob, 1)), "insufficient_points"),
        (command(17, 102, reverse(5)), "applied"),
        (command(18, 103, reverse(5)), "already_reversed"),
        (command(19, 104, reverse(4)), "not_reversible"),
        (command(20, 105, reverse(2)), "applied"),
        (command(21, 106, award(ada, 4, None)), "applied"),
        (command(22, 107, void(99)), "unknown_hold"),
        (command(23, 108, reverse(99)), "unknown_transaction"),
        (sweep(Due::Lot(lot_id(99)), 109), "unknown_lot"),
        (command(24, 110, award(member(3), 9, Some(120))), "applied"),
        (command(25, 111, take_back(member(3), 2, Some(24))), "applied"),
        (sweep(Due::Lot(lot_id(24)), 120), "applied"),
        // What expired is found; what is missing becomes a debt; of what was reversed nothing is taken.
        (command(26, 121, take_back(member(3), 8, Some(24))), "applied"),
        (command(27, 122, take_back(ada, 3, Some(2))), "applied"),
        (command(28, 123, take_back(ada, 50, None)), "applied"),
    ];
    for (command, expected) in steps {
        let shown = format!("{command:?}");
        assert_eq!(pair.say(command).await, expected, "{shown}");
    }
    nothing_is_broken(harness).await;
    the_invariants_agree(harness, &pair.memory).await;
}

/// Also days later, when nothing of it is in memory any more.
pub async fn what_was_taken_back_is_not_reversed_until_that_is(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (member(1), member(2));
    let mut pair = Pair::new(&*store, vec![ada, bob]);
    let first = [
        command(1, 1, award(ada, 100, Some(2_000))),
        command(2, 2, transfer(ada, bob, 30)),
        command(3, 3, take_back(ada, 20, Some(1))),
        command(4, 4, take_back(ada, 60, Some(1))),
        command(5, 5, take_back(bob, 5, Some(2))),
        // Only sets no order: the first gave bob nothing, and nobody knows the last.
        command(6, 6, take_back(bob, 1, Some(1))),
        command(7, 7, take_back(bob, 1, Some(999))),
    ];
    pair.run(&first).await;
    let steps = [
        (command(10, 1_000, reverse(1)), "already_taken_back"),
        (command(11, 1_001, reverse(2)), "already_taken_back"),
        (command(12, 1_002, reverse(4)), "applied"),
        (command(13, 1_003, reverse(1)), "already_taken_back"),
        (command(14, 1_004, reverse(3)), "applied"),
        (command(15, 1_005, reverse(1)), "applied"),
        (command(16, 1_006, reverse(1)), "already_reversed"),
        (command(17, 1_007, take_back(ada, 9, Some(1))), "applied"),
        (command(18, 1_008, reverse(5)), "applied"),
        (command(19, 1_009, reverse(2)), "applied"),
    ];
    for (command, expected) in steps {
        let shown = format!("{command:?}");
        assert_eq!(pair.say(command).await, expected, "{shown}");
    }
    // The same within one batch, and with what stood before it.
    let batch = [
        command(20, 1_010, award(bob, 10, None)),
        command(21, 1_011, take_back(bob, 4, Some(20))),
        command(22, 1_012, reverse(20)),
        command(23, 1_013, reverse(21)),
        command(24, 1_014, reverse(20)),
        command(10, 1_015, reverse(1)),
    ];
    let said: Vec<_> = pair.run(&batch).await.iter().map(word).collect();
    let expected = ["applied", "applied", "already_taken_back", "applied", "applied", "already_taken_back"];
    assert_eq!(said, expected, "a refusal stands");
    nothing_is_broken(harness).await;
    the_invariants_agree(harness, &pair.memory).await;
}

pub async fn a_standing_tells_what_is_posted_held_and_owed(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    assert_eq!(store.standing(POINTS, ada).await.expect("read"), Standing::default(), "nobody");
    let commands = [
        command(1, 1, award(ada, 10, None)),
        command(2, 2, redeem(ada, 7)),
        command(3, 3, hold(ada, 2, None)),
        command(4, 4, reverse(1)),
    ];
    execute(&*store, &commands).await;
    let expected = Standing { sums: Sums { posted: 2, held: 2 }, owed: 9 };
    assert_eq!(store.standing(POINTS, ada).await.expect("read"), expected);
    assert_eq!(store.outstanding(POINTS).await.expect("read"), expected);
    assert_eq!(store.standing(Asset::Minutes, ada).await.expect("read"), Standing::default());
    execute_one(&*store, command(5, 5, award(member(2), 5, None))).await;
    assert_eq!(store.outstanding(POINTS).await.expect("read").sums.posted, 7);
}

pub async fn a_hold_is_found_by_its_id_whatever_became_of_it(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    assert_eq!(store.hold(hold_id(2)).await.expect("read"), None);
    execute(&*store, &[command(1, 1, award(ada, 10, None)), command(2, 2, hold(ada, 7, None))]).await;
    let held = store.hold(hold_id(2)).await.expect("read").expect("held");
    assert_eq!((held.account, held.amount, held.state), (Account::available(POINTS, ada), 7, HoldState::Open));
    execute_one(&*store, command(3, 3, settle(2, 4))).await;
    let settled = store.hold(hold_id(2)).await.expect("read").expect("settled");
    assert_eq!((settled.state, settled.settled), (HoldState::Settled, 4));
}

/// Whatever happened since: an id has one answer for ever.
pub async fn the_same_id_has_the_same_answer(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (member(1), member(2));
    let commands = [
        command(1, 1, award(ada, 10, None)),
        command(2, 2, redeem(ada, 11)),
        command(3, 3, hold(ada, 4, None)),
        command(4, 4, settle(3, 3)),
        command(5, 5, void(3)),
        command(6, 6, transfer(ada, bob, 5)),
        command(7, 7, reverse(6)),
    ];
    let first = execute(&*store, &commands).await;
    execute(&*store, &[command(8, 8, award(ada, 1_000, None)), command(9, 9, redeem(ada, 77))]).await;
    let standing = store.standing(POINTS, ada).await.expect("read");
    for (command, before) in commands.iter().zip(&first) {
        let again = execute_one(&*store, command.clone()).await;
        assert!(again.repeated && !before.repeated);
        assert_eq!((&again.verdict, again.left), (&before.verdict, before.left), "{command:?}");
        assert_eq!(store.decided(command.id()).await.expect("read"), Some(again));
    }
    assert_eq!(store.standing(POINTS, ada).await.expect("read"), standing);
    assert_eq!(store.decided(id(99)).await.expect("read"), None);
    nothing_is_broken(harness).await;
}

pub async fn another_command_with_the_same_id_changes_nothing(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    let first = execute(&*store, &[command(1, 1, award(ada, 10, None)), command(2, 2, redeem(ada, 99))]).await;
    for other in [
        command(1, 3, award(ada, 11, None)),
        command(1, 3, redeem(ada, 10)),
        by(1, &command(1, 3, award(ada, 10, None))),
        command(2, 3, redeem(ada, 1)),
    ] {
        assert_eq!(word(&execute_one(&*store, other.clone()).await), "conflicting_duplicate", "{other:?}");
    }
    // Also within one batch.
    let twice = [command(3, 4, redeem(ada, 1)), command(3, 4, redeem(ada, 2)), command(3, 5, redeem(ada, 1))];
    let said: Vec<_> = execute(&*store, &twice).await.iter().map(|one| (word(one), one.repeated)).collect();
    let expected = [("applied", false), ("conflicting_duplicate", false), ("applied", true)];
    assert_eq!(said, expected.map(|(word, repeated)| (word.to_owned(), repeated)));
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums.posted, 9);
    let decided = store.decided(id(1)).await.expect("read").expect("decided");
    assert_eq!(decided.verdict, first[0].verdict);
    nothing_is_broken(harness).await;
}

/// Balances run in the order of recording; times, memo and actor are those of the command.
pub async fn a_history_runs_its_balance(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (member(1), member(2));
    let gift = by(1, &command(3, 30, transfer(ada, bob, 5))).with_memo("  for lunch ").expect("a memo");
    let commands = [
        command(1, 10, award(ada, 10, None)),
        command(2, 5, redeem(ada, 20)),
        gift,
        command(4, 20, hold(ada, 2, None)),
        command(5, 40, reverse(1)),
    ];
    execute(&*store, &commands).await;
    let all = HistoryFilter { asset: POINTS, owner: ada, since: None, until: None, limit: None };
    let rows = store.history(&all).await.expect("read");
    let told: Vec<_> = rows.iter().map(|row| (row.transaction, row.amount, row.owed, row.posted, row.other)).collect();
    let expected = [
        (id(1), 10, 0, Some(10), Some(Counterpart::Issued)),
        (id(2), 0, 0, Some(10), None),
        (id(3), -5, 0, Some(5), Some(Counterpart::Owner(bob))),
        (id(4), 0, 0, Some(5), None),
        (id(5), -3, 0, Some(2), Some(Counterpart::Issued)),
        (id(5), 0, 7, Some(2), Some(Counterpart::Issued)),
    ];
    assert_eq!(told, expected);
    assert_eq!(rows[1].reason, Some(Reason::new("insufficient_points")));
    assert_eq!((rows[2].actor, rows[2].memo.as_deref(), &rows[2].reason), (Some(person(1)), Some("for lunch"), &None));
    assert_eq!((rows[3].at, rows[3].recorded_at, rows[3].actor), (at(20), at(5_000), None));
}

pub async fn a_history_is_filtered_by_each_part(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (member(1), member(2));
    let mut commands = vec![command(1, 10, award(ada, 100, None)), command(2, 10, award(bob, 5, None))];
    commands.extend((3..8).map(|n| command(n, n * 10, redeem(ada, 1))));
    let minutes = vec![Move::Award { to: ada, amount: 3, expires_at: None }];
    commands.push(command(8, 80, Order::Post { asset: Asset::Minutes, moves: minutes }));
    execute(&*store, &commands).await;
    let all = HistoryFilter { asset: POINTS, owner: ada, since: None, until: None, limit: None };
    let cases = [
        (all, vec![1, 3, 4, 5, 6, 7]),
        (HistoryFilter { since: Some(at(40)), ..all }, vec![4, 5, 6, 7]),
        (HistoryFilter { until: Some(at(40)), ..all }, vec![1, 3]),
        (HistoryFilter { limit: Some(2), ..all }, vec![6, 7]),
        (HistoryFilter { since: Some(at(40)), until: Some(at(70)), limit: Some(2), ..all }, vec![5, 6]),
        (HistoryFilter { owner: bob, ..all }, vec![2]),
        (HistoryFilter { asset: Asset::Minutes, ..all }, vec![8]),
        (HistoryFilter { owner: group(1), ..all }, vec![]),
    ];
    for (filter, expected) in cases {
        let rows = store.history(&filter).await.expect("read");
        let told: Vec<_> = rows.iter().map(|row| row.transaction).collect();
        assert_eq!(told, expected.into_iter().map(id).collect::<Vec<_>>(), "{filter:?}");
    }
    let last = store.history(&HistoryFilter { limit: Some(1), ..all }).await.expect("read");
    assert_eq!(last[0].posted, Some(95), "a part of a history tells the whole balance");
}

pub async fn lots_are_paged_and_due_soonest_first(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (member(1), member(2));
    let expiries = [300, 100, 200, 100];
    let mut commands: Vec<_> =
        (1..).zip(expiries).map(|(n, expires)| command(n, n, award(ada, 10, Some(expires)))).collect();
    commands.push(command(5, 5, award(bob, 10, Some(150))));
    commands.push(command(6, 6, hold(ada, 10, Some(100))));
    commands.push(command(7, 7, hold(bob, 4, Some(120))));
    commands.push(command(8, 8, award(bob, 1, None)));
    execute(&*store, &commands).await;
    // One of ada's two lots of second 100 is held whole, until that very second.
    let mut first = [lot_id(2), lot_id(4)];
    first.sort_unstable();
    let expected = [
        Due::Hold(hold_id(6)),
        Due::Lot(first[1]),
        Due::Hold(hold_id(7)),
        Due::Lot(lot_id(5)),
        Due::Lot(lot_id(3)),
        Due::Lot(lot_id(1)),
    ];
    assert_eq!(store.due(at(300), 10).await.expect("read"), expected);
    assert_eq!(store.due(at(300), 3).await.expect("read"), expected[..3]);
    assert_eq!(store.due(at(150), 10).await.expect("read"), expected[..4]);
    assert_eq!(store.due(at(99), 10).await.expect("read"), []);

    let mut paged = Vec::new();
    while let Some(page) = Some(store.open_lots(POINTS, None, paged.last().copied(), 2).await.expect("read")) {
        paged.extend(page.iter().map(|lot| lot.id));
        if page.is_empty() {
            break;
        }
    }
    let mut every: Vec<_> = (1..=5).map(lot_id).collect();
    every.sort_unstable();
    assert_eq!(paged, every, "a lot that is held whole is not empty");
    let own = store.open_lots(POINTS, Some(ada), Some(every[0]), 100).await.expect("read");
    assert!(own.iter().all(|lot| lot.account == Account::available(POINTS, ada) && lot.id > every[0]));
    assert_eq!(store.open_lots(Asset::Minutes, None, None, 100).await.expect("read"), []);
}

/// What is due expires before the command that finds it, each at its own date.
pub async fn what_is_due_expires_first(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    let mut pair = Pair::new(&*store, vec![ada]);
    let commands = [
        command(1, 1, award(ada, 10, Some(100))),
        command(2, 2, award(ada, 10, Some(200))),
        command(3, 3, hold(ada, 15, Some(150))),
        command(4, 4, award(ada, 3, None)),
    ];
    pair.run(&commands).await;
    assert_eq!(pair.say(command(5, 250, redeem(ada, 4))).await, "insufficient_points");
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums, Sums { posted: 3, held: 0 });
    // The first lot was pinned on its day, and left when its hold expired.
    let all = HistoryFilter { asset: POINTS, owner: ada, since: Some(at(50)), until: None, limit: None };
    let rows = store.history(&all).await.expect("read");
    let told: Vec<_> = rows.iter().map(|row| (row.transaction, row.amount, row.at)).collect();
    let expected = [
        (TransactionId::expiring_hold(hold_id(3)), -10, at(150)),
        (TransactionId::expiring_lot(lot_id(2)), -10, at(200)),
        (id(5), 0, at(250)),
    ];
    assert_eq!(told, expected);
    assert_eq!(store.due(at(9_000), 10).await.expect("read"), []);
    nothing_is_broken(harness).await;
}

pub async fn only_owners_and_spenders_spend(harness: &impl Harness) {
    let store = harness.store();
    let roles = [(1, Role::Owner), (2, Role::Spender), (3, Role::Viewer), (4, Role::Spender)];
    found(&*store, 1, &roles).await;
    found(&*store, 2, &[(3, Role::Owner)]).await;
    leave(&*store, 1, 4, 1).await;
    execute_one(&*store, command(1, 1, award(group(1), 100, None))).await;
    let said = |answers: Vec<_>| answers.iter().map(word).collect::<Vec<_>>();
    let asked: Vec<_> = (1..=5).map(|who| by(who, &command(10 + who, 2, redeem(group(1), 10)))).collect();
    let expected = ["applied", "applied", "not_a_spender", "not_a_spender", "not_a_spender"];
    assert_eq!(said(execute(&*store, &asked).await), expected);
    let held: Vec<_> = (1..=5).map(|who| by(who, &command(20 + who, 3, hold(group(1), 5, None)))).collect();
    assert_eq!(said(execute(&*store, &held).await), expected);
    // Who left in the meantime may not settle either; who came may.
    leave(&*store, 1, 2, 4).await;
    join(&*store, 1, 5, Role::Spender, 4).await;
    let settled = [by(2, &command(31, 5, settle(22, 5))), by(5, &command(32, 5, settle(22, 5)))];
    assert_eq!(said(execute(&*store, &settled).await), ["not_a_spender", "applied"]);
    assert_eq!(store.standing(POINTS, group(1)).await.expect("read").sums, Sums { posted: 75, held: 5 });
    nothing_is_broken(harness).await;
}

/// Longer than any statement, and through every table.
pub async fn a_batch_may_hold_a_thousand_commands(harness: &impl Harness) {
    let store = harness.store();
    let owners: Vec<_> = (0..40).map(member).collect();
    let mut pair = Pair::new(&*store, owners.clone());
    let award = |n: u32| command(n, 1, award(owners[n as usize % 40], 100, Some(100 + n % 7)));
    let spend = |n: u32| command(n, 2, transfer(owners[n as usize % 40], owners[(n as usize + 1) % 40], 3));
    let hold = |n: u32| command(n, 3, hold(owners[n as usize % 40], 2, Some(50 + n % 3)));
    let mut commands: Vec<_> = (0..300).map(award).collect();
    commands.extend((300..700).map(spend));
    commands.extend((700..900).map(hold));
    commands.extend((900..1_000).map(|n| command(n, 4, settle(n - 200, 1))));
    pair.run(&commands).await;
    let next: Vec<_> = (1_000..1_040).map(|n| command(n, 104, redeem(owners[n as usize - 1_000], 1))).collect();
    pair.run(&next).await;
    nothing_is_broken(harness).await;
    the_invariants_agree(harness, &pair.memory).await;
}

pub async fn a_batch_may_have_no_commands(harness: &impl Harness) {
    assert_eq!(harness.store().execute(&[], at(1)).await.expect("executed"), []);
    nothing_is_broken(harness).await;
}

/// An effect and its commands are written together or not at all.
pub async fn commands_are_written_with_their_batch(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    let with = |member: Member, commands| Batch { commands, ..batch(membership(), vec![member.joins()]) };
    let earns = command(1, 1, award(ada, 15, None));
    try_commit(&*store, &with(Member(1), vec![earns.clone()])).await.expect("committed");
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums.posted, 15);
    let all = HistoryFilter { asset: POINTS, owner: ada, since: None, until: None, limit: None };
    assert_eq!(store.history(&all).await.expect("read")[0].recorded_at, at(1_000), "when the batch was processed");

    let spends = vec![command(2, 2, redeem(ada, 5)), command(3, 2, redeem(ada, 11))];
    let refused = try_commit(&*store, &with(Member(2), spends)).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    assert!(load(&*store, &membership(), &by_email(&[Member(2)])).await.people.is_empty());
    assert_eq!(store.decided(id(2)).await.expect("read"), None);

    // What was decided before is no reason to refuse, if it was applied.
    try_commit(&*store, &with(Member(2), vec![earns])).await.expect("committed");
    let other = try_commit(&*store, &with(Member(3), vec![command(1, 9, award(ada, 1, None))])).await;
    assert!(matches!(other, Err(StoreError::Refused(_))), "{other:?}");
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums.posted, 15);
    nothing_is_broken(harness).await;
}

pub async fn a_refusal_says_why_the_second_time_too(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    execute(&*store, &[command(1, 1, award(ada, 10, None)), command(2, 2, hold(ada, 4, None))]).await;
    let first = execute_one(&*store, command(3, 3, redeem(ada, 7))).await;
    let Verdict::Rejected(refusal) = &first.verdict else { panic!("{first:?}") };
    assert_eq!(refusal.reason.as_str(), "insufficient_points");
    assert!(refusal.detail.contains("10 points") && refusal.detail.contains("4 are held"), "{}", refusal.detail);
    assert_eq!(first.left, Some(Sums { posted: 10, held: 4 }));
    execute_one(&*store, command(4, 4, award(ada, 10, None))).await;
    let again = execute_one(&*store, command(3, 5, redeem(ada, 7))).await;
    assert_eq!((again.verdict, again.left), (first.verdict, first.left));
}
