//! Which queue and which store a world has: files of its own, or names of its own on real servers.
//!
//! `ROLLBOOK_TEST_BACKENDS` chooses (`sqlite+sqlite`, `sqlite+postgres`, `rabbitmq+sqlite`,
//! `rabbitmq+postgres`; the queue stands first), so that one suite shows the same promises on each.
//! `tests/run` goes through all four.

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rollbook_store::Database;
use rollbook_store_postgres::PostgresStore;
use rollbook_store_sqlite::SqliteStore;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

/// One world's queue and store.
#[derive(Clone, Debug)]
pub struct Backends {
    /// The broker's address, or those of a cluster's nodes with commas between; none is a file.
    pub broker: Option<String>,
    /// The server's address; none is a file.
    pub server: Option<String>,
    /// Of this world alone.
    name: String,
}

#[expect(clippy::disallowed_methods, reason = "the tests are told their servers by the environment")]
fn server(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `tests/run`, or `tests/services run -- cargo nextest run …`")
    })
}

impl Backends {
    /// What the environment asks for.
    #[expect(clippy::disallowed_methods, reason = "the tests are told what to run on by the environment")]
    pub fn of_environment() -> Self {
        let chosen = env::var("ROLLBOOK_TEST_BACKENDS").unwrap_or_else(|_| "sqlite+sqlite".to_owned());
        match chosen.as_str() {
            "sqlite+sqlite" => Self::new(false, false),
            "sqlite+postgres" => Self::new(false, true),
            "rabbitmq+sqlite" => Self::new(true, false),
            "rabbitmq+postgres" => Self::new(true, true),
            other => panic!("ROLLBOOK_TEST_BACKENDS is `{other}`; write one like `rabbitmq+postgres`"),
        }
    }

    /// Files, whatever the environment asks for.
    pub fn embedded() -> Self {
        Self::new(false, false)
    }

    /// Servers, whatever the environment asks for.
    pub fn fleet() -> Self {
        Self::new(true, true)
    }

    /// A queue in a file and a store on a server, whatever the environment asks for.
    pub fn postgres() -> Self {
        Self::new(false, true)
    }

    fn new(broker: bool, postgres: bool) -> Self {
        Self::on(broker.then(|| server("ROLLBOOK_TEST_AMQP")), postgres.then(|| server("ROLLBOOK_TEST_POSTGRES")))
    }

    /// A database and names of its own on these servers.
    pub fn on(broker: Option<String>, server: Option<String>) -> Self {
        let backends = Self { broker, server, name: format!("rollbook_test_{:012x}", fastrand::u64(..1 << 48)) };
        if backends.server.is_some() {
            backends.administer(&format!("CREATE DATABASE {}", backends.name));
        }
        backends
    }

    /// `[queue]` and `[store]`.
    pub fn lines(&self, folder: &Path) -> String {
        let folder = folder.display();
        let queue = self.broker.clone().unwrap_or_else(|| format!("sqlite:{folder}/queue.db"));
        let queue = format!("[\"{}\"]", queue.replace(',', "\", \""));
        let store = self.database().unwrap_or_else(|| format!("sqlite:{folder}/rollbook.db"));
        format!("[queue]\nurl = {queue}\nprefix = \"{}\"\n[store]\nurl = \"{store}\"\n", self.name)
    }

    /// In front of every name at the broker.
    pub fn prefix(&self) -> &str {
        &self.name
    }

    /// The address of this world's database.
    pub fn database(&self) -> Option<String> {
        let server = self.server.as_ref()?;
        let (address, parameters) = server.split_once('?').map_or((server.as_str(), ""), |parts| parts);
        let (host, _) = address.rsplit_once('/').expect("an address of a database");
        let parameters = if parameters.is_empty() { String::new() } else { format!("?{parameters}") };
        Some(format!("{host}/{}{parameters}", self.name))
    }

    /// The records themselves, beside the running service.
    pub async fn open_store(&self, folder: &Path) -> Arc<dyn Database> {
        match self.database() {
            None => Arc::new(SqliteStore::open_existing(&folder.join("rollbook.db")).await.expect("the store opens")),
            Some(url) => {
                let options = rollbook_store_postgres::Options::new(url);
                Arc::new(PostgresStore::connect_existing(&options).await.expect("the store opens"))
            }
        }
    }

    fn administer(&self, sql: &str) {
        let options: PgConnectOptions =
            self.server.as_ref().expect("a server").parse().expect("an address of PostgreSQL");
        apart(async move {
            let mut connection: PgConnection = options.connect().await.expect("PostgreSQL answers");
            connection.execute(sqlx::AssertSqlSafe(sql)).await.expect("the server takes the statement");
            connection.close().await.expect("goodbye");
        });
    }

    /// Removes what this world left on the servers.
    pub fn clear(&self) {
        if self.server.is_some() {
            self.administer(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
        if let Some(broker) = &self.broker {
            let nodes = broker.split(',').map(str::to_owned).collect();
            apart(remove_queues(nodes, self.name.clone()));
        }
    }
}

/// Every queue of the prefix, whatever the schedule made them for.
async fn remove_queues(nodes: Vec<String>, prefix: String) {
    // Nothing is published, so nothing asks.
    let clock = Arc::new(|| jiff::Timestamp::UNIX_EPOCH);
    let levels = [50, 100, 200, 300, 400, 800, 1000, 2000, 4000].map(Duration::from_millis).to_vec();
    let options =
        rollbook_queue_rabbitmq::Options { prefix, levels, ..rollbook_queue_rabbitmq::Options::new(nodes, clock) };
    let names = ["membership", "waiver", rollbook_queue::DEAD_LETTERS].map(Into::into);
    if let Err(error) = rollbook_queue_rabbitmq::remove(&options, &names).await {
        eprintln!("queues of a test stay at the broker: {error}");
    }
}

/// Runs to the end, also where another runtime is under way.
pub fn apart<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(run).join().expect("it ends"))
}
