//! An order on its way: what it comes to is the same in every store.

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};

use super::{ChangeId, GroupChange, GroupDigest, GroupEntry, GroupKind, GroupOrder, Invitation, Offer, Place, Said};
use crate::StoreError;

/// The rows of groups within one transaction.
#[async_trait]
pub trait GroupRows: Send {
    /// Whether there is such a group, which nobody else changes until the end of the transaction.
    async fn lock(&mut self, group: GroupId) -> Result<bool, StoreError>;

    /// What an order of before was about, and what it asked for.
    async fn before(&mut self, id: ChangeId) -> Result<Option<(GroupId, GroupDigest)>, StoreError>;

    async fn place(&mut self, group: GroupId, person: PersonId) -> Result<Option<Place>, StoreError>;

    async fn offer(&mut self, digest: [u8; 32]) -> Result<Option<Offer>, StoreError>;

    /// False: somebody else made it meanwhile.
    async fn make(&mut self, group: GroupId, name: &str, at: Timestamp) -> Result<bool, StoreError>;

    /// In this role from now on, whether they were there before or not.
    async fn put(&mut self, group: GroupId, person: PersonId, role: Role, at: Timestamp) -> Result<(), StoreError>;

    async fn leave(&mut self, group: GroupId, person: PersonId, at: Timestamp) -> Result<(), StoreError>;

    async fn invite(&mut self, invitation: &Invitation, said: &Said) -> Result<(), StoreError>;

    async fn use_up(&mut self, digest: [u8; 32], person: PersonId, at: Timestamp) -> Result<(), StoreError>;

    /// The line of the journal. It comes before what it tells of.
    async fn tell(&mut self, said: &Said, digest: GroupDigest, entry: &GroupEntry) -> Result<(), StoreError>;
}

/// Does what is asked, as [`crate::Groups::change_group`] says. The caller has begun the transaction and
/// commits it.
pub async fn change_group(
    rows: &mut impl GroupRows,
    order: &GroupOrder,
    said: &Said,
) -> Result<(GroupChange, Option<GroupId>), StoreError> {
    Changing { digest: GroupDigest::of(order, said.actor), rows, said }.run(order).await
}

struct Changing<'c, R> {
    rows: &'c mut R,
    said: &'c Said,
    digest: GroupDigest,
}

