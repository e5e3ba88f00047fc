//! What workers hold.
//!
//! Two statements that are committed one by one, so that no worker ever holds its own rows while it
//! looks at those of others.

use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;
use rollbook_store::{StoreError, WorkerId, WorkerRow, Workers, read};

use crate::PostgresStore;
use crate::statements::{column, sql};

/// A century, for whoever wants for ever: an instant has an end.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

#[async_trait]
impl Workers for PostgresStore {
    async fn tell(
        &self,
        worker: WorkerId,
        in_flight: &[(ProcessorName, u64)],
        keep: Duration,
    ) -> Result<(), StoreError> {
        let tell = sqlx::query(sql!("worker_tell"))
            .bind(worker.0)
            .bind(column(in_flight, |(processor, _)| processor.to_string()))
            .bind(column(in_flight, |(_, count)| integer((*count).into())))
            .bind(integer(keep.min(LONGEST).as_micros()));
        self.ask(tell).await?;
        self.ask(sqlx::query(sql!("worker_forget")).bind(worker.0)).await?;
        Ok(())
    }

    async fn goodbye(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.ask(sqlx::query(sql!("worker_goodbye")).bind(worker.0)).await?;
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        self.ask(sqlx::query(sql!("workers"))).await?.iter().map(read::worker).collect()
    }
}

fn integer(count: u128) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
