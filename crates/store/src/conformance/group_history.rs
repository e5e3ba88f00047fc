//! The journal of a group: nothing happens to it twice, and nothing stays unexplained.

use rollbook_ledger::{Actor, Role};

use super::Harness;
use super::group_samples::{ask, change_id, join, leave, said};
use super::ledger_samples::{found, group_id, person};
use super::samples::{Member, at, membership, nothing_is_broken, settle};
use super::tampering::broken;
use crate::{ChangeId, Database, GroupChange, GroupEntry, GroupKind, GroupOrder, Invitation, Said};

/// What a member says: the number of the command is its second, too.
fn by(member: u32, number: u32, reason: &str) -> Said {
    let said = Said::new(change_id(number), at(number), Actor::Person(person(member)));
    said.because(reason).expect("a line")
}

fn joins(member: u32, role: Role) -> GroupOrder {
    GroupOrder::Join { group: group_id(1), person: person(member), role }
}

fn leaves(member: u32) -> GroupOrder {
    GroupOrder::Leave { group: group_id(1), person: person(member) }
}

fn invites(digest: u8, role: Role) -> GroupOrder {
    GroupOrder::Invite(Invitation { digest: [digest; 32], group: group_id(1), role, expires_at: at(900) })
}

fn accepts(digest: u8, member: u32) -> GroupOrder {
    GroupOrder::Accept { digest: [digest; 32], person: person(member) }
}

async fn told(store: &dyn Database) -> Vec<(Said, GroupEntry)> {
    let rows = store.group_history(group_id(1)).await.expect("read");
    rows.into_iter().map(|row| (row.said, row.entry)).collect()
}

/// Makes group 1 with member 1, who says why.
async fn founded(store: &dyn Database) -> Said {
    let said = Said::new(ChangeId(group_id(1).0), at(0), Actor::Person(person(1))).because("a household");
    let (said, order) = (said.expect("a line"), GroupOrder::Create { name: "Home".into(), owner: Some(person(1)) });
    assert_eq!(ask(store, &order, &said).await, GroupChange::Done);
    said
}

pub async fn every_change_of_a_group_says_who_asked_and_why(harness: &impl Harness) {
    use GroupKind::{Created, Invited, Joined, Left, RoleChanged, Unchanged};
    let store = harness.store();
    let made = founded(&*store).await;
    let entry = |kind, member, role| GroupEntry::of(group_id(1), kind, person(member), role);
    let invited = GroupEntry { person: None, ..entry(Invited, 1, Role::Spender) };
    let by_invitation = |entry| GroupEntry { invitation: Some(change_id(6)), ..entry };
    let orders = [
        (by(1, 1, "moved in"), joins(2, Role::Viewer), entry(Joined, 2, Role::Viewer)),
        (by(1, 2, "cooks"), joins(2, Role::Spender), entry(RoleChanged, 2, Role::Spender)),
        (by(2, 3, ""), joins(2, Role::Spender), entry(Unchanged, 2, Role::Spender)),
        (by(2, 4, "moved out"), leaves(2), entry(Left, 2, Role::Spender)),
        (by(2, 5, "really"), leaves(2), entry(Unchanged, 2, Role::Spender)),
        (by(1, 6, "a flatmate"), invites(1, Role::Spender), invited),
        (by(3, 7, "found the code"), accepts(1, 3), by_invitation(entry(Joined, 3, Role::Spender))),
        (by(3, 8, ""), accepts(1, 3), by_invitation(entry(Unchanged, 3, Role::Spender))),
        (by(2, 9, "came back"), joins(2, Role::Owner), entry(Joined, 2, Role::Owner)),
    ];
    let mut expected = vec![(made, entry(Created, 1, Role::Owner))];
    for (said, order, entry) in orders {
        ask(&*store, &order, &said).await;
        expected.push((said, entry));
    }
    // What is refused never happened.
    assert_eq!(ask(&*store, &leaves(9), &by(1, 10, "who?")).await, GroupChange::NotAMember);
    assert_eq!(ask(&*store, &accepts(1, 4), &by(4, 11, "")).await, GroupChange::InvitationUsed);
    assert_eq!(told(&*store).await, expected);
    nothing_is_broken(harness).await;
}

