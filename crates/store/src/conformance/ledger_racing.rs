//! Many callers of the ledger at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollbook_ledger::{Answer, Command, Role, Sums};

use super::Harness;
use super::group_samples::{ask, leave, said};
use super::ledger_samples::{
    POINTS, award, by, command, execute, execute_one, found, group, group_id, hold, id, member, person, redeem,
    reverse, settle, take_back, transfer, void, word,
};
use super::samples::{at, nothing_is_broken};
use crate::{Database, GroupChange, GroupOrder, Invitation, Standing, StoreError};

/// Each command by a task of its own.
async fn at_once(store: &Arc<dyn Database>, commands: impl IntoIterator<Item = Command>) -> Vec<Answer> {
    let ask = |command| {
        let store = store.clone();
        tokio::spawn(async move { execute_one(&*store, command).await })
    };
    let tasks: Vec<_> = commands.into_iter().map(ask).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("answered"));
    }
    answers
}

fn count(answers: &[Answer]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(word(answer)).or_default() += 1;
    }
    counts
}

pub async fn the_last_points_are_redeemed_once(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    execute_one(&*store, command(0, 1, award(ada, 10, None))).await;
    let answers = at_once(&store, (1..=64).map(|n| command(n, 2, redeem(ada, 10)))).await;
    let expected = BTreeMap::from([("applied".to_owned(), 1), ("insufficient_points".to_owned(), 63)]);
    assert_eq!(count(&answers), expected);
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums, Sums::default());
    nothing_is_broken(harness).await;
}

pub async fn a_hold_settled_and_voided_at_once_is_resolved_once(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    execute_one(&*store, command(0, 1, award(ada, 1_000, Some(4_000)))).await;
    let mut settled = 0;
    for round in 1..=15 {
        let n = round * 10;
        execute_one(&*store, command(n, 2, hold(ada, 10, None))).await;
        let asked = [settle(n, 10), void(n), settle(n, 9), void(n)];
        let answers = at_once(&store, (n + 1..).zip(asked).map(|(n, order)| command(n, 3, order))).await;
        let applied: Vec<_> = (0..4).filter(|which| word(&answers[*which]) == "applied").collect();
        let lost = if applied == [0] || applied == [2] { "hold_settled" } else { "hold_voided" };
        assert_eq!(count(&answers), BTreeMap::from([("applied".to_owned(), 1), (lost.to_owned(), 3)]));
        settled += [10, 0, 9, 0][applied[0]];
    }
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums, Sums { posted: 1_000 - settled, held: 0 });
    nothing_is_broken(harness).await;
}

/// Whichever comes first: what was awarded is taken once.
pub async fn an_award_reversed_and_taken_back_at_once_is_undone_once(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    for round in 1..=15 {
        let n = round * 10;
        execute_one(&*store, command(n, 2, award(ada, 10, None))).await;
        let asked = [take_back(ada, 4, Some(n)), reverse(n), take_back(ada, 6, Some(n))];
        let answers = at_once(&store, (n + 1..).zip(asked).map(|(n, order)| command(n, 3, order))).await;
        let said: Vec<_> = answers.iter().map(word).collect();
        assert_eq!([&said[0], &said[2]], ["applied"; 2]);
        assert!(["applied", "already_taken_back"].contains(&said[1].as_str()), "{said:?}");
        assert_eq!(store.standing(POINTS, ada).await.expect("read"), Standing::default(), "{said:?}");
    }
    nothing_is_broken(harness).await;
}

pub async fn one_id_asked_by_many_is_decided_once(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    execute_one(&*store, command(0, 1, award(ada, 100, None))).await;
    let answers = at_once(&store, (0..16).map(|_| command(1, 2, redeem(ada, 10)))).await;
    assert_eq!(count(&answers), BTreeMap::from([("applied".to_owned(), 16)]));
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums.posted, 90);
    nothing_is_broken(harness).await;
}

/// Several members of a group, and one who left it.
pub async fn a_group_is_spent_by_its_members_at_once(harness: &impl Harness) {
    let store = harness.store();
    let roles: Vec<_> = (1..=8).map(|who| (who, if who == 1 { Role::Owner } else { Role::Spender })).collect();
    found(&*store, 1, &roles).await;
    execute_one(&*store, command(0, 1, award(group(1), 30, Some(4_000)))).await;
    leave(&*store, 1, 8, 2).await;
    let asked = (1..=8).flat_map(|who| (0..4).map(move |n| by(who, &command(who * 10 + n, 3, redeem(group(1), 10)))));
    let answers = at_once(&store, asked).await;
    let expected = [("applied", 3), ("insufficient_points", 25), ("not_a_spender", 4)];
    assert_eq!(count(&answers), expected.map(|(word, count)| (word.to_owned(), count)).into());
    assert!(answers[28..].iter().all(|answer| word(answer) == "not_a_spender"), "who left spends nothing");
    nothing_is_broken(harness).await;
}

