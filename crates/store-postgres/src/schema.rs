//! A schema of one's own in a database that others use, too: for demonstrations and tests.

use rollbook_store::StoreError;
use sqlx::Executor as _;

use crate::fault::store_error;
use crate::store::PostgresStore;

impl PostgresStore {
    /// Makes an empty schema. `name` is letters, digits and underscores; what is there already is
    /// refused, because it is somebody's.
    pub async fn create_schema(&self, name: &str) -> Result<(), StoreError> {
        self.alter(&format!("CREATE SCHEMA {}", plain(name)?)).await
    }

    /// Removes a schema that [`Self::create_schema`] made, with everything in it.
    pub async fn drop_schema(&self, name: &str) -> Result<(), StoreError> {
        self.alter(&format!("DROP SCHEMA IF EXISTS {} CASCADE", plain(name)?)).await
    }

    async fn alter(&self, sql: &str) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(store_error)?;
        connection.execute(sqlx::AssertSqlSafe(sql)).await.map(drop).map_err(store_error)
    }
}

fn plain(name: &str) -> Result<&str, StoreError> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { Ok(name) } else { Err(StoreError::Schema(format!("`{name}` is no name of a schema"))) }
}
