//! Groups: households, teams and club sections that own points together.
//!
//! Who may spend is read in the transaction of the spending (`rollbook_ledger::Needs::members`), so a
//! member who leaves at the same moment has either spent before or is refused.

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};

use crate::StoreError;

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
    pub made_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What became of a change of a group. The same change again is `Unchanged`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupChange {
    Done,
    Unchanged,
    UnknownGroup,
    /// This id belongs to a group of another name.
    Conflicting,
    NotAMember,
    /// The last owner of a group cannot take another role, nor leave while it has other members.
    LastOwner,
    UnknownInvitation,
    InvitationExpired,
    /// An invitation is for one person.
    InvitationUsed,
}

#[async_trait]
pub trait Groups: Send + Sync {
    /// Makes the group with its first member, an owner, if one is given.
    async fn create_group(&self, group: &Group, owner: Option<PersonId>) -> Result<GroupChange, StoreError>;

    async fn group(&self, id: GroupId) -> Result<Option<Group>, StoreError>;

    /// Of one person, or all of them; in order of name and id.
    async fn groups_of(&self, person: Option<PersonId>) -> Result<Vec<Group>, StoreError>;

    /// In the order in which they joined; those who left too.
    async fn group_members(&self, id: GroupId) -> Result<Vec<GroupMember>, StoreError>;

    /// Joins, comes back after having left (with this date), or changes the role (the date stays).
    async fn join_group(
        &self,
        group: GroupId,
        person: PersonId,
        role: Role,
        at: Timestamp,
    ) -> Result<GroupChange, StoreError>;

    /// The points stay with the group. Whoever has left already is `Unchanged`.
    async fn leave_group(&self, group: GroupId, person: PersonId, at: Timestamp) -> Result<GroupChange, StoreError>;

    async fn invite(&self, invitation: &Invitation) -> Result<GroupChange, StoreError>;

    /// Joins the invitation's group in its role. For the same person again it is `Unchanged`; so it
    /// is for whoever has that role there already, and the invitation stays open. An invitation has
    /// expired at its `expires_at`. The group is told where the person may know it.
    async fn accept_invitation(
        &self,
        digest: [u8; 32],
        person: PersonId,
        at: Timestamp,
    ) -> Result<(GroupChange, Option<GroupId>), StoreError>;
}
