//! One consistent view: a read transaction on a connection of its own.

use async_trait::async_trait;
use rollbook_domain::{PersonId, Seen, State};
use rollbook_store::{Check, EventRow, Snapshot, StoreError, read};
use sqlx::{Sqlite, Transaction};

use crate::fault::store_error;
use crate::statements::{fetch, sql};
use crate::{SqliteStore, load};

/// Each is counted in the same view.
const CHECKS: &[(&str, &str)] = rollbook_store::checks!();

/// Dropping it ends the view.
pub struct SqliteSnapshot(View);

/// Sees the records as they were at its first statement, whatever is written meanwhile.
pub type View = Transaction<'static, Sqlite>;

impl SqliteStore {
    pub(crate) async fn view(&self) -> Result<View, StoreError> {
        let mut view = self.readers.begin().await.map_err(store_error)?;
        // A deferred transaction sees the moment of its first read, not of its beginning.
        sqlx::query("SELECT 1 FROM schema_migration").fetch_optional(&mut *view).await.map_err(store_error)?;
        Ok(view)
    }
}

impl SqliteSnapshot {
    pub fn new(view: View) -> Self {
        Self(view)
    }
}

#[async_trait]
impl Snapshot for SqliteSnapshot {
    async fn checks(&mut self) -> Result<Vec<Check>, StoreError> {
        let mut counted = Vec::with_capacity(CHECKS.len());
        for (name, sql) in CHECKS {
            let rows = fetch(&mut *self.0, sqlx::query(*sql)).await?;
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
        let query = sqlx::query(sql!("outcomes")).bind(prefix.to_owned());
        fetch(&mut *self.0, query).await?.iter().map(read::outcome).collect()
    }
}
