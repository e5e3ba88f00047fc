//! The outbox.

use async_trait::async_trait;
use rollbook_store::{Outbox, OutboxItem, StoreError};
use sqlx::sqlite::SqliteRow;

use crate::cells::Cells;
use crate::envelopes::envelope;
use crate::fault::store_error;
use crate::statements::sql;
use crate::{SqliteStore, json};

#[async_trait]
impl Outbox for SqliteStore {
    async fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        let rows = sqlx::query(sql!("outbox_next")).bind(limit).fetch_all(&self.readers).await;
        rows.map_err(store_error)?.iter().map(item).collect()
    }

    async fn outbox_done(&self, ids: &[i64]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut writing = self.writer.begin().await?;
        let query = sqlx::query(sql!("outbox_done")).bind(json::list(ids));
        query.execute(writing.connection()).await.map_err(store_error)?;
        writing.commit().await
    }

    async fn outbox_depth(&self) -> Result<u64, StoreError> {
        let depth: i64 =
            sqlx::query_scalar(sql!("outbox_depth")).fetch_one(&self.readers).await.map_err(store_error)?;
        Ok(depth.unsigned_abs())
    }
}

fn item(row: &SqliteRow) -> Result<OutboxItem, StoreError> {
    let cells = Cells::of("outbox", row);
    Ok(OutboxItem {
        id: cells.get("number")?,
        envelope: envelope(row)?,
        to: cells.text("processor")?.into(),
        redecide: cells.get("redecide")?,
    })
}
