//! What facts earn: written with the ledger's transactions, loaded by whole scopes, one after another.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::date;
use rollbook_domain::{
    Capped, Change, Currency, Earning, EarningKey, EventKey, FactKind, FactRef, Money, Owner, Paid, PaymentRef, Period,
    Rate, Reads, Scope, State,
};
use rollbook_ledger::{Asset, Command, LARGEST, Role};

use super::Harness;
use super::group_samples::leave;
use super::ledger_samples::{found, group_id, person};
use super::samples::{Member, applied, at, batch, commit, fact, load, nothing_is_broken, points, try_commit};
use super::tampering::broken;
use crate::{Batch, Database, SettledEvent, StoreError};

const CAP: i64 = 100;
const RULE: &str = "payment_captured purpose=\"it's\"";

fn march() -> Period {
    Period { first: date(2025, 3, 1), last: date(2025, 3, 31) }
}

fn ada() -> Owner {
    Owner::Person(Member(1).id())
}

fn scope() -> Scope {
    Scope { owner: ada(), rule: RULE.to_owned(), period: march() }
}

fn payment(number: u32) -> PaymentRef {
    Member(number).payment_ref()
}

/// What payment `number` of 15 dollars gives, uncapped.
fn award(number: u32, owner: Owner, moved: i64) -> Earning {
    let amount = Money { minor: 1500, currency: Currency::parse("USD").expect("a currency") };
    Earning {
        fact: Member(number).paid(),
        rule: RULE.to_owned(),
        of: Member(number).paid(),
        owner,
        paid: Some(Paid { payment: payment(number), amount, returned_minor: 0 }),
        rate: Rate::PerUnit { per_10000: 10_000 },
        capped: None,
        earned: moved,
        moved,
        at: at(number),
        expires_at: Some(at(90_000)),
    }
}

fn capped(number: u32, earned: i64, moved: i64) -> Earning {
    let capped = Some(Capped { period: march(), points: CAP });
    Earning { capped, earned, ..award(number, ada(), moved) }
}

/// Without a payment, a cap or a date on which it expires.
fn welcome(owner: Owner) -> Earning {
    let registered = fact(EventKey::member_registered(Member(1).id()));
    let rate = Rate::Award { points: 7 };
    let (fact, of) = (registered.clone(), registered);
    Earning { fact, of, paid: None, rate, expires_at: None, ..award(1, owner, 7) }
}

/// All of payment `number` is given back; `from` tells what of which award is taken.
fn returned(number: u32, earned: i64, from: &[(u32, i64)]) -> Vec<Earning> {
    let row = |(index, (of, moved)): (usize, &(u32, i64))| {
        let award = capped(number, if index == 0 { earned } else { 0 }, *moved);
        let paid = award.paid.clone().map(|paid| Paid { returned_minor: 1500, ..paid });
        Earning { fact: refund(number), of: Member(*of).paid(), paid, at: at(600), ..award }
    };
    from.iter().enumerate().map(row).collect()
}

fn refund(number: u32) -> FactRef {
    fact(EventKey::refunded(&payment(number).transaction, 1500))
}

fn event(number: u32, kind: FactKind, earnings: &[Earning]) -> SettledEvent {
    let changes = earnings.iter().map(|earning| Change::Earn(Box::new(earning.clone()))).collect();
    applied(number, earnings[0].fact.clone(), kind, changes)
}

fn captured(earning: &Earning, number: u32) -> SettledEvent {
    event(number, FactKind::PaymentCaptured, std::slice::from_ref(earning))
}

/// With the commands that the worker makes of it.
fn earned(settled: Vec<SettledEvent>) -> Batch {
    let commands: Vec<_> = settled
        .iter()
        .filter_map(|event| {
            let earnings = event.changes.iter().filter_map(|change| match change {
                Change::Earn(earning) => Some(&**earning),
                _ => None,
            });
            Command::earning(earnings, Timestamp::MAX).expect("well-formed")
        })
        .collect();
    Batch { commands, ..batch(points(), settled) }
}

fn keyed(earnings: impl IntoIterator<Item = Earning>) -> BTreeMap<EarningKey, Earning> {
    earnings.into_iter().map(|earning| (earning.key(), earning)).collect()
}

/// Four payments of Ada and one for a group; the second of them is given back, later in one batch.
async fn a_spring(store: &dyn Database) -> Vec<Earning> {
    found(store, 1, &[(1, Role::Owner)]).await;
    let group = Owner::Group(group_id(1));
    let awards = [award(1, ada(), 15), capped(2, 80, 80), capped(3, 80, 20), capped(4, 5, 0), award(5, group, 15)];
    let mut settled: Vec<_> = (1..).zip(&awards).map(|(number, earning)| captured(earning, number)).collect();
    settled.push(event(1, FactKind::MemberRegistered, &[welcome(group)]));
    let second = returned(2, -80, &[(2, -15)]);
    settled.push(event(2, FactKind::PaymentRefunded, &second));
    commit(store, &earned(settled)).await;
    let third = returned(3, -80, &[(3, -20), (2, -60)]);
    commit(store, &earned(vec![event(3, FactKind::PaymentRefunded, &third)])).await;
    awards.into_iter().chain([welcome(group)]).chain(second).chain(third).collect()
}

