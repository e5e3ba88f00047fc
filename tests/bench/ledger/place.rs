//! Where the ledger is measured: a file or a database of its own.

use std::sync::Arc;

use anyhow::Context as _;
use rollbook_store::Ledger;
use rollbook_store_postgres::PostgresStore;
use rollbook_store_sqlite::SqliteStore;
use rollbook_telemetry::Metrics;
use rollbook_teller::{Context, Options, Teller};
use rollbook_tests::Backends;
use tempfile::TempDir;

use super::naive::{NaivePostgres, NaiveSqlite};
use super::{Way, now};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }

    pub fn naive(self) -> &'static str {
        match self {
            Self::Sqlite => "a transaction each, BEGIN IMMEDIATE",
            Self::Postgres => "a transaction each, FOR UPDATE",
        }
    }
}

pub enum Place {
    Sqlite { folder: TempDir, store: SqliteStore },
    Postgres { backends: Backends, store: PostgresStore },
}

impl Place {
    pub async fn open(kind: Kind) -> anyhow::Result<Self> {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::Builder::new().prefix("rollbook-bench-").tempdir()?;
                let store = SqliteStore::open(&folder.path().join("rollbook.db")).await?;
                store.migrate().await?;
                Ok(Self::Sqlite { folder, store })
            }
            Kind::Postgres => {
                let backends = tokio::task::spawn_blocking(Backends::postgres).await?;
                let url = backends.database().context("a database")?;
                let store = PostgresStore::connect(&rollbook_store_postgres::Options::new(url))?;
                store.migrate().await?;
                Ok(Self::Postgres { backends, store })
            }
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite { .. } => Kind::Sqlite,
            Self::Postgres { .. } => Kind::Postgres,
        }
    }

    pub fn ledger(&self) -> Arc<dyn Ledger> {
        match self {
            Self::Sqlite { store, .. } => Arc::new(store.clone()),
            Self::Postgres { store, .. } => Arc::new(store.clone()),
        }
    }

    pub fn teller(&self, metrics: &Arc<Metrics>) -> Teller {
        let metrics = Arc::clone(metrics);
        let context = Context { clock: Arc::new(now), random: Arc::new(|| fastrand::u64(..)), metrics };
        Teller::new(self.ledger(), context, Options::default())
    }

    pub async fn naive(&self) -> anyhow::Result<Arc<dyn Way>> {
        Ok(match self {
            Self::Sqlite { folder, .. } => Arc::new(NaiveSqlite::open(&folder.path().join("rollbook.db")).await?),
            Self::Postgres { backends, .. } => {
                Arc::new(NaivePostgres::connect(&backends.database().context("a database")?).await?)
            }
        })
    }

    pub async fn close(self) -> anyhow::Result<()> {
        if let Self::Postgres { backends, store } = self {
            store.close().await;
            tokio::task::spawn_blocking(move || backends.clear()).await?;
        }
        Ok(())
    }
}
