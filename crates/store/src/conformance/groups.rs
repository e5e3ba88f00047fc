//! Groups: who belongs to them, and what must not become of them.

use rollbook_ledger::Role;

use super::Harness;
use super::ledger_samples::{found, group_id, person};
use super::samples::{Member, at, membership, settle};
use crate::{Database, Group, GroupChange, Invitation};

fn household(number: u32) -> Group {
    Group { id: group_id(number), name: format!("Household {number}"), created_at: at(0) }
}

fn invitation(digest: u8, role: Role) -> Invitation {
    Invitation { digest: [digest; 32], group: group_id(1), role, made_at: at(10), expires_at: at(100) }
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
    assert_eq!(store.create_group(&household(1), Some(person(1))).await.expect("made"), GroupChange::Done);
    assert_eq!(store.create_group(&household(1), Some(person(1))).await.expect("made"), GroupChange::Unchanged);
    let other = Group { name: "Another".to_owned(), ..household(1) };
    assert_eq!(store.create_group(&other, Some(person(1))).await.expect("made"), GroupChange::Conflicting);
    assert_eq!(store.group(group_id(1)).await.expect("read"), Some(household(1)));
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None)]);
    assert_eq!(store.create_group(&household(3), None).await.expect("made"), GroupChange::Done);
    assert_eq!(members(&*store, 3).await, [], "nobody belongs to it yet");
    let nameless = Group { name: "  ".to_owned(), ..household(2) };
    store.create_group(&nameless, Some(person(1))).await.expect_err("a group has a name");
    assert_eq!(store.group(group_id(2)).await.expect("read"), None);
}

pub async fn members_join_change_leave_and_come_back(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner)]).await;
    let id = group_id(1);
    let join = |member, role, second| store.join_group(id, person(member), role, at(second));
    let leave = |member, second| store.leave_group(id, person(member), at(second));
    assert_eq!(join(2, Role::Viewer, 10).await.expect("joined"), GroupChange::Done);
    assert_eq!(join(2, Role::Viewer, 11).await.expect("joined"), GroupChange::Unchanged);
    assert_eq!(join(2, Role::Spender, 12).await.expect("joined"), GroupChange::Done);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 10, None)]);
    assert_eq!(leave(2, 20).await.expect("left"), GroupChange::Done);
    assert_eq!(leave(2, 21).await.expect("left"), GroupChange::Unchanged);
    assert_eq!(leave(3, 21).await.expect("left"), GroupChange::NotAMember);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 10, Some(20))]);
    assert_eq!(names(&*store, Some(2)).await, Vec::<String>::new());
    assert_eq!(join(2, Role::Spender, 30).await.expect("joined"), GroupChange::Done);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 30, None)]);
    // A clock that is behind takes nobody out before they came.
    assert_eq!(leave(2, 29).await.expect("left"), GroupChange::Done);
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 30, Some(30))]);

    let nowhere = group_id(9);
    let joined = store.join_group(nowhere, person(2), Role::Viewer, at(1)).await.expect("answered");
    let left = store.leave_group(nowhere, person(2), at(1)).await.expect("answered");
    assert_eq!((joined, left), (GroupChange::UnknownGroup, GroupChange::UnknownGroup));
}

pub async fn a_group_keeps_an_owner(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Spender)]).await;
    let id = group_id(1);
    let join = |member, role| store.join_group(id, person(member), role, at(10));
    let leave = |member| store.leave_group(id, person(member), at(20));
    assert_eq!(leave(1).await.expect("answered"), GroupChange::LastOwner);
    assert_eq!(join(1, Role::Viewer).await.expect("answered"), GroupChange::LastOwner);
    assert_eq!(join(2, Role::Owner).await.expect("joined"), GroupChange::Done);
    assert_eq!(join(1, Role::Viewer).await.expect("joined"), GroupChange::Done);
    assert_eq!(leave(2).await.expect("answered"), GroupChange::LastOwner);
    assert_eq!(leave(1).await.expect("left"), GroupChange::Done);
    assert_eq!(join(2, Role::Spender).await.expect("answered"), GroupChange::LastOwner);
    assert_eq!(leave(2).await.expect("left"), GroupChange::Done, "nobody is left behind");
}

pub async fn groups_are_listed_by_name(harness: &impl Harness) {
    let store = harness.store();
    for (number, name) in [(3, "Alpine"), (1, "Climbing"), (2, "Alpine"), (4, "Zebra")] {
        let group = Group { name: name.to_owned(), ..household(number) };
        store.create_group(&group, Some(person(number % 2))).await.expect("made");
    }
    store.join_group(group_id(2), person(1), Role::Viewer, at(1)).await.expect("joined");
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
}

pub async fn an_invitation_is_for_one_person_and_for_a_time(harness: &impl Harness) {
    let store = harness.store();
    assert_eq!(store.invite(&invitation(1, Role::Spender)).await.expect("answered"), GroupChange::UnknownGroup);
    found(&*store, 1, &[(1, Role::Owner)]).await;
    assert_eq!(store.invite(&invitation(1, Role::Spender)).await.expect("invited"), GroupChange::Done);
    assert_eq!(store.invite(&invitation(1, Role::Spender)).await.expect("invited"), GroupChange::Unchanged);
    assert_eq!(store.invite(&invitation(1, Role::Owner)).await.expect("answered"), GroupChange::Conflicting);
    assert_eq!(store.invite(&invitation(2, Role::Viewer)).await.expect("invited"), GroupChange::Done);
    let accept = |digest: u8, member, second| store.accept_invitation([digest; 32], person(member), at(second));
    let (id, done) = (Some(group_id(1)), GroupChange::Done);
    assert_eq!(accept(9, 2, 20).await.expect("answered"), (GroupChange::UnknownInvitation, None));
    assert_eq!(accept(1, 2, 100).await.expect("answered"), (GroupChange::InvitationExpired, None));
    assert_eq!(accept(1, 2, 99).await.expect("joined"), (done, id));
    assert_eq!(accept(1, 2, 200).await.expect("answered"), (GroupChange::Unchanged, id), "asked again");
    assert_eq!(accept(1, 3, 50).await.expect("answered"), (GroupChange::InvitationUsed, None));
    assert_eq!(members(&*store, 1).await, [(1, Role::Owner, 0, None), (2, Role::Spender, 99, None)]);
    // The last owner cannot become a viewer, and the invitation stays for somebody else.
    assert_eq!(accept(2, 1, 50).await.expect("answered"), (GroupChange::LastOwner, id));
    assert_eq!(accept(2, 3, 50).await.expect("joined"), (done, id));
}

/// Whoever has the role already needs no invitation, so that it stays open.
pub async fn an_invitation_is_not_spent_on_a_member(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Viewer)]).await;
    store.invite(&invitation(1, Role::Viewer)).await.expect("invited");
    let accept = |member| store.accept_invitation([1; 32], person(member), at(20));
    assert_eq!(accept(2).await.expect("answered"), (GroupChange::Unchanged, Some(group_id(1))));
    assert_eq!(accept(3).await.expect("joined"), (GroupChange::Done, Some(group_id(1))));
    assert_eq!(accept(2).await.expect("answered"), (GroupChange::InvitationUsed, None));
}
