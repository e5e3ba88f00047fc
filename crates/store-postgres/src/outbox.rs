//! The outbox.

use async_trait::async_trait;
use rollbook_store::{Outbox, OutboxItem, StoreError, read};

use crate::PostgresStore;
use crate::statements::sql;

#[async_trait]
impl Outbox for PostgresStore {
    async fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        let query = sqlx::query(sql!("outbox_next")).bind(i64::from(limit));
        self.ask(query).await?.iter().map(read::outbox_item).collect()
    }

    async fn outbox_done(&self, ids: &[i64]) -> Result<(), StoreError> {
        if !ids.is_empty() {
            self.ask(sqlx::query(sql!("outbox_done")).bind(ids)).await?;
        }
        Ok(())
    }

    async fn outbox_depth(&self) -> Result<u64, StoreError> {
        self.number(sql!("outbox_depth")).await
    }
}
