//! The outbox.

use async_trait::async_trait;
use rollbook_store::{Outbox, OutboxItem, StoreError, read};

use crate::fault::store_error;
use crate::statements::{execute, fetch, sql};
use crate::{SqliteStore, json};

#[async_trait]
impl Outbox for SqliteStore {
    async fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        let query = sqlx::query(sql!("outbox_next")).bind(limit);
        fetch(&self.readers, query).await?.iter().map(read::outbox_item).collect()
    }

    async fn outbox_done(&self, ids: &[i64]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut writing = self.writer.begin().await?;
        execute(writing.connection(), sqlx::query(sql!("outbox_done")).bind(json::list(ids))).await?;
        writing.commit().await
    }

    async fn outbox_depth(&self) -> Result<u64, StoreError> {
        let depth: i64 =
            sqlx::query_scalar(sql!("outbox_depth")).fetch_one(&self.readers).await.map_err(store_error)?;
        Ok(depth.unsigned_abs())
    }
}
