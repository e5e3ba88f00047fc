//! Invented commands, and what must be told after them.

use rollbook_domain::PersonId;
use rollbook_ledger::model::{Members, World};
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Command, Destination, Due, GroupId, HoldId, LotId, Move, Order, Owner, Role, Share,
    TransactionId, Verdict, examine,
};
use uuid::Uuid;

use super::Harness;
use super::group_samples::{ask, create, join, said};
use super::ledger_memory::Memory;
use super::samples::{Member, at};
use crate::{ChangeId, Database, GroupChange, GroupOrder, HistoryFilter, Said, StoreError};

pub const POINTS: Asset = Asset::Points;

pub fn person(number: u32) -> PersonId {
    Member(number).id()
}

pub fn member(number: u32) -> Owner {
    Owner::Person(person(number))
}

pub fn group_id(number: u32) -> GroupId {
    GroupId(Uuid::from_u128(0x6006_0000_0000_4000_8000_0000_0000_0000 + u128::from(number)))
}

pub fn group(number: u32) -> Owner {
    Owner::Group(group_id(number))
}

pub fn id(number: u32) -> TransactionId {
    TransactionId::of_key(&format!("command {number}"))
}

pub fn hold_id(number: u32) -> HoldId {
    HoldId::placed_by(id(number))
}

/// The first lot that this command made.
pub fn lot_id(number: u32) -> LotId {
    LotId::of(id(number), 0)
}

/// A command of the system: its number, its second, and what it asks.
pub fn command(number: u32, second: u32, order: Order) -> Command {
    Command::new(id(number), at(second), Actor::System, order).expect("well-formed")
}

/// The same, asked by a member.
pub fn by(asking: u32, command: &Command) -> Command {
    let actor = Actor::Person(person(asking));
    Command::new(command.id(), command.at(), actor, command.order().clone()).expect("well-formed")
}

pub fn award(to: Owner, amount: i64, expires: Option<u32>) -> Order {
    let step = Move::Award { to, amount, expires_at: expires.map(at) };
    Order::Post { asset: POINTS, moves: vec![step] }
}

pub fn redeem(from: Owner, amount: i64) -> Order {
    Order::Post { asset: POINTS, moves: vec![Move::Spend { from, to: Destination::Redeemed, amount }] }
}

pub fn transfer(from: Owner, to: Owner, amount: i64) -> Order {
    Order::Post { asset: POINTS, moves: vec![Move::Spend { from, to: Destination::Owner(to), amount }] }
}

/// A clawback, of what this command gave.
pub fn take_back(from: Owner, amount: i64, of: Option<u32>) -> Order {
    Order::Post { asset: POINTS, moves: vec![Move::TakeBack { from, amount, of: of.map(id), expiring: None }] }
}

pub fn hold(from: Owner, amount: i64, expires: Option<u32>) -> Order {
    Order::Hold { from: Account::available(POINTS, from), amount, expires_at: expires.map(at) }
}

pub fn settle(hold: u32, amount: i64) -> Order {
    Order::Settle { hold: hold_id(hold), shares: vec![Share { to: Destination::Redeemed, amount }] }
}

pub fn void(hold: u32) -> Order {
    Order::Void { hold: hold_id(hold) }
}

pub fn reverse(number: u32) -> Order {
    Order::Reverse { transaction: id(number) }
}

pub fn sweep(due: Due, second: u32) -> Command {
    Command::expiring(due, at(second))
}

/// As a caller does it: what lost a race is asked again.
pub async fn execute(store: &dyn Database, commands: &[Command]) -> Vec<Answer> {
    for _ in 0..20 {
        match store.execute(commands, at(5_000)).await {
            Ok(answers) => return answers,
            Err(StoreError::Conflict(_)) => {}
            Err(error) => panic!("neither done nor a conflict: {error:?}"),
        }
    }
    panic!("twenty conflicts in a row");
}

pub async fn execute_one(store: &dyn Database, command: Command) -> Answer {
    execute(store, &[command]).await.remove(0)
}

/// `applied`, or why not.
pub fn word(answer: &Answer) -> String {
    match &answer.verdict {
        Verdict::Applied => "applied".to_owned(),
        Verdict::Rejected(refusal) => refusal.reason.as_str().to_owned(),
    }
}