pub async fn earnings_come_by_whole_scopes(harness: &impl Harness) {
    let store = harness.store();
    let all = a_spring(&*store).await;
    nothing_is_broken(harness).await;
    let in_march: Vec<_> = all.iter().filter(|earning| earning.scope() == Some(scope())).cloned().collect();
    assert_eq!(in_march.len(), 6);
    let read = |reads: Reads| {
        let store = store.clone();
        async move { load(&*store, &points(), &reads).await }
    };
    let by_scope = read(Reads { scopes: [scope()].into(), ..Reads::default() }).await;
    assert_eq!(by_scope.earnings, keyed(in_march.clone()));
    assert_eq!(by_scope.earned_in(&scope()).count(), 6);
    let by_payment = read(Reads { earned_by: [payment(4)].into(), ..Reads::default() }).await;
    assert_eq!(by_payment.earnings, keyed(in_march), "a payment comes with all of its scope");
    assert_eq!(by_payment.earned_by(&payment(4)).count(), 1);
    let alone = read(Reads { earned_by: [payment(1), payment(5)].into(), ..Reads::default() }).await;
    assert_eq!(alone.earnings, keyed([all[0].clone(), all[4].clone()]));
    let elsewhere = PaymentRef { account: "elsewhere".into(), ..payment(1) };
    let other = Scope { period: Period { last: date(2025, 12, 31), ..march() }, ..scope() };
    let none = Reads { earned_by: [elsewhere, payment(9)].into(), scopes: [other].into(), ..Reads::default() };
    assert_eq!(read(none).await, State::default());
    let standing = store.standing(Asset::Points, ada()).await.expect("told");
    assert_eq!((standing.sums.posted, standing.owed), (15 + 5, 0));
    let group = store.standing(Asset::Points, Owner::Group(group_id(1))).await.expect("told");
    assert_eq!(group.sums.posted, 15 + 7);
}

/// The points would not fit into a balance, so nothing of the fact is recorded.
pub async fn a_refused_command_leaves_no_earning(harness: &impl Harness) {
    let store = harness.store();
    commit(&*store, &earned(vec![captured(&award(1, ada(), LARGEST), 1)])).await;
    let one_more = earned(vec![captured(&award(2, ada(), 1), 2)]);
    assert!(matches!(try_commit(&*store, &one_more).await, Err(StoreError::Refused(_))));
    let reads = Reads { earned_by: [payment(2)].into(), outcomes: [Member(2).paid()].into(), ..Reads::default() };
    assert_eq!(load(&*store, &points(), &reads).await, State::default());
    // Nor may one stand without the transaction that moved it.
    let unmoved = batch(points(), vec![captured(&award(3, ada(), 1), 3)]);
    assert!(matches!(try_commit(&*store, &unmoved).await, Err(StoreError::Refused(_))));
    nothing_is_broken(harness).await;
}

const INSERT: &str = "INSERT INTO earning (fact, rule, award_of, owner_kind, owner, account, transaction_id, amount_minor, \
                      currency, returned_minor, per_10000, award, period_first, period_last, cap, earned, moved, \
                      posted_by, happened_at, expires_at) ";

/// What nobody may write, and how a row that stands is written anew.
const REFUSED: [(&str, &str); 9] = [
    ("a changed earning", "UPDATE earning SET earned = earned + 1"),
    ("a deleted earning", "DELETE FROM earning"),
    (
        "the same earning twice",
        "SELECT fact, rule, award_of, owner_kind, owner, account, transaction_id, amount_minor, \
      currency, returned_minor, per_10000, award, period_first, period_last, cap, earned, moved, posted_by, \
      happened_at, expires_at FROM earning WHERE transaction_id = 'txn-4'",
    ),
    (
        "an earning of no fact",
        "SELECT -1, rule, award_of, owner_kind, owner, account, transaction_id, amount_minor, \
      currency, returned_minor, per_10000, award, period_first, period_last, cap, 0, 0, NULL, happened_at, expires_at \
      FROM earning WHERE transaction_id = 'txn-4'",
    ),
    (
        "points from another's award by another rule",
        "SELECT fact, 'other', award_of, owner_kind, owner, account, \
      transaction_id, amount_minor, currency, returned_minor, per_10000, award, period_first, period_last, cap, 0, 0, \
      NULL, happened_at, expires_at FROM earning WHERE fact <> award_of",
    ),
    (
        "points moved by nothing",
        "SELECT fact, 'other', fact, owner_kind, owner, account, transaction_id, amount_minor, \
      currency, returned_minor, per_10000, award, period_first, period_last, cap, 5, 5, NULL, happened_at, expires_at \
      FROM earning WHERE transaction_id = 'txn-4'",
    ),
    (
        "more without a cap than was earned",
        "SELECT fact, 'other', fact, owner_kind, owner, account, transaction_id, \
      amount_minor, currency, returned_minor, per_10000, award, NULL, NULL, NULL, 5, 0, NULL, happened_at, expires_at \
      FROM earning WHERE transaction_id = 'txn-4'",
    ),
    (
        "more given back than was paid",
        "SELECT fact, 'other', fact, owner_kind, owner, account, transaction_id, \
      amount_minor, currency, amount_minor + 1, per_10000, award, period_first, period_last, cap, 0, 0, NULL, \
      happened_at, expires_at FROM earning WHERE transaction_id = 'txn-4'",
    ),
    (
        "an award below zero",
        "SELECT fact, 'other', fact, owner_kind, owner, account, transaction_id, amount_minor, \
      currency, returned_minor, per_10000, award, period_first, period_last, cap, -1, 0, NULL, happened_at, expires_at \
      FROM earning WHERE transaction_id = 'txn-4'",
    ),
];

