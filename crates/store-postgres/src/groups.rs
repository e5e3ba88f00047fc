//! Groups. Every change is a transaction of its own that locks the group, so that what it was checked
//! against still holds when it is written.

use async_trait::async_trait;
use jiff_sqlx::ToSqlx as _;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};
use rollbook_store::{
    ChangeId, Group, GroupChange, GroupDigest, GroupEntry, GroupHistoryRow, GroupKind, GroupMember, GroupOrder, Groups,
    Invitation, Offer, Place, Said, StoreError, read,
};
use sqlx::PgConnection;

use crate::PostgresStore;
use crate::fault::store_error;
use crate::row::Row;
use crate::statements::{Query, execute, fetch, sql};

#[async_trait]
impl Groups for PostgresStore {
    async fn change_group(
        &self,
        order: &GroupOrder,
        said: &Said,
    ) -> Result<(GroupChange, Option<GroupId>), StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            let digest = GroupDigest::of(order, said.actor);
            let told = Changing { connection: &mut transaction, said, digest }.run(order).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(told)
        };
        self.patience.with(call).await
    }

    async fn group(&self, id: GroupId) -> Result<Option<Group>, StoreError> {
        self.ask(sqlx::query(sql!("group")).bind(id.0)).await?.first().map(read::group).transpose()
    }

    async fn groups_of(&self, person: Option<PersonId>) -> Result<Vec<Group>, StoreError> {
        let query = match person {
            Some(person) => sqlx::query(sql!("groups_of_person")).bind(person.0),
            None => sqlx::query(sql!("groups")),
        };
        self.ask(query).await?.iter().map(read::group).collect()
    }

    async fn group_members(&self, id: GroupId) -> Result<Vec<GroupMember>, StoreError> {
        self.ask(sqlx::query(sql!("group_members")).bind(id.0)).await?.iter().map(read::group_member).collect()
    }

    async fn group_history(&self, id: GroupId) -> Result<Vec<GroupHistoryRow>, StoreError> {
        self.ask(sqlx::query(sql!("group_history")).bind(id.0)).await?.iter().map(read::group_change).collect()
    }
}

/// One order on its way.
struct Changing<'c> {
    connection: &'c mut PgConnection,
    said: &'c Said,
    digest: GroupDigest,
}

