//! What a failed statement means to the caller.

/// Named by what the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Locked by another process, a read or write error, no connection: try again later.
    Unavailable,
    /// No room on the disk: nothing was written, deletions may still work.
    Full,
    /// A key, a reference, a check or a trigger said no: the row is at fault. `sqlx`'s
    /// `is_unique_violation` and its like tell which.
    Constraint,
    /// The file is damaged or is no database: an operator must look.
    Corrupt,
    /// A mistake in the program.
    Other,
}

/// Judges by SQLite's primary result code (<https://www.sqlite.org/rescode.html>), the low byte of
/// the extended one.
pub fn fault(error: &sqlx::Error) -> Fault {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<i32>().ok());
            by_code(code.unwrap_or_default() & 0xff)
        }
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => Fault::Full,
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Fault::Unavailable
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Fault::Corrupt,
        _ => Fault::Other,
    }
}

fn by_code(primary: i32) -> Fault {
    const PERM: i32 = 3;
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const NOMEM: i32 = 7;
    const READONLY: i32 = 8;
    const INTERRUPT: i32 = 9;
    const IOERR: i32 = 10;
    const CORRUPT: i32 = 11;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const PROTOCOL: i32 = 15;
    const CONSTRAINT: i32 = 19;
    const NOTADB: i32 = 26;
    match primary {
        PERM | BUSY | LOCKED | NOMEM | READONLY | INTERRUPT | IOERR | CANTOPEN | PROTOCOL => Fault::Unavailable,
        FULL => Fault::Full,
        CONSTRAINT => Fault::Constraint,
        CORRUPT | NOTADB => Fault::Corrupt,
        _ => Fault::Other,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

    use super::*;

    async fn fails(connection: &mut SqliteConnection, sql: &str) -> Fault {
        fault(&sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap_err())
    }

    #[tokio::test]
    async fn real_errors_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut one = crate::open(&path, crate::Mode::Create).await.unwrap();
        sqlx::raw_sql("CREATE TABLE t (a INTEGER UNIQUE CHECK (a > 0)); INSERT INTO t VALUES (1)")
            .execute(&mut one.writer)
            .await
            .unwrap();
        assert_eq!(fails(&mut one.writer, "INSERT INTO t VALUES (1)").await, Fault::Constraint);
        assert_eq!(fails(&mut one.writer, "INSERT INTO t VALUES (0)").await, Fault::Constraint);
        assert_eq!(fails(&mut one.writer, "INSERT INTO nowhere VALUES (0)").await, Fault::Other);

        let mut two = SqliteConnection::connect(path.to_str().unwrap()).await.unwrap();
        sqlx::raw_sql("PRAGMA busy_timeout = 1").execute(&mut two).await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut one.writer).await.unwrap();
        assert_eq!(fails(&mut two, "BEGIN IMMEDIATE").await, Fault::Unavailable);
        sqlx::raw_sql("ROLLBACK").execute(&mut one.writer).await.unwrap();

        sqlx::raw_sql("PRAGMA max_page_count = 3").execute(&mut one.writer).await.unwrap();
        let many = "INSERT INTO t WITH RECURSIVE n (a) AS (VALUES (2) UNION ALL SELECT a + 1 FROM n WHERE a < 99999) \
                    SELECT a FROM n";
        assert_eq!(fails(&mut one.writer, many).await, Fault::Full);
    }
}