impl<R: GroupRows> Changing<'_, R> {
    async fn run(&mut self, order: &GroupOrder) -> Result<(GroupChange, Option<GroupId>), StoreError> {
        let group = self.group_of(order).await?;
        let known = match group {
            Some(group) => self.rows.lock(group).await?,
            None => false,
        };
        if let Some(before) = self.before().await? {
            return Ok(before);
        }
        let change = match order {
            GroupOrder::Create { name, owner } => self.create(name, *owner).await?,
            GroupOrder::Accept { .. } if group.is_none() => GroupChange::UnknownInvitation,
            _ if !known => GroupChange::UnknownGroup,
            GroupOrder::Join { group, person, role } => self.join(*group, *person, *role, None).await?,
            GroupOrder::Leave { group, person } => self.leave(*group, *person).await?,
            GroupOrder::Invite(invitation) => self.invite(invitation).await?,
            GroupOrder::Accept { digest, person } => self.accept(*digest, *person).await?,
        };
        Ok((change, group.filter(|_| change.tells_the_group())))
    }

    async fn group_of(&mut self, order: &GroupOrder) -> Result<Option<GroupId>, StoreError> {
        Ok(match order {
            GroupOrder::Create { .. } => Some(GroupId(self.said.id.0)),
            GroupOrder::Join { group, .. } | GroupOrder::Leave { group, .. } => Some(*group),
            GroupOrder::Invite(invitation) => Some(invitation.group),
            GroupOrder::Accept { digest, .. } => self.rows.offer(*digest).await?.map(|offer| offer.group),
        })
    }

    /// What is told if this id was applied before.
    async fn before(&mut self) -> Result<Option<(GroupChange, Option<GroupId>)>, StoreError> {
        Ok(self.rows.before(self.said.id).await?.map(|(group, digest)| {
            let conflicting = digest.contradicts(&self.digest);
            if conflicting { (GroupChange::Conflicting, None) } else { (GroupChange::Repeated, Some(group)) }
        }))
    }

    async fn create(&mut self, name: &str, owner: Option<PersonId>) -> Result<GroupChange, StoreError> {
        let (group, at) = (GroupId(self.said.id.0), self.said.at);
        if !self.rows.make(group, name, at).await? {
            return Ok(self.before().await?.map_or(GroupChange::Conflicting, |(change, _)| change));
        }
        let role = owner.map(|_| Role::Owner);
        self.tell(GroupEntry { group, kind: GroupKind::Created, person: owner, role, invitation: None }).await?;
        if let Some(owner) = owner {
            self.rows.put(group, owner, Role::Owner, at).await?;
        }
        Ok(GroupChange::Done)
    }

    async fn join(
        &mut self,
        group: GroupId,
        person: PersonId,
        role: Role,
        invitation: Option<ChangeId>,
    ) -> Result<GroupChange, StoreError> {
        let kind = match Place::join(self.rows.place(group, person).await?, role) {
            Ok(kind) => kind,
            Err(refusal) => return Ok(refusal),
        };
        self.tell(GroupEntry { invitation, ..GroupEntry::of(group, kind, person, role) }).await?;
        if kind == GroupKind::Unchanged {
            return Ok(GroupChange::Unchanged);
        }
        self.rows.put(group, person, role, self.said.at).await?;
        Ok(GroupChange::Done)
    }

    async fn leave(&mut self, group: GroupId, person: PersonId) -> Result<GroupChange, StoreError> {
        let Some(place) = self.rows.place(group, person).await? else { return Ok(GroupChange::NotAMember) };
        let kind = match place.leave() {
            Ok(kind) => kind,
            Err(refusal) => return Ok(refusal),
        };
        self.tell(GroupEntry::of(group, kind, person, place.role)).await?;
        if kind == GroupKind::Unchanged {
            return Ok(GroupChange::Unchanged);
        }
        self.rows.leave(group, person, self.said.at).await?;
        Ok(GroupChange::Done)
    }

    async fn invite(&mut self, invitation: &Invitation) -> Result<GroupChange, StoreError> {
        let Invitation { digest, group, role, .. } = *invitation;
        if self.rows.offer(digest).await?.is_some() {
            return Ok(GroupChange::Conflicting);
        }
        let kind = GroupKind::Invited;
        self.tell(GroupEntry { group, kind, person: None, role: Some(role), invitation: None }).await?;
        self.rows.invite(invitation, self.said).await?;
        Ok(GroupChange::Done)
    }

    async fn accept(&mut self, digest: [u8; 32], person: PersonId) -> Result<GroupChange, StoreError> {
        let Some(offer) = self.rows.offer(digest).await? else { return Ok(GroupChange::UnknownInvitation) };
        let Offer { id, group, role, .. } = offer;
        match offer.accept(person, self.said.at) {
            Ok(GroupKind::Unchanged) => {
                let entry = GroupEntry::of(group, GroupKind::Unchanged, person, role);
                self.tell(GroupEntry { invitation: Some(id), ..entry }).await?;
                return Ok(GroupChange::Unchanged);
            }
            Ok(_) => {}
            Err(refusal) => return Ok(refusal),
        }
        let joined = self.join(group, person, role, Some(id)).await?;
        if joined == GroupChange::Done {
            self.rows.use_up(digest, person, self.said.at).await?;
        }
        Ok(joined)
    }

    async fn tell(&mut self, entry: GroupEntry) -> Result<(), StoreError> {
        self.rows.tell(self.said, self.digest, &entry).await
    }
}
