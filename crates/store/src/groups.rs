//! Groups: households, teams and club sections that own points together.
//!
//! Who may spend is read in the transaction of the spending (`rollbook_ledger::Needs::members`), so a
//! member who leaves at the same moment has either spent before or is refused.
//!
//! Every change is an order with an id, as in the ledger, and a line of the group's journal in the
//! same transaction: who asked, when, and why. What is a member now is what the journal adds up to.

mod change;
mod digest;
mod rules;

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{Actor, GroupId, Malformed, Role};
use uuid::Uuid;

use crate::StoreError;

pub use change::{GroupRows, change_group};
pub use digest::GroupDigest;
pub use rules::{Offer, Place};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: GroupId,
    /// As its owner wrote it; not unique.
    pub name: String,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMember {
    pub person: PersonId,
    /// The first address of the person, as its owner wrote it, where the person is registered.
    pub email: Option<String>,
    pub role: Role,
    pub joined_at: Timestamp,
    /// None: still a member.
    pub left_at: Option<Timestamp>,
}

/// A standing offer to join. The code is a secret: only its digest is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub digest: [u8; 32],
    pub group: GroupId,
    pub role: Role,
    pub expires_at: Timestamp,
}

/// A command that changes a group: its idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(pub Uuid);

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is said with every order: its id, when, who asks, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    pub id: ChangeId,
    pub at: Timestamp,
    pub actor: Actor,
    reason: Option<String>,
}

impl Said {
    pub fn new(id: ChangeId, at: Timestamp, actor: Actor) -> Self {
        Self { id, at, actor, reason: None }
    }

    /// With a line for people ([`rollbook_ledger::memo`]). It is no part of what is asked: the same
    /// order with another reason is a replay, and the first reason stays.
    pub fn because(self, reason: &str) -> Result<Self, Malformed> {
        Ok(Self { reason: rollbook_ledger::memo(reason)?, ..self })
    }

    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

/// A reason may name people, so it never reaches a log.
impl fmt::Debug for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, at, actor, reason } = self;
        let mut said = f.debug_struct("Said");
        said.field("id", id).field("at", at).field("actor", actor);
        said.field("reason", &reason.as_ref().map(|_| "hidden")).finish()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupOrder {
    /// Makes a group with its first member, an owner, if one is given. Its id is that of the command.
    Create {
        name: String,
        owner: Option<PersonId>,
    },
    /// Joins, comes back after having left (with this date), or changes the role (the date stays).
    Join {
        group: GroupId,
        person: PersonId,
        role: Role,
    },
    /// The points stay with the group. Whoever has left already is `Unchanged`.
    Leave {
        group: GroupId,
        person: PersonId,
    },
    Invite(Invitation),
    /// Joins the invitation's group in its role. For the same person again it is `Unchanged`; so it
    /// is for whoever has that role there already, and the invitation stays open. An invitation has
    /// expired at its `expires_at`.
    Accept {
        digest: [u8; 32],
        person: PersonId,
    },
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupChange {
    Done,
    /// It was so already. The journal keeps the command all the same, so that it never does anything.
    Unchanged,
    /// This id was applied before, and nothing happened now.
    Repeated,
    // A refusal. The journal does not keep it, and its id stays free.
    UnknownGroup,
    /// This id belongs to a command that asked for something else.
    Conflicting,
    NotAMember,
    /// The last owner of a group cannot take another role, nor leave while it has other members.
    LastOwner,
    UnknownInvitation,
    InvitationExpired,
    /// An invitation is for one person.
    InvitationUsed,
}

impl GroupChange {
    /// Whoever has no use of an invitation is not told whose it is, nor anybody whose an id is.
    pub fn tells_the_group(self) -> bool {
        !matches!(self, Self::Conflicting | Self::UnknownInvitation | Self::InvitationExpired | Self::InvitationUsed)
    }
}

/// What a line of the journal tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    Created,
    Joined,
    RoleChanged,
    Left,
    Invited,
    /// Asked for what was so already.
    Unchanged,
}

impl GroupKind {
    const ALL: [Self; 6] = [Self::Created, Self::Joined, Self::RoleChanged, Self::Left, Self::Invited, Self::Unchanged];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Joined => "joined",
            Self::RoleChanged => "role_changed",
            Self::Left => "left",
            Self::Invited => "invited",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What a command writes into the journal, beside what was said with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupEntry {
    pub group: GroupId,
    pub kind: GroupKind,
    /// Whom it is about; none: nobody yet.
    pub person: Option<PersonId>,
    /// The role that the person has after it, or had when they left; that of an invitation.
    pub role: Option<Role>,
    /// The command that made the invitation which was accepted.
    pub invitation: Option<ChangeId>,
}

impl GroupEntry {
    /// About a person, without an invitation.
    pub fn of(group: GroupId, kind: GroupKind, person: PersonId, role: Role) -> Self {
        Self { group, kind, person: Some(person), role: Some(role), invitation: None }
    }
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupHistoryRow {
    pub said: Said,
    pub entry: GroupEntry,
    /// The first address of the person, as its owner wrote it, where the person is registered.
    pub email: Option<String>,
    /// That of who asked.
    pub actor_email: Option<String>,
}

#[async_trait]
pub trait Groups: Send + Sync {
    /// Does what is asked, and writes it into the journal. Tells the group where the person may know
    /// it. The same id again is `Repeated`, or `Conflicting` if it asks for something else or for
    /// somebody else ([`GroupDigest`]). An error `Conflict`: nothing happened; ask again at once. Any
    /// other error leaves open whether it happened: ask again with the same id.
    async fn change_group(&self, order: &GroupOrder, said: &Said)
    -> Result<(GroupChange, Option<GroupId>), StoreError>;

    async fn group(&self, id: GroupId) -> Result<Option<Group>, StoreError>;

    /// Of one person, or all of them; in order of name and id.
    async fn groups_of(&self, person: Option<PersonId>) -> Result<Vec<Group>, StoreError>;

    /// In the order in which they joined; those who left too.
    async fn group_members(&self, id: GroupId) -> Result<Vec<GroupMember>, StoreError>;

    /// The journal of a group, oldest first.
    async fn group_history(&self, id: GroupId) -> Result<Vec<GroupHistoryRow>, StoreError>;
}