pub async fn a_group_that_nobody_owns_yet_has_a_journal(harness: &impl Harness) {
    let store = harness.store();
    let said = Said::new(ChangeId(group_id(1).0), at(0), Actor::System);
    let order = GroupOrder::Create { name: "Section".into(), owner: None };
    assert_eq!(ask(&*store, &order, &said).await, GroupChange::Done);
    let entry = GroupEntry { group: group_id(1), kind: GroupKind::Created, person: None, role: None, invitation: None };
    assert_eq!(told(&*store).await, [(said, entry)]);
    assert_eq!(store.group_history(group_id(2)).await.expect("read"), []);
    nothing_is_broken(harness).await;
}

/// Both sides of a line are shown with their address as they wrote it, if they are registered.
pub async fn a_journal_shows_addresses(harness: &impl Harness) {
    let store = harness.store();
    settle(&*store, membership(), vec![Member(2).joins()]).await;
    founded(&*store).await;
    ask(&*store, &joins(2, Role::Viewer), &by(2, 1, "")).await;
    let rows = store.group_history(group_id(1)).await.expect("read");
    let emails: Vec<_> = rows.iter().map(|row| (row.email.as_deref(), row.actor_email.as_deref())).collect();
    let two = Some("Member-2@Example.org");
    assert_eq!(emails, [(None, None), (two, two)]);
}

/// Whatever happened meanwhile.
pub async fn the_same_change_again_changes_nothing(harness: &impl Harness) {
    let store = harness.store();
    founded(&*store).await;
    let orders = [
        joins(2, Role::Viewer),
        joins(2, Role::Viewer),
        joins(2, Role::Spender),
        leaves(2),
        leaves(2),
        invites(1, Role::Viewer),
        accepts(1, 3),
    ];
    for (order, number) in orders.iter().zip(1..) {
        let told = ask(&*store, order, &by(1, number, "first")).await;
        assert!(matches!(told, GroupChange::Done | GroupChange::Unchanged), "{told:?}");
    }
    let (before, members) = (told(&*store).await, store.group_members(group_id(1)).await.expect("listed"));
    for (order, number) in orders.iter().zip(1..) {
        let again = Said::new(change_id(number), at(500), Actor::Person(person(1))).because("second").expect("a line");
        let told = store.change_group(order, &again).await.expect("answered");
        assert_eq!(told, (GroupChange::Repeated, Some(group_id(1))));
        let other = Said::new(again.id, again.at, Actor::System);
        assert_eq!(ask(&*store, order, &other).await, GroupChange::Conflicting, "somebody else asks");
        assert_eq!(ask(&*store, &joins(4, Role::Owner), &again).await, GroupChange::Conflicting);
    }
    // A new code is no other request: the old one is not kept.
    assert_eq!(ask(&*store, &invites(2, Role::Viewer), &by(1, 6, "")).await, GroupChange::Repeated);
    assert_eq!(ask(&*store, &accepts(2, 4), &said(7)).await, GroupChange::UnknownInvitation);
    assert_eq!(told(&*store).await, before);
    assert_eq!(store.group_members(group_id(1)).await.expect("listed"), members);
    nothing_is_broken(harness).await;
}

/// The id of one command is none of another's, in whatever group.
pub async fn an_id_belongs_to_one_change(harness: &impl Harness) {
    let store = harness.store();
    founded(&*store).await;
    found(&*store, 2, &[(1, Role::Owner)]).await;
    let said = by(1, 1, "");
    assert_eq!(ask(&*store, &joins(2, Role::Viewer), &said).await, GroupChange::Done);
    let create = GroupOrder::Create { name: "Home".into(), owner: Some(person(1)) };
    let elsewhere = GroupOrder::Join { group: group_id(2), person: person(2), role: Role::Viewer };
    let nowhere = GroupOrder::Leave { group: group_id(9), person: person(2) };
    for order in [create, elsewhere, nowhere, accepts(9, 2)] {
        assert_eq!(ask(&*store, &order, &said).await, GroupChange::Conflicting, "{order:?}");
    }
    // A refusal leaves the id free.
    let said = by(1, 2, "");
    assert_eq!(ask(&*store, &leaves(5), &said).await, GroupChange::NotAMember);
    assert_eq!(ask(&*store, &joins(5, Role::Viewer), &said).await, GroupChange::Done);
    nothing_is_broken(harness).await;
}

