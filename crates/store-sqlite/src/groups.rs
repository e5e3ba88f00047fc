//! Groups. Every change is a transaction of its own under the write lock, so that what it was
//! checked against still holds when it is written.

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};
use rollbook_sqlite::to_micros;
use rollbook_store::{Group, GroupChange, GroupMember, Groups, Invitation, StoreError};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::SqliteStore;
use crate::cells::Cells;
use crate::fault::store_error;
use crate::statements::sql;

#[async_trait]
impl Groups for SqliteStore {
    async fn create_group(&self, group: &Group, owner: Option<PersonId>) -> Result<GroupChange, StoreError> {
        let mut writing = self.writer.begin().await?;
        let change = create(writing.connection(), group, owner).await?;
        writing.commit().await?;
        Ok(change)
    }

    async fn group(&self, id: GroupId) -> Result<Option<Group>, StoreError> {
        find(&mut *self.reader().await?, id).await
    }

    async fn groups_of(&self, person: Option<PersonId>) -> Result<Vec<Group>, StoreError> {
        let query = match person {
            Some(person) => sqlx::query(sql!("groups_of_person")).bind(person.0),
            None => sqlx::query(sql!("groups")),
        };
        query.fetch_all(&self.readers).await.map_err(store_error)?.iter().map(group_row).collect()
    }

    async fn group_members(&self, id: GroupId) -> Result<Vec<GroupMember>, StoreError> {
        let query = sqlx::query(sql!("group_members")).bind(id.0);
        query.fetch_all(&self.readers).await.map_err(store_error)?.iter().map(member_row).collect()
    }

    async fn join_group(
        &self,
        group: GroupId,
        person: PersonId,
        role: Role,
        at: Timestamp,
    ) -> Result<GroupChange, StoreError> {
        let mut writing = self.writer.begin().await?;
        let change = join(writing.connection(), group, person, role, at).await?;
        writing.commit().await?;
        Ok(change)
    }

    async fn leave_group(&self, group: GroupId, person: PersonId, at: Timestamp) -> Result<GroupChange, StoreError> {
        let mut writing = self.writer.begin().await?;
        let change = leave(writing.connection(), group, person, at).await?;
        writing.commit().await?;
        Ok(change)
    }

    async fn invite(&self, invitation: &Invitation) -> Result<GroupChange, StoreError> {
        let mut writing = self.writer.begin().await?;
        let change = invite(writing.connection(), invitation).await?;
        writing.commit().await?;
        Ok(change)
    }

    async fn accept_invitation(
        &self,
        digest: [u8; 32],
        person: PersonId,
        at: Timestamp,
    ) -> Result<(GroupChange, Option<GroupId>), StoreError> {
        let mut writing = self.writer.begin().await?;
        let change = accept(writing.connection(), digest, person, at).await?;
        writing.commit().await?;
        Ok(change)
    }
}

async fn find(connection: &mut SqliteConnection, id: GroupId) -> Result<Option<Group>, StoreError> {
    let row = sqlx::query(sql!("group")).bind(id.0).fetch_optional(connection).await.map_err(store_error)?;
    row.as_ref().map(group_row).transpose()
}

fn group_row(row: &SqliteRow) -> Result<Group, StoreError> {
    let cells = Cells::of("ledger_group", row);
    Ok(Group { id: GroupId(cells.uuid("id")?), name: cells.get("name")?, created_at: cells.instant("created_at")? })
}

fn member_row(row: &SqliteRow) -> Result<GroupMember, StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(GroupMember {
        person: PersonId(cells.uuid("person")?),
        email: cells.maybe_text("email")?.map(|email| email.trim().to_owned()),
        role: cells.read("role", Role::parse)?,
        joined_at: cells.instant("joined_at")?,
        left_at: cells.maybe_instant("left_at")?,
    })
}

async fn create(
    connection: &mut SqliteConnection,
    group: &Group,
    owner: Option<PersonId>,
) -> Result<GroupChange, StoreError> {
    if let Some(before) = find(connection, group.id).await? {
        return Ok(if before.name == group.name { GroupChange::Unchanged } else { GroupChange::Conflicting });
    }
    let insert =
        sqlx::query(sql!("group_insert")).bind(group.id.0).bind(group.name.clone()).bind(to_micros(group.created_at));
    insert.execute(&mut *connection).await.map_err(store_error)?;
    if let Some(owner) = owner {
        put(connection, group.id, owner, Role::Owner, group.created_at).await?;
    }
    Ok(GroupChange::Done)
}

async fn put(
    connection: &mut SqliteConnection,
    group: GroupId,
    person: PersonId,
    role: Role,
    at: Timestamp,
) -> Result<(), StoreError> {
    let query =
        sqlx::query(sql!("group_member_upsert")).bind(group.0).bind(person.0).bind(role.as_str()).bind(to_micros(at));
    query.execute(connection).await.map_err(store_error)?;
    Ok(())
}

/// A member of before or of now, and who else there is.
struct Place {
    role: Role,
    left: bool,
    others: u32,
    other_owners: u32,
}

