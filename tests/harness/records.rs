//! A fresh store without a service: for what libraries do with it.

use std::sync::Arc;

use rollbook_store::Database;
use rollbook_store_postgres::PostgresStore;
use rollbook_store_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::backends::Backends;

/// Empty records in a folder or database of their own, where the environment asks for it. Dropping
/// them removes it.
pub struct Records {
    pub store: Arc<dyn Database>,
    backends: Backends,
    _folder: TempDir,
}

impl Records {
    pub async fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("rollbook-test-").tempdir().expect("a temporary folder");
        let backends = Backends::of_environment();
        let store: Arc<dyn Database> = if let Some(url) = backends.database() {
            let store = PostgresStore::connect(&rollbook_store_postgres::Options::new(url)).expect("an address");
            store.migrate().await.expect("migrated");
            Arc::new(store)
        } else {
            let store = SqliteStore::open(&folder.path().join("rollbook.db")).await.expect("the store opens");
            store.migrate().await.expect("migrated");
            Arc::new(store)
        };
        Self { store, backends, _folder: folder }
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        self.backends.clear();
    }
}