pub async fn one_change_asked_by_many_happens_once(harness: &impl Harness) {
    let store = harness.store();
    let create = GroupOrder::Create { name: "Home".into(), owner: Some(person(1)) };
    let made = Said::new(ChangeId(group_id(1).0), at(0), Actor::System);
    for (order, said) in [(create, made), (joins(2, Role::Viewer), by(1, 1, "")), (leaves(2), by(1, 2, ""))] {
        let asking = (0..8).map(|_| {
            let (store, order, said) = (store.clone(), order.clone(), said.clone());
            tokio::spawn(async move { ask(&*store, &order, &said).await })
        });
        let mut told = Vec::new();
        for task in asking.collect::<Vec<_>>() {
            told.push(task.await.expect("a caller"));
        }
        assert_eq!(told.iter().filter(|told| **told == GroupChange::Done).count(), 1, "{told:?}");
        assert_eq!(told.iter().filter(|told| **told == GroupChange::Repeated).count(), 7, "{told:?}");
    }
    assert_eq!(told(&*store).await.len(), 3);
    nothing_is_broken(harness).await;
}

/// A lie, and the check that must find it.
const LIES: [(&str, &str); 9] = [
    (
        "UPDATE group_member SET role = 'owner' WHERE role = 'spender' AND left_at IS NULL",
        "group_journals_end_at_their_members",
    ),
    ("UPDATE group_member SET left_at = NULL WHERE left_at IS NOT NULL", "group_journals_end_at_their_members"),
    (
        "DELETE FROM group_member WHERE person IN (SELECT person FROM group_change WHERE invitation IS NOT NULL)",
        "group_journals_end_at_their_members",
    ),
    (
        "INSERT INTO group_member SELECT group_id, group_id, 'viewer', joined_at, NULL FROM group_member LIMIT 1",
        "group_journals_end_at_their_members",
    ),
    ("DELETE FROM group_change WHERE kind = 'created'", "group_journals_end_at_their_members"),
    (
        "UPDATE group_invitation SET used_by = NULL, used_at = NULL WHERE used_by IS NOT NULL",
        "groups_and_invitations_are_journalled",
    ),
    (
        "DELETE FROM group_change WHERE kind = 'invited' AND id NOT IN (
            SELECT invitation FROM group_change WHERE invitation IS NOT NULL)",
        "groups_and_invitations_are_journalled",
    ),
    (
        "INSERT INTO ledger_group SELECT person, 'x', joined_at FROM group_member LIMIT 1",
        "groups_and_invitations_are_journalled",
    ),
    ("UPDATE group_change SET invitation = group_id WHERE invitation IS NOT NULL", "references_hold"),
];

/// One lie after another; each time the named check must count more than before.
pub async fn whatever_is_tampered_with_in_groups_is_found(harness: &impl Harness) {
    let store = harness.store();
    found(&*store, 1, &[(1, Role::Owner), (2, Role::Viewer), (3, Role::Viewer)]).await;
    join(&*store, 1, 2, Role::Spender, 5).await;
    leave(&*store, 1, 3, 6).await;
    for (order, number) in [invites(1, Role::Viewer), invites(2, Role::Viewer), accepts(1, 4)].iter().zip(10..) {
        assert_eq!(ask(&*store, order, &by(1, number, "")).await, GroupChange::Done);
    }
    let mut before = broken(&*store).await;
    assert!(before.is_empty(), "{before:?}");
    for (sql, name) in LIES {
        harness.tamper(sql).await;
        let after = broken(&*store).await;
        assert!(after.get(name) > before.get(name), "{sql}: {name} did not see it, but {after:?}");
        before = after;
    }
}
