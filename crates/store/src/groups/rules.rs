//! What may become of a member or an invitation, as it was found under the lock.

use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};

use super::{ChangeId, GroupChange, GroupKind};

/// A member of before or of now, and who else there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub role: Role,
    pub left: bool,
    /// Members of now beside this one, and the owners among them.
    pub others: u32,
    pub other_owners: u32,
}

impl Place {
    /// What it is to join in this role; an error is the refusal.
    pub fn join(before: Option<Self>, role: Role) -> Result<GroupKind, GroupChange> {
        match before {
            Some(place) if place.left => Ok(GroupKind::Joined),
            Some(place) if place.role == role => Ok(GroupKind::Unchanged),
            Some(place) if place.is_last_owner() => Err(GroupChange::LastOwner),
            Some(_) => Ok(GroupKind::RoleChanged),
            None => Ok(GroupKind::Joined),
        }
    }

    /// What it is to leave; an error is the refusal.
    pub fn leave(&self) -> Result<GroupKind, GroupChange> {
        if self.left {
            return Ok(GroupKind::Unchanged);
        }
        if self.is_last_owner() && self.others > 0 {
            return Err(GroupChange::LastOwner);
        }
        Ok(GroupKind::Left)
    }

    fn is_last_owner(&self) -> bool {
        !self.left && self.role == Role::Owner && self.other_owners == 0
    }
}

/// An invitation as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The command that made it.
    pub id: ChangeId,
    pub group: GroupId,
    pub role: Role,
    pub expires_at: Timestamp,
    pub used_by: Option<PersonId>,
}

impl Offer {
    /// `Unchanged` if this person has used it before; an error is the refusal.
    pub fn accept(&self, person: PersonId, at: Timestamp) -> Result<GroupKind, GroupChange> {
        match self.used_by {
            Some(user) if user == person => Ok(GroupKind::Unchanged),
            Some(_) => Err(GroupChange::InvitationUsed),
            None if at >= self.expires_at => Err(GroupChange::InvitationExpired),
            None => Ok(GroupKind::Joined),
        }
    }
}