impl Place {
    fn is_last_owner(&self) -> bool {
        !self.left && self.role == Role::Owner && self.other_owners == 0
    }
}

async fn place(
    connection: &mut SqliteConnection,
    group: GroupId,
    person: PersonId,
) -> Result<Option<Place>, StoreError> {
    let query = sqlx::query(sql!("group_member")).bind(group.0).bind(person.0);
    let row = query.fetch_optional(connection).await.map_err(store_error)?;
    row.as_ref().map(place_row).transpose()
}

fn place_row(row: &SqliteRow) -> Result<Place, StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(Place {
        role: cells.read("role", Role::parse)?,
        left: cells.maybe_instant("left_at")?.is_some(),
        others: cells.count("others")?,
        other_owners: cells.count("other_owners")?,
    })
}

async fn join(
    connection: &mut SqliteConnection,
    group: GroupId,
    person: PersonId,
    role: Role,
    at: Timestamp,
) -> Result<GroupChange, StoreError> {
    if find(connection, group).await?.is_none() {
        return Ok(GroupChange::UnknownGroup);
    }
    match place(connection, group, person).await? {
        Some(place) if !place.left && place.role == role => return Ok(GroupChange::Unchanged),
        Some(place) if place.is_last_owner() => return Ok(GroupChange::LastOwner),
        _ => {}
    }
    put(connection, group, person, role, at).await?;
    Ok(GroupChange::Done)
}

async fn leave(
    connection: &mut SqliteConnection,
    group: GroupId,
    person: PersonId,
    at: Timestamp,
) -> Result<GroupChange, StoreError> {
    if find(connection, group).await?.is_none() {
        return Ok(GroupChange::UnknownGroup);
    }
    match place(connection, group, person).await? {
        None => return Ok(GroupChange::NotAMember),
        Some(place) if place.left => return Ok(GroupChange::Unchanged),
        Some(place) if place.is_last_owner() && place.others > 0 => return Ok(GroupChange::LastOwner),
        Some(_) => {}
    }
    let query = sqlx::query(sql!("group_member_leave")).bind(group.0).bind(person.0).bind(to_micros(at));
    query.execute(connection).await.map_err(store_error)?;
    Ok(GroupChange::Done)
}

/// An invitation as it stands.
struct Offer {
    group: GroupId,
    role: Role,
    made_at: Timestamp,
    expires_at: Timestamp,
    used_by: Option<PersonId>,
}

async fn offer(connection: &mut SqliteConnection, digest: [u8; 32]) -> Result<Option<Offer>, StoreError> {
    let query = sqlx::query(sql!("group_invitation")).bind(digest.to_vec());
    let row = query.fetch_optional(connection).await.map_err(store_error)?;
    row.as_ref().map(offer_row).transpose()
}

fn offer_row(row: &SqliteRow) -> Result<Offer, StoreError> {
    let cells = Cells::of("group_invitation", row);
    Ok(Offer {
        group: GroupId(cells.uuid("group_id")?),
        role: cells.read("role", Role::parse)?,
        made_at: cells.instant("made_at")?,
        expires_at: cells.instant("expires_at")?,
        used_by: cells.maybe_person("used_by")?,
    })
}

async fn invite(connection: &mut SqliteConnection, invitation: &Invitation) -> Result<GroupChange, StoreError> {
    if find(connection, invitation.group).await?.is_none() {
        return Ok(GroupChange::UnknownGroup);
    }
    if let Some(before) = offer(connection, invitation.digest).await? {
        let same = (before.group, before.role, before.made_at, before.expires_at)
            == (invitation.group, invitation.role, invitation.made_at, invitation.expires_at);
        return Ok(if same { GroupChange::Unchanged } else { GroupChange::Conflicting });
    }
    let query = sqlx::query(sql!("group_invitation_insert"))
        .bind(invitation.digest.to_vec())
        .bind(invitation.group.0)
        .bind(invitation.role.as_str())
        .bind(to_micros(invitation.made_at))
        .bind(to_micros(invitation.expires_at));
    query.execute(connection).await.map_err(store_error)?;
    Ok(GroupChange::Done)
}

async fn accept(
    connection: &mut SqliteConnection,
    digest: [u8; 32],
    person: PersonId,
    at: Timestamp,
) -> Result<(GroupChange, Option<GroupId>), StoreError> {
    let Some(offer) = offer(connection, digest).await? else { return Ok((GroupChange::UnknownInvitation, None)) };
    match offer.used_by {
        Some(user) if user == person => return Ok((GroupChange::Unchanged, Some(offer.group))),
        Some(_) => return Ok((GroupChange::InvitationUsed, None)),
        None if at >= offer.expires_at => return Ok((GroupChange::InvitationExpired, None)),
        None => {}
    }
    let joined = join(connection, offer.group, person, offer.role, at).await?;
    if joined != GroupChange::Done {
        return Ok((joined, Some(offer.group)));
    }
    let query = sqlx::query(sql!("group_invitation_use")).bind(digest.to_vec()).bind(person.0).bind(to_micros(at));
    query.execute(connection).await.map_err(store_error)?;
    Ok((GroupChange::Done, Some(offer.group)))
}