pub async fn found(store: &dyn Database, number: u32, members: &[(u32, Role)]) {
    let (first, _) = members[0];
    let made = create(store, number, &format!("Household {number}"), Some(person(first))).await;
    assert_eq!(made, GroupChange::Done);
    for (member, role) in &members[1..] {
        assert_eq!(join(store, number, *member, *role, 0).await, GroupChange::Done);
    }
}

/// The store beside the ledger in memory, which is told everything that the store is told.
pub struct Pair<'s> {
    pub store: &'s dyn Database,
    pub memory: Memory,
    owners: Vec<Owner>,
}

impl<'s> Pair<'s> {
    pub fn new(store: &'s dyn Database, owners: Vec<Owner>) -> Self {
        Self { store, memory: Memory::new(Members::new()), owners }
    }

    /// The groups of these worlds are made, and what their members may do is known on both sides.
    pub async fn of_worlds(store: &'s dyn Database, worlds: &[World]) -> Self {
        let mut members = Members::new();
        for world in worlds {
            for number in 0..2 {
                let said = Said::new(ChangeId(world.group(number).0), at(0), Actor::System);
                let owner = Some(world.person(number));
                ask(store, &GroupOrder::Create { name: format!("Group {number}"), owner }, &said).await;
            }
            members.extend(world.members());
        }
        for ((group, person), role) in &members {
            let order = GroupOrder::Join { group: *group, person: *person, role: *role };
            ask(store, &order, &said(0)).await;
        }
        Self { store, memory: Memory::new(members), owners: Vec::new() }
    }

    /// Whom to look at after each batch.
    pub fn look_at(&mut self, worlds: &[World]) {
        self.owners = worlds.iter().flat_map(|world| (0..5).map(|n| world.owner(n))).collect();
    }

    /// One batch: the same answers as one by one, and afterwards the same is told of everybody.
    pub async fn run(&mut self, commands: &[Command]) -> Vec<Answer> {
        let answers = execute(self.store, commands).await;
        assert_eq!(answers, self.memory.run(commands, at(5_000)));
        self.agree().await;
        answers
    }

    /// One batch of one; tells `applied` or why not.
    pub async fn say(&mut self, command: Command) -> String {
        word(&self.run(&[command]).await[0])
    }

    pub async fn agree(&self) {
        let (store, memory) = (self.store, &self.memory);
        for asset in [Asset::Points, Asset::Minutes] {
            for owner in self.owners.iter().copied() {
                assert_eq!(store.standing(asset, owner).await.expect("read"), memory.standing(asset, owner));
                assert_eq!(store.open_holds(asset, owner).await.expect("read"), memory.open_holds(asset, owner));
                let lots = store.open_lots(asset, Some(owner), None, 1_000).await.expect("read");
                assert_eq!(lots, memory.open_lots(asset, Some(owner)));
                let filter = HistoryFilter { asset, owner, since: None, until: None, limit: None };
                for filter in [filter, HistoryFilter { limit: Some(4), ..filter }] {
                    assert_eq!(store.history(&filter).await.expect("read"), memory.history(&filter));
                }
            }
            assert_eq!(store.open_lots(asset, None, None, 1_000).await.expect("read"), memory.open_lots(asset, None));
            assert_eq!(store.outstanding(asset).await.expect("read"), memory.outstanding(asset));
        }
        assert_eq!(store.due(at(9_000), 1_000).await.expect("read"), memory.due(at(9_000)));
    }
}

/// What `verify` counts of the ledger is what the same invariants count over all rows in memory. A
/// store may have accounts that nothing ever touched.
pub async fn the_invariants_agree(harness: &impl Harness, memory: &Memory) {
    let untouched = [
        "posted_is_the_sum_of_legs",
        "held_is_the_sum_of_open_holds",
        "no_balance_below_its_floor",
        "liability_is_what_was_issued",
    ];
    let checks = harness.store().snapshot().await.expect("a snapshot").checks().await.expect("checked");
    for expected in examine(&memory.tables.rows) {
        let found = checks.iter().find(|check| check.name == expected.name).expect("a check of this name");
        let (checked, broken) = (found.checked, found.broken);
        assert_eq!((broken, expected.broken.len()), (0, 0), "{}", expected.name);
        let expected_count = u64::try_from(expected.checked).expect("a count");
        let same = checked == expected_count || untouched.contains(&expected.name) && checked > expected_count;
        assert!(same, "{}: {checked} checked instead of {expected_count}", expected.name);
    }
}
