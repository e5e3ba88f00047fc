//! The outbox.

use async_trait::async_trait;
use rollbook_store::{Outbox, OutboxItem, StoreError};
use sqlx::postgres::PgRow;

use crate::PostgresStore;
use crate::cells::Cells;
use crate::envelopes::envelope;
use crate::statements::sql;

#[async_trait]
impl Outbox for PostgresStore {
    async fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        let query = sqlx::query(sql!("outbox_next")).bind(i64::from(limit));
        self.ask(query).await?.iter().map(item).collect()
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

fn item(row: &PgRow) -> Result<OutboxItem, StoreError> {
    let cells = Cells::of("outbox", row);
    Ok(OutboxItem {
        id: cells.get("number")?,
        envelope: envelope(row)?,
        to: cells.text("processor")?.into(),
        redecide: cells.get("redecide")?,
    })
}
