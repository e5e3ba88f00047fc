//! The embedded queue against the port's suite, and against what only a file can suffer.

mod file;
mod room;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::{Options, SqliteQueue};
use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_queue::Queue;
use rollbook_queue::conformance::{Harness, TestClock, message};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

struct Embedded {
    clock: TestClock,
    queue: Arc<SqliteQueue>,
    path: PathBuf,
    homes: Vec<TempDir>,
}

fn options(path: &Path, clock: &TestClock) -> Options {
    Options { path: path.to_owned(), min_free_disk_bytes: 0, clock: clock.clock() }
}

async fn embedded() -> Embedded {
    let clock = TestClock::default();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("queue.db");
    let queue = SqliteQueue::open(options(&path, &clock)).await.unwrap();
    Embedded { clock, queue, path, homes: vec![home] }
}

/// What the disk holds at this moment, elsewhere: all that a killed process leaves.
fn snapshot(path: &Path) -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let copy = home.path().join("queue.db");
    // The journal first: if the writer empties it into the file in between, the copy has both.
    for suffix in ["-wal", ""] {
        let from = PathBuf::from(format!("{}{suffix}", path.display()));
        if from.exists() {
            std::fs::copy(from, home.path().join(format!("queue.db{suffix}"))).unwrap();
        }
    }
    (home, copy)
}

#[async_trait]
impl Harness for Embedded {
    fn queue(&self) -> Arc<dyn Queue> {
        Arc::<SqliteQueue>::clone(&self.queue)
    }

    async fn crash(&mut self) {
        let (home, path) = snapshot(&self.path);
        let next = SqliteQueue::open(options(&path, &self.clock)).await.unwrap();
        std::mem::replace(&mut self.queue, next).close().await;
        self.path = path;
        self.homes.push(home);
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&mut self, by: Duration) {
        self.clock.advance(by);
    }
}

rollbook_queue::queue_conformance!(embedded);

/// What another process does to the file.
async fn run(path: &Path, sql: &'static str) {
    let mut connection = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