/// Whoever leaves while they spend has either spent before or is refused.
pub async fn whoever_leaves_spends_nothing_afterwards(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Spender)]).await;
    execute_one(&*store, command(0, 1, award(group(1), 1_000, None))).await;
    let spending = store.clone();
    let spender = tokio::spawn(async move {
        let mut applied = Vec::new();
        for n in 1..=60 {
            applied.push(word(&execute_one(&*spending, by(2, &command(n, 3, redeem(group(1), 1)))).await) == "applied");
        }
        applied
    });
    while store.decided(id(5)).await.expect("read").is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(leave(&*store, 1, 2, 4).await, GroupChange::Done);
    assert_eq!(word(&execute_one(&*store, by(2, &command(99, 4, redeem(group(1), 1)))).await), "not_a_spender");
    let applied = spender.await.expect("asked");
    let spent = applied.iter().take_while(|applied| **applied).count();
    assert!(spent >= 5 && applied[spent..].iter().all(|applied| !applied), "refused from then on");
    let left = 1_000 - i64::try_from(spent).expect("a count");
    assert_eq!(store.standing(POINTS, group(1)).await.expect("read").sums.posted, left);
    nothing_is_broken(harness).await;
}

/// Transfers in circles between few accounts, in batches of several, from many callers.
pub async fn transfers_at_once_lose_nothing(harness: &impl Harness) {
    const CALLERS: u32 = 8;
    const BATCHES: u32 = 12;
    let store = harness.store();
    let start: Vec<_> = (0..6).map(|n| command(n, 1, award(member(n), 50, (n % 2 == 0).then_some(4_000)))).collect();
    execute(&*store, &start).await;
    let callers = (0..CALLERS).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..BATCHES {
                let first = 100 + (caller * BATCHES + n) * 5;
                let (from, to) = ((caller + n) % 6, (caller + n * 2 + 1) % 6);
                let to = if to == from { (to + 1) % 6 } else { to };
                let batch: Vec<_> =
                    (first..first + 5).map(|n| command(n, 2, transfer(member(from), member(to), 7))).collect();
                assert_eq!(execute(&*store, &batch).await.len(), 5);
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller");
    }
    assert_eq!(store.outstanding(POINTS).await.expect("read").sums, Sums { posted: 300, held: 0 });
    nothing_is_broken(harness).await;
}

/// A caller who gives up anywhere leaves nothing half done, and may ask again with the same id.
pub async fn a_caller_who_gives_up_may_ask_again(harness: &impl Harness) {
    let store = harness.store();
    let ada = member(1);
    execute_one(&*store, command(0, 1, award(ada, 1_000, Some(4_000)))).await;
    for round in 1..=25 {
        let batch: Vec<_> = (0..4).map(|n| command(round * 10 + n, 2, redeem(ada, 1))).collect();
        let (task_store, task_batch) = (store.clone(), batch.clone());
        let task = tokio::spawn(async move { task_store.execute(&task_batch, at(3)).await });
        tokio::time::sleep(std::time::Duration::from_micros(u64::from(round * round) * 8)).await;
        task.abort();
        let given_up = task.await;
        assert!(!matches!(given_up, Ok(Err(ref error)) if !matches!(error, StoreError::Conflict(_))), "{given_up:?}");
        let answers = execute(&*store, &batch).await;
        assert_eq!(count(&answers), BTreeMap::from([("applied".to_owned(), 4)]));
        let repeated = answers.iter().filter(|answer| answer.repeated).count();
        assert!(repeated == 0 || repeated == 4, "{repeated} of 4");
    }
    assert_eq!(store.standing(POINTS, ada).await.expect("read").sums.posted, 900);
    nothing_is_broken(harness).await;
}

pub async fn two_owners_who_leave_at_once_leave_one(harness: &impl Harness) {
    let store = harness.store();
    for round in 1..=8 {
        found(&*store, round, &[(1, Role::Owner), (2, Role::Owner), (3, Role::Viewer)]).await;
        let leaves = |member| {
            let store = store.clone();
            tokio::spawn(async move { leave(&*store, round, member, 1).await })
        };
        let (one, two) = (leaves(1), leaves(2));
        let mut told = [one.await.expect("a caller"), two.await.expect("a caller")];
        told.sort_by_key(|change| *change != GroupChange::Done);
        assert_eq!(told, [GroupChange::Done, GroupChange::LastOwner]);
    }
}

pub async fn an_invitation_accepted_by_many_is_used_once(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner)]).await;
    let (digest, role) = ([7; 32], Role::Spender);
    let invitation = Invitation { digest, group: group_id(1), role, expires_at: at(9) };
    ask(&*store, &GroupOrder::Invite(invitation), &said(1)).await;
    let accept = |member| {
        let store = store.clone();
        let order = GroupOrder::Accept { digest, person: person(member) };
        tokio::spawn(async move { ask(&*store, &order, &said(2)).await })
    };
    let mut done = 0;
    for task in (2..10).map(accept).collect::<Vec<_>>() {
        match task.await.expect("a caller") {
            GroupChange::Done => done += 1,
            other => assert_eq!(other, GroupChange::InvitationUsed),
        }
    }
    assert_eq!((done, store.group_members(group_id(1)).await.expect("listed").len()), (1, 2));
}
