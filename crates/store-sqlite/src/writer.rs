//! The one connection that writes.
//!
//! Whoever wants to write waits in line for it. A transaction that is dropped unfinished is rolled
//! back before the next one in line gets the connection, and at once, so that no other process is
//! kept waiting by a transaction that nobody drives any more.

use std::sync::Arc;

use rollbook_store::StoreError;
use sqlx::{Executor as _, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::fault::store_error;

#[derive(Clone)]
pub struct Writer(Arc<Mutex<Line>>);

struct Line {
    connection: SqliteConnection,
    /// A transaction may be open that nobody owns.
    dirty: bool,
}

impl Line {
    /// Fails when SQLite has already rolled back by itself, which is as good.
    async fn roll_back(&mut self) {
        let _ = self.connection.execute("ROLLBACK").await;
        self.dirty = false;
    }
}

impl Writer {
    pub fn new(connection: SqliteConnection) -> Self {
        Self(Arc::new(Mutex::new(Line { connection, dirty: false })))
    }

    /// Takes the connection and the database's write lock (other processes may hold it: waits up to
    /// the busy time-out, then `Unavailable`).
    pub async fn begin(&self) -> Result<Writing, StoreError> {
        let mut line = Arc::clone(&self.0).lock_owned().await;
        if line.dirty {
            line.roll_back().await;
        }
        line.dirty = true;
        let mut writing = Writing { line: Some(line) };
        writing.connection().execute("BEGIN IMMEDIATE").await.map_err(store_error)?;
        Ok(writing)
    }
}

/// A transaction that writes. Dropping it rolls back.
pub struct Writing {
    /// `Some` until it is committed or dropped.
    line: Option<OwnedMutexGuard<Line>>,
}

impl Writing {
    pub fn connection(&mut self) -> &mut SqliteConnection {
        // `commit` takes `self`, and nothing else empties it before the drop.
        let Some(line) = &mut self.line else { unreachable!("a committed transaction was used") };
        &mut line.connection
    }

    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.connection().execute("COMMIT").await.map_err(store_error)?;
        if let Some(line) = &mut self.line {
            line.dirty = false;
        }
        Ok(())
    }

    pub async fn roll_back(mut self) {
        if let Some(line) = &mut self.line {
            line.roll_back().await;
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(mut line) = self.line.take().filter(|line| line.dirty) else { return };
        // Outside of a runtime (it is shutting down), the next in line finds it dirty.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { line.roll_back().await });
        }
    }
}
