//! Groups. Every change is a transaction of its own that locks the group first, so that what it was
//! checked against still holds when it is written.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};
use rollbook_store::{Group, GroupChange, GroupMember, Groups, Invitation, StoreError};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::PostgresStore;
use crate::cells::Cells;
use crate::fault::store_error;
use crate::statements::{Query, execute, fetch, sql};

#[async_trait]
impl Groups for PostgresStore {
    async fn create_group(&self, group: &Group, owner: Option<PersonId>) -> Result<GroupChange, StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            let change = create(&mut transaction, group, owner).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(change)
        };
        self.patience.with(call).await
    }

    async fn group(&self, id: GroupId) -> Result<Option<Group>, StoreError> {
        self.ask(sqlx::query(sql!("group")).bind(id.0)).await?.first().map(group_row).transpose()
    }

    async fn groups_of(&self, person: Option<PersonId>) -> Result<Vec<Group>, StoreError> {
        let query = match person {
            Some(person) => sqlx::query(sql!("groups_of_person")).bind(person.0),
            None => sqlx::query(sql!("groups")),
        };
        self.ask(query).await?.iter().map(group_row).collect()
    }

    async fn group_members(&self, id: GroupId) -> Result<Vec<GroupMember>, StoreError> {
        self.ask(sqlx::query(sql!("group_members")).bind(id.0)).await?.iter().map(member_row).collect()
    }

    async fn join_group(
        &self,
        group: GroupId,
        person: PersonId,
        role: Role,
        at: Timestamp,
    ) -> Result<GroupChange, StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            let change = join(&mut transaction, group, person, role, at).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(change)
        };
        self.patience.with(call).await
    }

    async fn leave_group(&self, group: GroupId, person: PersonId, at: Timestamp) -> Result<GroupChange, StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            let change = leave(&mut transaction, group, person, at).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(change)
        };
        self.patience.with(call).await
    }

    async fn invite(&self, invitation: &Invitation) -> Result<GroupChange, StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            let change = invite(&mut transaction, invitation).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(change)
        };
        self.patience.with(call).await
    }

    async fn accept_invitation(
        &self,
        digest: [u8; 32],
        person: PersonId,
        at: Timestamp,
    ) -> Result<(GroupChange, Option<GroupId>), StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            let change = accept(&mut transaction, digest, person, at).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(change)
        };
        self.patience.with(call).await
    }
}

/// The group, which nobody else changes until the end of the transaction.
async fn lock(connection: &mut PgConnection, id: GroupId) -> Result<Option<Group>, StoreError> {
    one(connection, sqlx::query(sql!("group_lock")).bind(id.0), group_row).await
}

async fn one<T>(
    connection: &mut PgConnection,
    query: Query,
    read: impl FnOnce(&PgRow) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    fetch(connection, query).await?.first().map(read).transpose()
}

fn group_row(row: &PgRow) -> Result<Group, StoreError> {
    let cells = Cells::of("ledger_group", row);
    Ok(Group { id: GroupId(cells.get("id")?), name: cells.get("name")?, created_at: cells.instant("created_at")? })
}

fn member_row(row: &PgRow) -> Result<GroupMember, StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(GroupMember {
        person: PersonId(cells.get("person")?),
        email: cells.maybe_text("email")?.map(|email| email.trim().to_owned()),
        role: cells.read("role", Role::parse)?,
        joined_at: cells.instant("joined_at")?,
        left_at: cells.maybe_instant("left_at")?,
    })
}

async fn create(
    connection: &mut PgConnection,
    group: &Group,
    owner: Option<PersonId>,
) -> Result<GroupChange, StoreError> {
    let insert =
        sqlx::query(sql!("group_insert")).bind(group.id.0).bind(group.name.clone()).bind(group.created_at.to_sqlx());
    if execute(connection, insert).await? == 0 {
        let before = lock(connection, group.id).await?;
        let same = before.is_some_and(|before| before.name == group.name);
        return Ok(if same { GroupChange::Unchanged } else { GroupChange::Conflicting });
    }
    if let Some(owner) = owner {
        put(connection, group.id, owner, Role::Owner, group.created_at).await?;
    }
    Ok(GroupChange::Done)
}

