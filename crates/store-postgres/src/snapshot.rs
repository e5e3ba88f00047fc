//! One consistent view: a read-only REPEATABLE READ transaction on a connection of its own.

use async_trait::async_trait;
use rollbook_domain::{PersonId, Seen, State};
use rollbook_store::{Check, EventRow, Snapshot, StoreError, read};
use sqlx::{Postgres, Transaction};

use crate::fault::store_error;
use crate::statements::{execute, fetch, sql};
use crate::{PostgresStore, load};

/// Each is counted in the same view.
const CHECKS: &[(&str, &str)] = rollbook_store::checks!();

/// Dropping it ends the view.
pub struct PostgresSnapshot(View);

/// Sees the records as they were at its first statement, whatever is written meanwhile.
pub type View = Transaction<'static, Postgres>;

impl PostgresStore {
    pub(crate) async fn view(&self) -> Result<View, StoreError> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        self.pool.begin_with(begin).await.map_err(store_error)
    }
}

impl PostgresSnapshot {
    /// Counting a large club's records takes longer than any statement of a worker may, and the
    /// caller computes between two pages; nobody waits for a reader.
    pub async fn of(mut view: View) -> Result<Self, StoreError> {
        execute(&mut view, sqlx::query(sql!("session_patient"))).await?;
        Ok(Self(view))
    }

    pub fn boxed(self) -> Box<dyn Snapshot> {
        Box::new(self)
    }
}

#[async_trait]
impl Snapshot for PostgresSnapshot {
    async fn checks(&mut self) -> Result<Vec<Check>, StoreError> {
        let mut counted = Vec::with_capacity(CHECKS.len());
        for (name, sql) in CHECKS {
            let rows = fetch(&mut self.0, sqlx::query(*sql)).await?;
            let row = rows.first().ok_or_else(|| store_error(sqlx::Error::RowNotFound))?;
            counted.push(Check::read(name, row)?);
        }
        Ok(counted)
    }

    async fn people(&mut self, after: Option<PersonId>, limit: u32) -> Result<State, StoreError> {
        let known = load::known_after(&mut self.0, after, limit).await?;
        let mut state = load::people(&mut self.0, &known).await?;
        for document in load::documents_of(&mut self.0, &known).await? {
            state.add_document(document);
        }
        Ok(state)
    }

    async fn outcomes(&mut self, prefix: &str) -> Result<Vec<(EventRow, Seen)>, StoreError> {
        let query = sqlx::query(sql!("outcomes")).bind(prefix);
        fetch(&mut self.0, query).await?.iter().map(read::outcome).collect()
    }
}
