//! Opening the queue's file, and refusing what is not one.

use std::fmt;
use std::path::{Path, PathBuf};

use rollbook_domain::Clock;
use rollbook_sqlite::{Database, LockError, Mode, OpenError as FileError, ServiceLock};
use sqlx::{Executor as _, SqliteConnection};
use thiserror::Error;

use crate::statements::{FORGET_LEASES, HIGHEST_BODY};

const SCHEMA: &str = include_str!("../sql/schema.sql");

/// As in `sql/schema.sql`.
const APPLICATION: i64 = 1_380_077_393;
const VERSION: i64 = 1;

pub struct Options {
    /// The file; its folder is made when it is missing. Beside it lie its journal and its lock.
    pub path: PathBuf,
    /// Below this many free bytes on the disk, nothing new is taken.
    pub min_free_disk_bytes: u64,
    pub clock: Clock,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("path", &self.path)
            .field("min_free_disk_bytes", &self.min_free_disk_bytes)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Error)]
pub enum OpenError {
    /// Another service has it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Missing, damaged or unreachable.
    #[error(transparent)]
    File(#[from] FileError),
    /// The configuration names a file of something else.
    #[error("{path} is a SQLite database, but not a queue of Rollbook; name another file")]
    Foreign { path: PathBuf },
    /// Run the release that wrote it, or a newer one.
    #[error("{path} is a queue of schema version {found}, and this release knows version {VERSION}")]
    Version { path: PathBuf, found: i64 },
}

/// Everything that the writer starts with.
pub(crate) struct Opened {
    pub(crate) lock: ServiceLock,
    pub(crate) database: Database,
    /// The highest body id so far.
    pub(crate) highest_body: i64,
}

pub(crate) async fn open(path: &Path) -> Result<Opened, OpenError> {
    let lock = rollbook_sqlite::lock(path)?;
    let mut database = rollbook_sqlite::open(path, Mode::Create).await?;
    let prepared = prepare(&mut database.writer).await.map_err(|error| FileError::sqlite(path, error))?;
    match prepared {
        Prepared::Ready { highest_body } => Ok(Opened { lock, database, highest_body }),
        Prepared::Refused(found) => Err(found.refuse(path)),
    }
}

enum Prepared {
    Ready { highest_body: i64 },
    Refused(Marks),
}

/// Makes the schema in an empty file, and hands back what a killed process had leased. The count of
/// hand-overs stays, so that what kills the process is found.
async fn prepare(writer: &mut SqliteConnection) -> Result<Prepared, sqlx::Error> {
    writer.execute("BEGIN IMMEDIATE").await?;
    let marks = marks(writer).await?;
    if marks.empty {
        writer.execute(SCHEMA).await?;
    } else if !marks.ours() {
        writer.execute("ROLLBACK").await?;
        return Ok(Prepared::Refused(marks));
    }
    writer.execute(FORGET_LEASES).await?;
    let highest_body = sqlx::query_scalar(HIGHEST_BODY).fetch_one(&mut *writer).await?;
    writer.execute("COMMIT").await?;
    Ok(Prepared::Ready { highest_body })
}

/// What a file says it is.
pub(crate) struct Marks {
    empty: bool,
    application: i64,
    version: i64,
}

pub(crate) async fn marks(connection: &mut SqliteConnection) -> Result<Marks, sqlx::Error> {
    let sql = "SELECT (SELECT count(*) = 0 FROM sqlite_schema), \
               (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)";
    let (empty, application, version) = sqlx::query_as(sql).fetch_one(connection).await?;
    Ok(Marks { empty, application, version })
}

impl Marks {
    pub(crate) fn empty(&self) -> bool {
        self.empty
    }

    pub(crate) fn ours(&self) -> bool {
        self.application == APPLICATION && self.version == VERSION
    }

    pub(crate) fn refuse(&self, path: &Path) -> OpenError {
        let path = path.to_owned();
        if self.application == APPLICATION {
            OpenError::Version { path, found: self.version }
        } else {
            OpenError::Foreign { path }
        }
    }
}
