//! Opening a file, the same way everywhere.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Executor as _};
use thiserror::Error;

use crate::fault::{Fault, fault};

/// How long a statement waits for another process: the command line beside a service.
const BUSY: Duration = Duration::from_secs(30);

/// How long the writer of a service waits. Its parts take turns at that one connection, so what one
/// of them waits, all of them wait; they come back by themselves, and the command line does not.
const BUSY_SERVICE: Duration = Duration::from_secs(2);

const READERS: u32 = 4;

/// Room for every size of every bulk statement.
const STATEMENTS: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A service: makes the folder and the file when they are missing.
    Create,
    /// The command line: a missing file is an error.
    Existing,
}

/// One connection that writes, and a few that read without waiting for it. Wrap the writer in a
/// mutex or give it to a task; a second one would only wait for the first.
#[derive(Debug)]
pub struct Database {
    pub writer: SqliteConnection,
    pub readers: SqlitePool,
}

#[derive(Debug, Error)]
pub enum OpenError {
    /// Start the service first, or mend the configuration.
    #[error("there is no file {path}")]
    Missing { path: PathBuf },
    #[error("{path} is damaged or is not a SQLite database; restore it from a backup or move it away")]
    Corrupt { path: PathBuf, source: sqlx::Error },
    #[error("cannot make {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot open {path}")]
    Sqlite { path: PathBuf, source: sqlx::Error },
}

impl OpenError {
    /// For a statement that failed while the file was being opened.
    pub fn sqlite(path: &Path, source: sqlx::Error) -> Self {
        let path = path.to_owned();
        match fault(&source) {
            Fault::Corrupt => Self::Corrupt { path, source },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// Opens for writing: WAL, every commit synced to the disk, foreign keys on. A new file can be read
/// by its owner alone, for it will hold personal data.
pub async fn open(path: &Path, mode: Mode) -> Result<Database, OpenError> {
    if mode == Mode::Create {
        make_folder(path)
            .and_then(|()| make_file(path))
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
    }
    present(path)?;
    let mut writer = writing(path, mode).connect().await.map_err(|source| OpenError::sqlite(path, source))?;
    // The first read finds a damaged or truncated file; the pragmas alone may not.
    writer.execute("SELECT count(*) FROM sqlite_schema").await.map_err(|source| OpenError::sqlite(path, source))?;
    Ok(Database { writer, readers: readers(path)? })
}

/// Only for reading, beside whoever writes. Connects when it is first used.
pub fn readers(path: &Path) -> Result<SqlitePool, OpenError> {
    present(path)?;
    // What a reader reads (bodies to hand out, pages of a listing) it reads once.
    let options = common(path).read_only(true).pragma("cache_size", "-1000");
    // A connection to a file does not go stale: no need to ask it before each use.
    let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(BUSY).test_before_acquire(false);
    Ok(pool.connect_lazy_with(options))
}

/// What an ordinary user may still write to the disk that holds `path`, in bytes.
pub fn free_disk_bytes(path: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder(path))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("temp_store", "MEMORY")
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}

fn writing(path: &Path, mode: Mode) -> SqliteConnectOptions {
    // A backup that was restored is not in WAL; to change that needs a lock that nobody waits for,
    // so the command line leaves it to the service.
    let options = match mode {
        Mode::Create => common(path).journal_mode(SqliteJournalMode::Wal).busy_timeout(BUSY_SERVICE),
        Mode::Existing => common(path),
    };
    options.synchronous(SqliteSynchronous::Full).pragma("cache_size", "-16000").pragma("journal_size_limit", "67108864")
}

fn present(path: &Path) -> Result<(), OpenError> {
    if path.exists() { Ok(()) } else { Err(OpenError::Missing { path: path.to_owned() }) }
}

/// `data.db` lies in `.`, not in the empty path.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder(path))
}

/// SQLite gives its journals the mode of the file, and takes an empty file for a new database.
fn make_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use sqlx::AssertSqlSafe;

    use super::*;

    async fn pragma(connection: &mut SqliteConnection, name: &str) -> String {
        let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.unwrap()
    }

    fn mode_of(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_new_file_is_durable_and_private() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b/rollbook.db");
        let mut database = open(&path, Mode::Create).await.unwrap();
        assert_eq!(pragma(&mut database.writer, "journal_mode").await, "wal");
        assert_eq!(pragma(&mut database.writer, "synchronous").await, "2");
        assert_eq!(pragma(&mut database.writer, "foreign_keys").await, "1");
        database.writer.execute("CREATE TABLE t (a)").await.unwrap();
        assert_eq!(mode_of(&home.path().join("a/b")), 0o700);
        for suffix in ["", "-wal", "-shm"] {
            assert_eq!(mode_of(&home.path().join(format!("a/b/rollbook.db{suffix}"))), 0o600, "{suffix}");
        }
    }

    #[tokio::test]
    async fn a_service_waits_shortly_and_the_command_line_long() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("rollbook.db");
        let waits = async |mode| {
            let mut database = open(&path, mode).await.unwrap();
            let milliseconds: i64 =
                sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(&mut database.writer).await.unwrap();
            milliseconds
        };
        assert_eq!((waits(Mode::Create).await, waits(Mode::Existing).await), (2_000, 30_000));
    }

    #[tokio::test]
    async fn readers_see_what_is_committed_and_cannot_write() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("rollbook.db");
        let mut database = open(&path, Mode::Create).await.unwrap();
        database.writer.execute("CREATE TABLE t (a)").await.unwrap();
        database.writer.execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").await.unwrap();
        let count = "SELECT count(*) FROM t";
        let rows: i64 = sqlx::query_scalar(count).fetch_one(&database.readers).await.unwrap();
        assert_eq!(rows, 0);
        database.writer.execute("COMMIT").await.unwrap();
        let rows: i64 = sqlx::query_scalar(count).fetch_one(&database.readers).await.unwrap();
        assert_eq!(rows, 1);
        database.readers.execute("INSERT INTO t VALUES (2)").await.unwrap_err();
    }

    #[tokio::test]
    async fn a_missing_and_a_damaged_file_are_told_apart() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("rollbook.db");
        assert!(matches!(open(&path, Mode::Existing).await, Err(OpenError::Missing { .. })));
        assert!(matches!(readers(&path), Err(OpenError::Missing { .. })));
        std::fs::write(&path, "this is a shopping list, not a database. ".repeat(100)).unwrap();
        let refused = open(&path, Mode::Existing).await.unwrap_err();
        assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused}");
        assert!(matches!(open(&path, Mode::Create).await, Err(OpenError::Corrupt { .. })));
    }

    #[test]
    fn the_disk_has_some_room() {
        assert!(free_disk_bytes(Path::new("rollbook.db")).unwrap() > 0);
        free_disk_bytes(Path::new("/nowhere/at/all.db")).unwrap_err();
    }
}
