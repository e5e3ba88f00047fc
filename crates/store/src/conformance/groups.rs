//! Groups: who belongs to them, and what must not become of them.

use std::collections::BTreeMap;

use rollbook_ledger::{GroupId, Role};

use super::Harness;
use super::group_samples::{ask, create, join, leave, said};
use super::ledger_samples::{found, group_id, person};
use super::samples::{Member, at, membership, nothing_is_broken, settle};
use crate::{Database, Group, GroupChange, GroupOrder, Invitation};

fn invitation(digest: u8, role: Role) -> GroupOrder {
    GroupOrder::Invite(Invitation { digest: [digest; 32], group: group_id(1), role, expires_at: at(100) })
}

async fn invite(store: &dyn Database, digest: u8, role: Role) -> GroupChange {
    ask(store, &invitation(digest, role), &said(10)).await
}

async fn accept(store: &dyn Database, digest: u8, member: u32, second: u32) -> (GroupChange, Option<GroupId>) {
    let order = GroupOrder::Accept { digest: [digest; 32], person: person(member) };
    store.change_group(&order, &said(second)).await.expect("answered")
}

async fn names(store: &dyn Database, member: Option<u32>) -> Vec<String> {
    let groups = store.groups_of(member.map(person)).await.expect("listed");
    groups.into_iter().map(|group| group.name).collect()
}

/// Number, role, when they joined and left; in the order of joining.
async fn members(store: &dyn Database, number: u32) -> Vec<(u32, Role, u32, Option<u32>)> {
    let rows = store.group_members(group_id(number)).await.expect("listed");
    let second = |moment| (0..1_000).find(|second| at(*second) == moment).expect("a second of this test");
    let of = |one| (0..20).find(|number| person(*number) == one).expect("a member of this test");
    rows.iter().map(|row| (of(row.person), row.role, second(row.joined_at), row.left_at.map(second))).collect()
}

pub async fn a_group_is_made_once(harness: &impl Harness) {
    let store = harness.store();
    assert_eq!(store.group(group_id(1)).await.expect("read"), None);
    let owner = Some(person(1));
    assert_eq!(create(&*store, 1, "Household 1", owner).await, GroupChange::Done);
    assert_eq!(create(&*store, 1, "Household 1", owner).await, GroupChange::Repeated);
    assert_eq!(create(&*store, 1, "Another", owner).await, GroupChange::Conflicting);
    assert_eq!(create(&*store, 1, "Household 1", Some(person(2))).await, GroupChange::Conflicting);
    let made = Group { id: group_id(1), name: "Household 1".to_owned(), created_at: at(0) };
    assert_eq!(store.group(group_id(1)).await.expect("read"), Some(made));
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None)]);
    assert_eq!(create(&*store, 3, "Household 3", None).await, GroupChange::Done);
    assert_eq!(members(&*store, 3).await, [], "nobody belongs to it yet");
    let (nameless, said) = (GroupOrder::Create { name: "  ".to_owned(), owner }, said(0));
    store.change_group(&nameless, &said).await.expect_err("a group has a name");
    assert_eq!(store.group(GroupId(said.id.0)).await.expect("read"), None);
    assert_eq!(store.group_history(GroupId(said.id.0)).await.expect("read"), []);
    nothing_is_broken(harness).await;
}

pub async fn members_join_change_leave_and_come_back(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner)]).await;
    assert_eq!(join(&*store, 1, 2, Role::Viewer, 10).await, GroupChange::Done);
    assert_eq!(join(&*store, 1, 2, Role::Viewer, 11).await, GroupChange::Unchanged);
    assert_eq!(join(&*store, 1, 2, Role::Spender, 12).await, GroupChange::Done);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 10, None)]);
    assert_eq!(leave(&*store, 1, 2, 20).await, GroupChange::Done);
    assert_eq!(leave(&*store, 1, 2, 21).await, GroupChange::Unchanged);
    assert_eq!(leave(&*store, 1, 3, 21).await, GroupChange::NotAMember);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 10, Some(20))]);
    assert_eq!(names(&*store, Some(2)).await, Vec::<String>::new());
    assert_eq!(join(&*store, 1, 2, Role::Spender, 30).await, GroupChange::Done);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 30, None)]);
    // A clock that is behind takes nobody out before they came.
    assert_eq!(leave(&*store, 1, 2, 29).await, GroupChange::Done);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 30, Some(30))]);

    assert_eq!(join(&*store, 9, 2, Role::Viewer, 1).await, GroupChange::UnknownGroup);
    assert_eq!(leave(&*store, 9, 2, 1).await, GroupChange::UnknownGroup);
    nothing_is_broken(harness).await;
}

