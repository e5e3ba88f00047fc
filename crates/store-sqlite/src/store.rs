//! Opening the store, and its transactions.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rollbook_sqlite::{Mode, free_disk_bytes};
use rollbook_store::{Store, StoreError, Tx};
use sqlx::pool::PoolConnection;
use sqlx::{Executor as _, SqlitePool};

use crate::fault::{Complaint, open_error, store_error};
use crate::migrate::{self, MIGRATIONS};
use crate::statements::{execute, sql};
use crate::tx::SqliteTx;
use crate::writer::Writer;

/// A commit that finds no room fails late and often; below this the probe says so at once.
const LEAST_DISK_BYTES: u64 = 4 << 20;

/// A batch of new people touches over a thousand pages all over the file. With SQLite's usual 1,000
/// pages every commit would copy its own pages back; 12,000 (48 MB) let several commits share that.
const CHECKPOINT: &str = "PRAGMA wal_autocheckpoint = 12000";

/// The store in one file. Cheap to clone; clones share the one connection that writes.
#[derive(Clone)]
pub struct SqliteStore {
    path: PathBuf,
    pub(crate) writer: Writer,
    pub(crate) readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the file of a service, or makes it (readable by its owner alone). The schema is left as
    /// it is: [`Self::migrate`] or [`Self::check_schema`] comes next.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, Mode::Create).await
    }

    /// For the command line: a missing file and a schema that this binary was not made for are
    /// `Schema`, with what to run. Works beside a running service.
    pub async fn open_existing(path: &Path) -> Result<Self, StoreError> {
        let store = Self::open_as(path, Mode::Existing).await?;
        store.check_schema().await?;
        Ok(store)
    }

    /// A file that must be there, whatever its schema: to look at what `migrate` would do.
    pub async fn open_unchecked(path: &Path) -> Result<Self, StoreError> {
        Self::open_as(path, Mode::Existing).await
    }

    async fn open_as(path: &Path, mode: Mode) -> Result<Self, StoreError> {
        let mut database = rollbook_sqlite::open(path, mode).await.map_err(open_error)?;
        database.writer.execute(CHECKPOINT).await.map_err(store_error)?;
        Ok(Self { path: path.to_owned(), writer: Writer::new(database.writer), readers: database.readers })
    }

    /// Applies the missing migrations. Safe to run from many processes at once: one migrates, the
    /// others wait and find nothing to do.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut writing = self.writer.begin().await?;
        migrate::migrate(writing.connection(), MIGRATIONS).await?;
        writing.commit().await
    }

    /// The names of the migrations that [`Self::migrate`] would apply. A schema that is newer than
    /// this binary is `Schema`.
    pub async fn pending(&self) -> Result<Vec<&'static str>, StoreError> {
        migrate::pending(&mut *self.reader().await?).await
    }

    /// `Schema`, with what to run, unless the schema is the one that this binary was made for.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        migrate::check(&mut *self.reader().await?).await
    }

    pub(crate) async fn reader(&self) -> Result<PoolConnection<sqlx::Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(store_error)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn Tx>, StoreError> {
        Ok(Box::new(SqliteTx::new(self.writer.begin().await?)))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        if free_disk_bytes(&self.path).is_ok_and(|free| free < LEAST_DISK_BYTES) {
            return Err(StoreError::Unavailable(Complaint::DiskFull(LEAST_DISK_BYTES).into()));
        }
        let mut writing = self.writer.begin().await?;
        execute(writing.connection(), sqlx::query(sql!("probe"))).await?;
        writing.commit().await
    }
}
