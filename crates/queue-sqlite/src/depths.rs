//! What waits, from one read beside the writer.

use rollbook_domain::ProcessorName;
use rollbook_queue::QueueDepth;
use sqlx::{Row as _, SqlitePool};

use crate::statements::DEPTH;

/// `now` in microseconds since the epoch.
pub(crate) async fn depths(
    readers: &SqlitePool,
    queues: &[ProcessorName],
    now: i64,
) -> Result<Vec<QueueDepth>, sqlx::Error> {
    let mut snapshot = readers.begin().await?;
    let mut depths = Vec::with_capacity(queues.len());
    for queue in queues {
        let row = sqlx::query(DEPTH).bind(queue.as_str()).bind(now).fetch_one(&mut *snapshot).await?;
        let oldest: Option<i64> = row.try_get(3)?;
        let age_us = oldest.map_or(0, |oldest| now.saturating_sub(oldest));
        depths.push(QueueDepth {
            processor: queue.to_string(),
            ready: count(row.try_get(0)?),
            in_flight: count(row.try_get(1)?),
            retrying: count(row.try_get(2)?),
            oldest_age_s: count(age_us) / 1_000_000,
        });
    }
    snapshot.commit().await?;
    Ok(depths)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