pub async fn earnings_are_never_changed(harness: &impl Harness) {
    let store = harness.store();
    a_spring(&*store).await;
    for (what, sql) in REFUSED {
        let sql = if sql.starts_with("SELECT") { format!("{INSERT}{sql}") } else { sql.to_owned() };
        assert!(harness.attempt(&sql).await.is_err(), "the database took {what}");
    }
    nothing_is_broken(harness).await;
}

/// A lie, and the check that must find it.
const LIES: [(&str, &str); 7] = [
    ("UPDATE earning SET moved = moved + 1 WHERE transaction_id = 'txn-1'", "earnings_were_posted"),
    (
        "UPDATE earning SET earned = earned + 1, moved = moved + 1 \
         WHERE transaction_id = 'txn-2' AND returned_minor > 0 AND earned <> 0",
        "payments_keep_what_is_left_of_them",
    ),
    ("UPDATE earning SET moved = moved + 1 WHERE transaction_id = 'txn-4'", "earnings_are_within_their_cap"),
    (
        "UPDATE processed SET outcome = 'ignored', reason = 'x' WHERE event_key = 'payment:txn-5:captured'",
        "recorded_earnings_were_applied",
    ),
    ("DELETE FROM earning WHERE transaction_id = 'txn-1'", "applied_payments_are_recorded"),
    ("DELETE FROM earning WHERE award = 7", "applied_registrations_are_recorded"),
    ("DELETE FROM processed WHERE event_key = 'payment:txn-4:captured'", "references_hold"),
];

pub async fn whatever_is_tampered_with_in_earnings_is_found(harness: &impl Harness) {
    let store = harness.store();
    a_spring(&*store).await;
    let mut before = broken(&*store).await;
    for (sql, name) in LIES {
        harness.tamper(sql).await;
        let after = broken(&*store).await;
        assert!(after.get(name) > before.get(name), "{sql}: {name} did not see it, but {after:?}");
        before = after;
    }
}

/// One payment of 40 points under a cap: load, decide, write; once more where another came first.
async fn earns(store: Arc<dyn Database>, number: u32) {
    let reads = Reads { scopes: [scope()].into(), ..Reads::default() };
    for _ in 0..10 {
        let mut tx = store.begin().await.expect("begun");
        let state = tx.load(&points(), &reads).await.expect("loaded");
        let moved: i64 = state.earned_in(&scope()).map(|earning| earning.moved).sum();
        let earning = capped(number, 40, (CAP - moved).clamp(0, 40));
        let settled = match tx.write(&earned(vec![captured(&earning, number)])).await {
            Ok(()) => tx.commit().await,
            Err(error) => Err(error),
        };
        match settled {
            Ok(()) => return,
            Err(StoreError::Conflict(_)) => {}
            Err(error) => panic!("neither settled nor a conflict: {error:?}"),
        }
    }
    panic!("ten conflicts in a row");
}

pub async fn whoever_earns_under_a_cap_waits_for_the_other(harness: &impl Harness) {
    let store = harness.store();
    let workers: Vec<_> = (1..=8).map(|number| tokio::spawn(earns(store.clone(), number))).collect();
    for worker in workers {
        worker.await.expect("earned");
    }
    let standing = store.standing(Asset::Points, ada()).await.expect("told");
    assert_eq!(standing.sums.posted, CAP);
    nothing_is_broken(harness).await;
}

pub async fn former_members_of_groups_are_loaded_with_their_date(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Viewer)]).await;
    leave(&*store, 1, 2, 70).await;
    let pair = |member| (group_id(1), person(member));
    let asked = [pair(1), pair(2), pair(3), (group_id(2), person(1))];
    let reads = Reads { group_members: asked.into(), ..Reads::default() };
    let state = load(&*store, &points(), &reads).await;
    assert_eq!(state.group_members, BTreeMap::from([(pair(1), None), (pair(2), Some(at(70)))]));
}
