//! The embedded queue as a file that somebody keeps beside a broker.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rollbook_domain::{Clock, ProcessorName};
use rollbook_queue::{FileError, Held, Queue, QueueFiles};
use rollbook_sqlite::{LockError, OpenError as NoFile, free_disk_bytes};
use sqlx::SqlitePool;

use crate::open::{Marks, OpenError, Options, marks};
use crate::queue::SqliteQueue;
use crate::statements::HELD;

/// Opens every file the same way.
#[derive(Clone)]
pub struct SqliteFiles {
    /// As in [`Options`].
    pub min_free_disk_bytes: u64,
    pub clock: Clock,
}

impl fmt::Debug for SqliteFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteFiles").field("min_free_disk_bytes", &self.min_free_disk_bytes).finish_non_exhaustive()
    }
}

#[async_trait]
impl QueueFiles for SqliteFiles {
    async fn open(&self, path: &Path) -> Result<Arc<dyn Queue>, FileError> {
        let (min_free_disk_bytes, clock) = (self.min_free_disk_bytes, Arc::clone(&self.clock));
        Ok(SqliteQueue::open(Options { path: path.to_owned(), min_free_disk_bytes, clock }).await?)
    }

    /// An empty file is one that somebody is about to make.
    async fn held(&self, path: &Path, queue: &ProcessorName) -> Result<Held, FileError> {
        let readers = match rollbook_sqlite::readers(path) {
            Ok(readers) => readers,
            Err(NoFile::Missing { .. }) => return Ok(Held::default()),
            Err(error) => return Err(OpenError::from(error).into()),
        };
        let read = read(&readers, queue).await;
        readers.close().await;
        match read.map_err(|error| OpenError::from(NoFile::sqlite(path, error)))? {
            Ok(held) => Ok(held),
            Err(marks) if marks.empty() => Ok(Held::default()),
            Err(marks) => Err(marks.refuse(path).into()),
        }
    }

    /// A disk that does not tell is tried.
    fn has_room(&self, path: &Path) -> bool {
        free_disk_bytes(path).map_or(true, |free| free >= self.min_free_disk_bytes)
    }
}

async fn read(readers: &SqlitePool, queue: &ProcessorName) -> Result<Result<Held, Marks>, sqlx::Error> {
    let mut connection = readers.acquire().await?;
    let marks = marks(&mut connection).await?;
    if !marks.ours() {
        return Ok(Err(marks));
    }
    let (deliveries, bytes): (i64, i64) = sqlx::query_as(HELD).bind(queue.as_str()).fetch_one(&mut *connection).await?;
    let count = |number| u64::try_from(number).unwrap_or(0);
    Ok(Ok(Held { deliveries: count(deliveries), bytes: count(bytes) }))
}

impl From<OpenError> for FileError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Lock(LockError::Held { .. }) => Self::Taken(Box::new(error)),
            OpenError::File(NoFile::Corrupt { .. }) | OpenError::Foreign { .. } | OpenError::Version { .. } => {
                Self::Unusable(Box::new(error))
            }
            OpenError::Lock(_) | OpenError::File(_) => Self::Unavailable(Box::new(error)),
        }
    }
}