pub async fn a_group_keeps_an_owner(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Spender)]).await;
    assert_eq!(leave(&*store, 1, 1, 20).await, GroupChange::LastOwner);
    assert_eq!(join(&*store, 1, 1, Role::Viewer, 10).await, GroupChange::LastOwner);
    assert_eq!(join(&*store, 1, 2, Role::Owner, 10).await, GroupChange::Done);
    assert_eq!(join(&*store, 1, 1, Role::Viewer, 10).await, GroupChange::Done);
    assert_eq!(leave(&*store, 1, 2, 20).await, GroupChange::LastOwner);
    assert_eq!(leave(&*store, 1, 1, 20).await, GroupChange::Done);
    assert_eq!(join(&*store, 1, 2, Role::Spender, 10).await, GroupChange::LastOwner);
    assert_eq!(leave(&*store, 1, 2, 20).await, GroupChange::Done, "nobody is left behind");
    nothing_is_broken(harness).await;
}

pub async fn groups_are_listed_by_name(harness: &impl Harness) {
    let store = harness.store();
    for (number, name) in [(3, "Alpine"), (1, "Climbing"), (2, "Alpine"), (4, "Zebra")] {
        create(&*store, number, name, Some(person(number % 2))).await;
    }
    join(&*store, 2, 1, Role::Viewer, 1).await;
    let ids = |groups: Vec<Group>| groups.into_iter().map(|group| group.id).collect::<Vec<_>>();
    assert_eq!(ids(store.groups_of(None).await.expect("listed")), [2, 3, 1, 4].map(group_id));
    assert_eq!(ids(store.groups_of(Some(person(1))).await.expect("listed")), [2, 3, 1].map(group_id));
    assert_eq!(names(&*store, Some(9)).await, Vec::<String>::new());
}

/// Whoever is registered is shown with their address as they wrote it; others join all the same.
pub async fn members_are_shown_with_their_address(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(2).joins()]).await;
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Viewer)]).await;
    let rows = store.group_members(group_id(1)).await.expect("listed");
    let email = |member| rows.iter().find(|row| row.person == person(member)).and_then(|row| row.email.clone());
    assert_eq!((email(1), email(2).as_deref()), (None, Some("Member-2@Example.org")));
    let addresses = store.addresses(&[person(1), person(2)]).await.expect("listed");
    assert_eq!(addresses, BTreeMap::from([(person(2), "Member-2@Example.org".to_owned())]));
    assert!(store.addresses(&[]).await.expect("listed").is_empty());
}

pub async fn an_invitation_is_for_one_person_and_for_a_time(harness: &impl Harness) {
    let store = harness.store();
    assert_eq!(invite(&*store, 1, Role::Spender).await, GroupChange::UnknownGroup);
    found(&*store, 1, &[(1, Role::Owner)]).await;
    assert_eq!(invite(&*store, 1, Role::Spender).await, GroupChange::Done);
    assert_eq!(invite(&*store, 1, Role::Spender).await, GroupChange::Conflicting);
    assert_eq!(invite(&*store, 2, Role::Viewer).await, GroupChange::Done);
    let (id, done) = (Some(group_id(1)), GroupChange::Done);
    assert_eq!(accept(&*store, 9, 2, 20).await, (GroupChange::UnknownInvitation, None));
    assert_eq!(accept(&*store, 1, 2, 100).await, (GroupChange::InvitationExpired, None));
    assert_eq!(accept(&*store, 1, 2, 99).await, (done, id));
    assert_eq!(accept(&*store, 1, 2, 200).await, (GroupChange::Unchanged, id), "asked again");
    assert_eq!(accept(&*store, 1, 3, 50).await, (GroupChange::InvitationUsed, None));
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 99, None)]);
    // The last owner cannot become a viewer, and the invitation stays for somebody else.
    assert_eq!(accept(&*store, 2, 1, 50).await, (GroupChange::LastOwner, id));
    assert_eq!(accept(&*store, 2, 3, 50).await, (done, id));
    nothing_is_broken(harness).await;
}

/// Whoever has the role already needs no invitation, so that it stays open.
pub async fn an_invitation_is_not_spent_on_a_member(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Viewer)]).await;
    invite(&*store, 1, Role::Viewer).await;
    assert_eq!(accept(&*store, 1, 2, 20).await, (GroupChange::Unchanged, Some(group_id(1))));
    assert_eq!(accept(&*store, 1, 3, 20).await, (GroupChange::Done, Some(group_id(1))));
    assert_eq!(accept(&*store, 1, 2, 20).await, (GroupChange::InvitationUsed, None));
    nothing_is_broken(harness).await;
}
