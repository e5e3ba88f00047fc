//! The store against the suite of its port, and what only SQLite can get wrong.

mod plans;
mod processes;
mod refusals;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use rollbook_store::conformance::Harness;
use rollbook_store::{Database, store_conformance};
use rollbook_store_sqlite::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tempfile::TempDir;

struct File {
    folder: TempDir,
    store: SqliteStore,
}

impl File {
    fn path(&self) -> PathBuf {
        self.folder.path().join("rollbook.db")
    }

    /// A stranger's connection.
    async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).foreign_keys(true).connect().await.expect("SQLite")
    }
}

async fn make() -> File {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("rollbook.db")).await.expect("opened");
    store.migrate().await.expect("migrated");
    File { folder, store }
}

#[async_trait]
impl Harness for File {
    fn store(&self) -> Arc<dyn Database> {
        Arc::new(self.store.clone())
    }

    async fn tamper(&self, sql: &str) {
        let mut connection = self.connect().await;
        let triggers: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
            .fetch_all(&mut connection)
            .await
            .expect("SQLite");
        let drops = triggers.iter().fold(String::new(), |drops, name| drops + "DROP TRIGGER " + name + ";");
        let script = format!("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; {drops} {sql}");
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.expect("SQLite");
    }

    async fn attempt(&self, sql: &str) -> Result<(), String> {
        let script = AssertSqlSafe(format!("BEGIN IMMEDIATE; {sql}; COMMIT"));
        let Err(error) = sqlx::raw_sql(script).execute(&mut self.connect().await).await else { return Ok(()) };
        assert_eq!(rollbook_sqlite::fault(&error), rollbook_sqlite::Fault::Constraint, "{sql}: {error}");
        Err(error.to_string())
    }
}

store_conformance!(make);
