//! What workers hold.

use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;
use rollbook_store::{StoreError, WorkerId, WorkerRow, Workers};
use sqlx::sqlite::SqliteRow;

use crate::cells::Cells;
use crate::fault::store_error;
use crate::statements::sql;
use crate::{SqliteStore, json};

#[async_trait]
impl Workers for SqliteStore {
    async fn tell(
        &self,
        worker: WorkerId,
        in_flight: &[(ProcessorName, u64)],
        keep: Duration,
    ) -> Result<(), StoreError> {
        let rows = in_flight.iter().map(|(processor, count)| (processor.as_str(), integer(*count)));
        let tell = sqlx::query(sql!("worker_tell")).bind(worker.0).bind(json::list(rows)).bind(keep_us(keep));
        let forget = sqlx::query(sql!("worker_forget")).bind(worker.0);
        let mut writing = self.writer.begin().await?;
        tell.execute(writing.connection()).await.map_err(store_error)?;
        forget.execute(writing.connection()).await.map_err(store_error)?;
        writing.commit().await
    }

    async fn goodbye(&self, worker: WorkerId) -> Result<(), StoreError> {
        let mut writing = self.writer.begin().await?;
        let goodbye = sqlx::query(sql!("worker_goodbye")).bind(worker.0);
        goodbye.execute(writing.connection()).await.map_err(store_error)?;
        writing.commit().await
    }

    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        let rows = sqlx::query(sql!("workers")).fetch_all(&self.readers).await;
        rows.map_err(store_error)?.iter().map(row).collect()
    }
}

fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// At most a century, as in every store: an instant has an end.
fn keep_us(keep: Duration) -> i64 {
    i64::try_from(keep.min(Duration::from_hours(24 * 365 * 100)).as_micros()).unwrap_or(i64::MAX)
}

fn row(row: &SqliteRow) -> Result<WorkerRow, StoreError> {
    let cells = Cells::of("worker", row);
    Ok(WorkerRow {
        worker: WorkerId(cells.uuid("id")?),
        processor: cells.get("processor")?,
        in_flight: cells.count("in_flight")?,
        last_seen_s: cells.count("last_seen_s")?,
    })
}
