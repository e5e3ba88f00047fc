//! What workers hold.

use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;
use rollbook_store::{StoreError, WorkerId, WorkerRow, Workers, read};

use crate::statements::{execute, fetch, sql};
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
        execute(writing.connection(), tell).await?;
        execute(writing.connection(), forget).await?;
        writing.commit().await
    }

    async fn goodbye(&self, worker: WorkerId) -> Result<(), StoreError> {
        let mut writing = self.writer.begin().await?;
        execute(writing.connection(), sqlx::query(sql!("worker_goodbye")).bind(worker.0)).await?;
        writing.commit().await
    }

    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        fetch(&self.readers, sqlx::query(sql!("workers"))).await?.iter().map(read::worker).collect()
    }
}

fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// At most a century, as in every store: an instant has an end.
fn keep_us(keep: Duration) -> i64 {
    i64::try_from(keep.min(Duration::from_hours(24 * 365 * 100)).as_micros()).unwrap_or(i64::MAX)
}
