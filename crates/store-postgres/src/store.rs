//! The pool of connections, and the transactions it gives.

use std::str::FromStr as _;
use std::time::Duration;

use async_trait::async_trait;
use rollbook_store::{Store, StoreError, Tx};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool, Postgres, Row as _, Transaction};

use crate::fault::store_error;
use crate::migrate::{self, MIGRATIONS};
use crate::options::Options;
use crate::patience::Patience;
use crate::row::Row;
use crate::statements::{Query, execute, fetch, sql};
use crate::tx::PostgresTx;

/// The longest wait for a connection, a free one or a new one.
const ACQUIRE: Duration = Duration::from_secs(5);

/// The longest wait for a connection to answer when it is given back.
const RELEASE: Duration = Duration::from_secs(5);

/// The advisory lock of rule 3: "dead" and "letr", so that no other application uses it by chance.
pub const DEAD_LETTERS: i64 = 0x6465_6164_6c65_7472;

/// The store on a server. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) pool: PgPool,
    pub(crate) patience: Patience,
}

impl PostgresStore {
    /// Needs a runtime but no server: connections are made when they are wanted, because every role
    /// starts with the database away. A URL that cannot be one is `Schema`, without the URL. The
    /// schema is left as it is: [`Self::migrate`] or [`Self::check_schema`] comes next.
    pub fn connect(options: &Options) -> Result<Self, StoreError> {
        let server = PgConnectOptions::from_str(&options.url)
            .map_err(|error| StoreError::Schema(format!("store.url is no PostgreSQL URL: {error}")))?
            .application_name("rollbook")
            .disable_statement_logging();
        let (statement, lock) = (options.statement_timeout, options.lock_timeout);
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .acquire_timeout(ACQUIRE)
            .after_connect(move |connection, _| Box::pin(set_up(connection, statement, lock)))
            .after_release(|connection, _| Box::pin(still_answers(connection)))
            .connect_lazy_with(server);
        Ok(Self { pool, patience: Patience::for_statements_of(statement) })
    }

    /// For the command line: a server that is away and a schema that this binary was not made for
    /// are errors at once. Works beside a running service.
    pub async fn connect_existing(options: &Options) -> Result<Self, StoreError> {
        let store = Self::connect(options)?;
        store.check_schema().await?;
        Ok(store)
    }

    /// Applies the missing migrations. Safe to run from many processes at once: one migrates, the
    /// others wait and find nothing to do.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = self.transaction().await?;
        migrate::migrate(&mut transaction, MIGRATIONS).await?;
        transaction.commit().await.map_err(store_error)
    }

    /// The names of the migrations that [`Self::migrate`] would apply. A schema that is newer than
    /// this binary is `Schema`.
    pub async fn pending(&self) -> Result<Vec<&'static str>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(store_error)?;
        self.patience.with(migrate::pending(&mut connection)).await
    }

    /// `Schema`, with what to run, unless the schema is the one that this binary was made for.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let mut connection = self.pool.acquire().await.map_err(store_error)?;
        self.patience.with(migrate::check(&mut connection)).await
    }

    /// Ends all connections, those of clones too; waits for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn transaction(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.pool.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await.map_err(store_error)
    }

    /// A transaction that nobody's dead letters or commits run beside.
    pub(crate) async fn begin_alone(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut transaction = self.transaction().await?;
        execute(&mut transaction, sqlx::query(sql!("dead_letters_alone")).bind(DEAD_LETTERS)).await?;
        Ok(transaction)
    }

    /// One statement by itself.
    pub(crate) async fn ask(&self, query: Query) -> Result<Vec<Row>, StoreError> {
        let call = async {
            let mut connection = self.pool.acquire().await.map_err(store_error)?;
            fetch(&mut connection, query).await
        };
        self.patience.with(call).await
    }

    /// One statement that counts.
    pub(crate) async fn number(&self, sql: &'static str) -> Result<u64, StoreError> {
        let rows = self.ask(sqlx::query(sql)).await?;
        let number = rows.first().map_or(Ok(0), |row| row.0.try_get::<i64, _>(0)).map_err(store_error)?;
        Ok(number.unsigned_abs())
    }
}

pub(crate) async fn set_up(
    connection: &mut PgConnection,
    statement: Duration,
    lock: Duration,
) -> Result<(), sqlx::Error> {
    let milliseconds = |limit: Duration| limit.as_millis().to_string();
    let query = sqlx::query(sql!("session")).bind(milliseconds(statement)).bind(milliseconds(lock));
    query.execute(connection).await.map(drop)
}

/// Also sends the rollback of a transaction that was dropped. An error closes the connection.
async fn still_answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(RELEASE, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn begin(&self) -> Result<Box<dyn Tx>, StoreError> {
        let transaction = self.patience.with(self.transaction()).await?;
        Ok(Box::new(PostgresTx::new(transaction, self.patience)))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            execute(&mut transaction, sqlx::query(sql!("probe"))).await?;
            transaction.commit().await.map_err(store_error)
        };
        self.patience.with(call).await
    }
}