impl Changing<'_> {
    async fn run(&mut self, order: &GroupOrder) -> Result<(GroupChange, Option<GroupId>), StoreError> {
        let group = self.group_of(order).await?;
        let known = match group {
            Some(group) => self.lock(group).await?,
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
            GroupOrder::Accept { digest, .. } => self.offer(*digest).await?.map(|offer| offer.group),
        })
    }

    /// Whether there is such a group, which nobody else changes until the end of the transaction.
    async fn lock(&mut self, group: GroupId) -> Result<bool, StoreError> {
        Ok(self.one(sqlx::query(sql!("group_lock")).bind(group.0)).await?.is_some())
    }

    /// What is told if this id was applied before.
    async fn before(&mut self) -> Result<Option<(GroupChange, Option<GroupId>)>, StoreError> {
        let query = sqlx::query(sql!("group_change")).bind(self.said.id.0);
        let Some(row) = self.one(query).await? else { return Ok(None) };
        let (group, digest) = read::change_before(&row)?;
        if digest.contradicts(&self.digest) {
            return Ok(Some((GroupChange::Conflicting, None)));
        }
        Ok(Some((GroupChange::Repeated, Some(group))))
    }

    async fn create(&mut self, name: &str, owner: Option<PersonId>) -> Result<GroupChange, StoreError> {
        let (id, at) = (GroupId(self.said.id.0), self.said.at);
        let query = sqlx::query(sql!("group_insert")).bind(id.0).bind(name.to_owned()).bind(at.to_sqlx());
        if execute(self.connection, query).await? == 0 {
            // Somebody else made it meanwhile.
            return Ok(self.before().await?.map_or(GroupChange::Conflicting, |(change, _)| change));
        }
        let role = owner.map(|_| Role::Owner);
        self.tell(GroupEntry { group: id, kind: GroupKind::Created, person: owner, role, invitation: None }).await?;
        if let Some(owner) = owner {
            self.put(id, owner, Role::Owner).await?;
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
        let kind = match Place::join(self.place(group, person).await?, role) {
            Ok(kind) => kind,
            Err(refusal) => return Ok(refusal),
        };
        self.tell(GroupEntry { invitation, ..GroupEntry::of(group, kind, person, role) }).await?;
        if kind == GroupKind::Unchanged {
            return Ok(GroupChange::Unchanged);
        }
        self.put(group, person, role).await?;
        Ok(GroupChange::Done)
    }

    async fn leave(&mut self, group: GroupId, person: PersonId) -> Result<GroupChange, StoreError> {
        let Some(place) = self.place(group, person).await? else { return Ok(GroupChange::NotAMember) };
        let kind = match place.leave() {
            Ok(kind) => kind,
            Err(refusal) => return Ok(refusal),
        };
        self.tell(GroupEntry::of(group, kind, person, place.role)).await?;
        if kind == GroupKind::Unchanged {
            return Ok(GroupChange::Unchanged);
        }
        let at = self.said.at.to_sqlx();
        execute(self.connection, sqlx::query(sql!("group_member_leave")).bind(group.0).bind(person.0).bind(at)).await?;
        Ok(GroupChange::Done)
    }

    async fn invite(&mut self, invitation: &Invitation) -> Result<GroupChange, StoreError> {
        let Invitation { digest, group, role, expires_at } = *invitation;
        if self.offer(digest).await?.is_some() {
            return Ok(GroupChange::Conflicting);
        }
        let kind = GroupKind::Invited;
        self.tell(GroupEntry { group, kind, person: None, role: Some(role), invitation: None }).await?;
        let query = sqlx::query(sql!("group_invitation_insert"))
            .bind(digest)
            .bind(self.said.id.0)
            .bind(group.0)
            .bind(role.as_str())
            .bind(self.said.at.to_sqlx())
            .bind(expires_at.to_sqlx());
        execute(self.connection, query).await?;
        Ok(GroupChange::Done)
    }

    async fn accept(&mut self, digest: [u8; 32], person: PersonId) -> Result<GroupChange, StoreError> {
        let Some(offer) = self.offer(digest).await? else { return Ok(GroupChange::UnknownInvitation) };
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
            let query = sqlx::query(sql!("group_invitation_use")).bind(digest).bind(person.0);
            execute(self.connection, query.bind(self.said.at.to_sqlx())).await?;
        }
        Ok(joined)
    }

    async fn place(&mut self, group: GroupId, person: PersonId) -> Result<Option<Place>, StoreError> {
        let query = sqlx::query(sql!("group_member")).bind(group.0).bind(person.0);
        self.one(query).await?.as_ref().map(read::place).transpose()
    }

    async fn offer(&mut self, digest: [u8; 32]) -> Result<Option<Offer>, StoreError> {
        let query = sqlx::query(sql!("group_invitation")).bind(digest);
        self.one(query).await?.as_ref().map(read::offer).transpose()
    }

    async fn put(&mut self, group: GroupId, person: PersonId, role: Role) -> Result<(), StoreError> {
        let query = sqlx::query(sql!("group_member_upsert")).bind(group.0).bind(person.0).bind(role.as_str());
        execute(self.connection, query.bind(self.said.at.to_sqlx())).await.map(drop)
    }

    /// The line of the journal.
    async fn tell(&mut self, entry: GroupEntry) -> Result<(), StoreError> {
        let query = sqlx::query(sql!("group_change_insert"))
            .bind(self.said.id.0)
            .bind(entry.group.0)
            .bind(entry.kind.as_str())
            .bind(self.digest.0)
            .bind(entry.person.map(|person| person.0))
            .bind(entry.role.map(Role::as_str))
            .bind(entry.invitation.map(|id| id.0))
            .bind(self.said.at.to_sqlx())
            .bind(self.said.actor.person().map(|person| person.0))
            .bind(self.said.reason().map(ToOwned::to_owned));
        execute(self.connection, query).await.map(drop)
    }

    async fn one(&mut self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(fetch(self.connection, query).await?.pop())
    }
}
