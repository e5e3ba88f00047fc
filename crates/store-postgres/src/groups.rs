//! Groups. Every change is a transaction of its own that locks the group, so that what it was checked
//! against still holds when it is written.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};
use rollbook_store::{
    ChangeId, Group, GroupChange, GroupDigest, GroupEntry, GroupHistoryRow, GroupMember, GroupOrder, GroupRows, Groups,
    Invitation, Offer, Place, Said, StoreError, change_group, read,
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
            let told = change_group(&mut Rows(&mut transaction), order, said).await?;
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

/// Within the transaction of this connection.
struct Rows<'c>(&'c mut PgConnection);

impl Rows<'_> {
    async fn one(&mut self, query: Query) -> Result<Option<Row>, StoreError> {
        Ok(fetch(self.0, query).await?.pop())
    }
}

#[async_trait]
impl GroupRows for Rows<'_> {
    async fn lock(&mut self, group: GroupId) -> Result<bool, StoreError> {
        Ok(self.one(sqlx::query(sql!("group_lock")).bind(group.0)).await?.is_some())
    }

    async fn before(&mut self, id: ChangeId) -> Result<Option<(GroupId, GroupDigest)>, StoreError> {
        let row = self.one(sqlx::query(sql!("group_change")).bind(id.0)).await?;
        row.as_ref().map(read::change_before).transpose()
    }

    async fn place(&mut self, group: GroupId, person: PersonId) -> Result<Option<Place>, StoreError> {
        let row = self.one(sqlx::query(sql!("group_member")).bind(group.0).bind(person.0)).await?;
        row.as_ref().map(read::place).transpose()
    }

    async fn offer(&mut self, digest: [u8; 32]) -> Result<Option<Offer>, StoreError> {
        let row = self.one(sqlx::query(sql!("group_invitation")).bind(digest)).await?;
        row.as_ref().map(read::offer).transpose()
    }

    async fn make(&mut self, group: GroupId, name: &str, at: Timestamp) -> Result<bool, StoreError> {
        let query = sqlx::query(sql!("group_insert")).bind(group.0).bind(name.to_owned()).bind(at.to_sqlx());
        Ok(execute(self.0, query).await? > 0)
    }

    async fn put(&mut self, group: GroupId, person: PersonId, role: Role, at: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(sql!("group_member_upsert")).bind(group.0).bind(person.0).bind(role.as_str());
        execute(self.0, query.bind(at.to_sqlx())).await.map(drop)
    }

    async fn leave(&mut self, group: GroupId, person: PersonId, at: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(sql!("group_member_leave")).bind(group.0).bind(person.0).bind(at.to_sqlx());
        execute(self.0, query).await.map(drop)
    }

    async fn invite(&mut self, invitation: &Invitation, said: &Said) -> Result<(), StoreError> {
        let query = sqlx::query(sql!("group_invitation_insert"))
            .bind(invitation.digest)
            .bind(said.id.0)
            .bind(invitation.group.0)
            .bind(invitation.role.as_str())
            .bind(said.at.to_sqlx())
            .bind(invitation.expires_at.to_sqlx());
        execute(self.0, query).await.map(drop)
    }

    async fn use_up(&mut self, digest: [u8; 32], person: PersonId, at: Timestamp) -> Result<(), StoreError> {
        let query = sqlx::query(sql!("group_invitation_use")).bind(digest).bind(person.0).bind(at.to_sqlx());
        execute(self.0, query).await.map(drop)
    }

    async fn tell(&mut self, said: &Said, digest: GroupDigest, entry: &GroupEntry) -> Result<(), StoreError> {
        let query = sqlx::query(sql!("group_change_insert"))
            .bind(said.id.0)
            .bind(entry.group.0)
            .bind(entry.kind.as_str())
            .bind(digest.0)
            .bind(entry.person.map(|person| person.0))
            .bind(entry.role.map(Role::as_str))
            .bind(entry.invitation.map(|id| id.0))
            .bind(said.at.to_sqlx())
            .bind(said.actor.person().map(|person| person.0))
            .bind(said.reason().map(ToOwned::to_owned));
        execute(self.0, query).await.map(drop)
    }
}