async fn put(
    connection: &mut PgConnection,
    group: GroupId,
    person: PersonId,
    role: Role,
    at: Timestamp,
) -> Result<(), StoreError> {
    let query =
        sqlx::query(sql!("group_member_upsert")).bind(group.0).bind(person.0).bind(role.as_str()).bind(at.to_sqlx());
    execute(connection, query).await.map(drop)
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

async fn place(connection: &mut PgConnection, group: GroupId, person: PersonId) -> Result<Option<Place>, StoreError> {
    one(connection, sqlx::query(sql!("group_member")).bind(group.0).bind(person.0), place_row).await
}

fn place_row(row: &PgRow) -> Result<Place, StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(Place {
        role: cells.read("role", Role::parse)?,
        left: cells.maybe_instant("left_at")?.is_some(),
        others: cells.count("others")?,
        other_owners: cells.count("other_owners")?,
    })
}

async fn join(
    connection: &mut PgConnection,
    group: GroupId,
    person: PersonId,
    role: Role,
    at: Timestamp,
) -> Result<GroupChange, StoreError> {
    if lock(connection, group).await?.is_none() {
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
    connection: &mut PgConnection,
    group: GroupId,
    person: PersonId,
    at: Timestamp,
) -> Result<GroupChange, StoreError> {
    if lock(connection, group).await?.is_none() {
        return Ok(GroupChange::UnknownGroup);
    }
    match place(connection, group, person).await? {
        None => return Ok(GroupChange::NotAMember),
        Some(place) if place.left => return Ok(GroupChange::Unchanged),
        Some(place) if place.is_last_owner() && place.others > 0 => return Ok(GroupChange::LastOwner),
        Some(_) => {}
    }
    let query = sqlx::query(sql!("group_member_leave")).bind(group.0).bind(person.0).bind(at.to_sqlx());
    execute(connection, query).await?;
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

async fn offer(connection: &mut PgConnection, digest: [u8; 32]) -> Result<Option<Offer>, StoreError> {
    one(connection, sqlx::query(sql!("group_invitation")).bind(digest), offer_row).await
}

fn offer_row(row: &PgRow) -> Result<Offer, StoreError> {
    let cells = Cells::of("group_invitation", row);
    Ok(Offer {
        group: GroupId(cells.get("group_id")?),
        role: cells.read("role", Role::parse)?,
        made_at: cells.instant("made_at")?,
        expires_at: cells.instant("expires_at")?,
        used_by: cells.maybe_person("used_by")?,
    })
}

async fn invite(connection: &mut PgConnection, invitation: &Invitation) -> Result<GroupChange, StoreError> {
    if lock(connection, invitation.group).await?.is_none() {
        return Ok(GroupChange::UnknownGroup);
    }
    if let Some(before) = offer(connection, invitation.digest).await? {
        let same = (before.group, before.role, before.made_at, before.expires_at)
            == (invitation.group, invitation.role, invitation.made_at, invitation.expires_at);
        return Ok(if same { GroupChange::Unchanged } else { GroupChange::Conflicting });
    }
    let query = sqlx::query(sql!("group_invitation_insert"))
        .bind(invitation.digest)
        .bind(invitation.group.0)
        .bind(invitation.role.as_str())
        .bind(invitation.made_at.to_sqlx())
        .bind(invitation.expires_at.to_sqlx());
    execute(connection, query).await?;
    Ok(GroupChange::Done)
}

async fn accept(
    connection: &mut PgConnection,
    digest: [u8; 32],
    person: PersonId,
    at: Timestamp,
) -> Result<(GroupChange, Option<GroupId>), StoreError> {
    let unknown = (GroupChange::UnknownInvitation, None);
    let Some(Offer { group, .. }) = offer(connection, digest).await? else { return Ok(unknown) };
    lock(connection, group).await?;
    // Once more: somebody else may have used it while this one waited.
    let Some(offer) = offer(connection, digest).await? else { return Ok(unknown) };
    match offer.used_by {
        Some(user) if user == person => return Ok((GroupChange::Unchanged, Some(group))),
        Some(_) => return Ok((GroupChange::InvitationUsed, None)),
        None if at >= offer.expires_at => return Ok((GroupChange::InvitationExpired, None)),
        None => {}
    }
    let joined = join(connection, group, person, offer.role, at).await?;
    if joined == GroupChange::Done {
        let query = sqlx::query(sql!("group_invitation_use")).bind(digest).bind(person.0).bind(at.to_sqlx());
        execute(connection, query).await?;
    }
    Ok((joined, Some(group)))
}
