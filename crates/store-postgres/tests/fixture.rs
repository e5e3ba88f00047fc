//! A fresh database for each case, on the server that `ROLLBOOK_TEST_POSTGRES` names.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};

/// A database of its own. It is dropped with this.
pub struct Fresh {
    server: PgConnectOptions,
    pub name: String,
    pub url: String,
}

fn server_url() -> String {
    #[expect(clippy::disallowed_methods, reason = "tests have nobody else to ask where the server is")]
    let url = std::env::var("ROLLBOOK_TEST_POSTGRES");
    url.expect("this test needs a PostgreSQL server: run it under `tests/services run postgres -- CMD…`")
}

impl Fresh {
    pub async fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let url = server_url();
        let server: PgConnectOptions = url.parse().expect("ROLLBOOK_TEST_POSTGRES is a PostgreSQL URL");
        let name = format!("rollbook_test_{}_{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let (before, after) = url.split_once('?').unwrap_or((&url, ""));
        let (host, _) = before.rsplit_once('/').expect("the URL names a database");
        let fresh = Self { url: format!("{host}/{name}?{after}"), server, name };
        let mut connection = fresh.server.connect().await.expect("ROLLBOOK_TEST_POSTGRES answers");
        // Left by a killed run with the same process number.
        fresh.say(&mut connection, "DROP DATABASE IF EXISTS", "WITH (FORCE)").await.expect("dropped");
        fresh.say(&mut connection, "CREATE DATABASE", "TEMPLATE template0").await.expect("created");
        fresh
    }

    async fn say(&self, connection: &mut PgConnection, before: &str, after: &str) -> Result<(), sqlx::Error> {
        let sql = format!("{before} {} {after}", self.name);
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
    }

    /// A stranger's connection.
    pub async fn connect(&self) -> PgConnection {
        self.server.clone().database(&self.name).connect().await.expect("a connection")
    }

    fn drop_it(&self) -> Result<(), sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut connection = self.server.connect().await?;
            self.say(&mut connection, "DROP DATABASE IF EXISTS", "WITH (FORCE)").await?;
            connection.close().await
        })
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // On a thread of its own: a test's runtime cannot wait inside a drop.
        let dropped = std::thread::scope(|scope| scope.spawn(|| self.drop_it()).join());
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("{} was left behind", self.name);
        }
    }
}
