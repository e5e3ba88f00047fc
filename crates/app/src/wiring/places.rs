//! Which adapter an address means. Whoever asks gets the port and never learns which one it was.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use rollbook_domain::ProcessorName;
use rollbook_queue::{Queue, QueueDepth};
use rollbook_queue_rabbitmq::RabbitQueue;
use rollbook_queue_sqlite::{SqliteFiles, SqliteQueue};
use rollbook_spool::Spool;
use rollbook_store::{Database, StoreError};
use rollbook_store_postgres::PostgresStore;
use rollbook_store_sqlite::SqliteStore;
use rollbook_telemetry::Metrics;

use super::{clock, queue_names, unattended};
use crate::config::{QueuePlace, Resolved, StorePlace, Url};
use crate::exit::Failure;

/// A store whose schema may still be wrong.
pub enum Opened {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

/// Connections that a process needs beside one a worker: keeper, relay, gauges, prune, reporter, the sweep
/// and the probe.
const CONNECTIONS_BESIDE: u32 = 7;

impl Opened {
    /// Makes a file that is missing. A server need not be there yet.
    pub async fn open(config: &Resolved) -> Result<Self, StoreError> {
        match &config.store {
            StorePlace::Sqlite(file) => Ok(Self::Sqlite(SqliteStore::open(file).await?)),
            StorePlace::Postgres(url) => Ok(Self::Postgres(PostgresStore::connect(&postgres(config, url))?)),
        }
    }

    /// Makes nothing, and takes any schema.
    pub async fn unchecked(config: &Resolved) -> Result<Self, StoreError> {
        match &config.store {
            StorePlace::Sqlite(file) => Ok(Self::Sqlite(SqliteStore::open_unchecked(file).await?)),
            StorePlace::Postgres(_) => Self::open(config).await,
        }
    }

    pub async fn migrate(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.migrate().await,
            Self::Postgres(store) => store.migrate().await,
        }
    }

    /// The names of what `migrate` would apply.
    pub async fn pending(&self) -> Result<Vec<&'static str>, StoreError> {
        match self {
            Self::Sqlite(store) => store.pending().await,
            Self::Postgres(store) => store.pending().await,
        }
    }

    /// A schema of another version is an error that names the command to run.
    pub async fn checked(self) -> Result<Arc<dyn Database>, StoreError> {
        match self {
            Self::Sqlite(store) => {
                store.check_schema().await?;
                Ok(Arc::new(store))
            }
            Self::Postgres(store) => {
                store.check_schema().await?;
                Ok(Arc::new(store))
            }
        }
    }
}

/// How this configuration uses the server at `url`.
pub fn postgres(config: &Resolved, url: &Url) -> rollbook_store_postgres::Options {
    let workers = super::processors(config).len() * config.worker.per_processor;
    rollbook_store_postgres::Options {
        max_connections: CONNECTIONS_BESIDE + u32::try_from(workers).unwrap_or(u32::MAX - CONNECTIONS_BESIDE),
        ..rollbook_store_postgres::Options::new(url.expose())
    }
}

/// For the command line: a file must be there, a server must answer, and the schema must be ours.
pub async fn open_existing_store(config: &Resolved) -> Result<Arc<dyn Database>, Failure> {
    match &config.store {
        StorePlace::Sqlite(file) => Ok(Arc::new(SqliteStore::open_existing(file).await.map_err(Failure::failed)?)),
        StorePlace::Postgres(url) => {
            let store = PostgresStore::connect_existing(&postgres(config, url)).await.map_err(Failure::failed)?;
            Ok(Arc::new(store))
        }
    }
}

/// For a service; one that `works` makes the queues it drains. A broker that is away is no error: it
/// is waited for.
pub async fn open_queue(config: &Resolved, works: bool) -> Result<Arc<dyn Queue>, Failure> {
    match &config.queue {
        QueuePlace::Sqlite(path) => {
            let options = rollbook_queue_sqlite::Options {
                path: path.clone(),
                min_free_disk_bytes: config.min_free_disk_bytes,
                clock: clock(),
            };
            let queue = SqliteQueue::open(options).await.map_err(Failure::failed)?;
            Ok(queue)
        }
        QueuePlace::Rabbit { .. } => {
            let queue = connect(config).await?;
            if works && let Err(error) = queue.declare(&queue_names(config)).await {
                tracing::warn!(%error, "the queues are not as they must be; trying until they are");
            }
            Ok(queue)
        }
    }
}

/// Batches that a consumer may hold: one being decided, one on its way, one in hand.
const BATCHES_AHEAD: usize = 3;

/// The most that a quorum queue hands out.
const MOST_PREFETCH: usize = 2_000;

/// How the broker of this configuration is reached.
pub fn broker(config: &Resolved) -> Result<rollbook_queue_rabbitmq::Options, Failure> {
    let QueuePlace::Rabbit { nodes, prefix } = &config.queue else {
        return Err(anyhow::anyhow!("the queue is a file, not a broker").into());
    };
    let urls = nodes.iter().map(|node| node.expose().to_owned()).collect();
    Ok(rollbook_queue_rabbitmq::Options {
        prefix: prefix.clone(),
        levels: config.retry.clone(),
        prefetch: u16::try_from((config.worker.batch * BATCHES_AHEAD).min(MOST_PREFETCH)).unwrap_or(u16::MAX),
        ..rollbook_queue_rabbitmq::Options::new(urls, clock())
    })
}

async fn connect(config: &Resolved) -> Result<Arc<RabbitQueue>, Failure> {
    RabbitQueue::connect(broker(config)?).await.context("queue.url").map_err(Failure::usage)
}

/// Where callbacks wait while the broker is away. The embedded queue is a file already and needs none.
pub async fn open_spool(
    config: &Resolved,
    queue: &dyn Queue,
    metrics: &Metrics,
) -> Result<Option<Arc<Spool>>, Failure> {
    if config.queue.file().is_some() {
        return Ok(None);
    }
    let options = rollbook_spool::Options {
        max_bytes: config.spool.max_bytes,
        ..rollbook_spool::Options::new(config.spool.path.clone(), metrics.spool_depth.clone())
    };
    let spool = Spool::open(options, Arc::new(spool_files(config)), queue.publisher()).await;
    Ok(Some(spool.map_err(Failure::failed)?))
}

/// Callbacks in this host's spool.
pub async fn spooled(config: &Resolved) -> Result<u64, Failure> {
    if config.queue.file().is_some() {
        return Ok(0);
    }
    rollbook_spool::inspect(&config.spool.path, &spool_files(config)).await.map_err(Failure::failed)
}

fn spool_files(config: &Resolved) -> SqliteFiles {
    SqliteFiles { min_free_disk_bytes: config.min_free_disk_bytes, clock: clock() }
}

/// The queue, for those who only look, beside a running service.
pub enum Waiting {
    File(PathBuf),
    Broker(Arc<RabbitQueue>),
}

impl Waiting {
    pub async fn open(config: &Resolved) -> Result<Self, Failure> {
        match &config.queue {
            QueuePlace::Sqlite(file) => Ok(Self::File(file.clone())),
            QueuePlace::Rabbit { .. } => connect(config).await.map(Self::Broker),
        }
    }

    /// Whether the queue itself knows what workers hold. A broker tells only what is ready.
    pub fn knows_in_flight(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// One entry a queue that a worker drains, and one for what found no queue where that can happen.
    pub async fn depths(&self, config: &Resolved) -> Result<Vec<QueueDepth>, Failure> {
        let mut names = queue_names(config);
        if let Self::Broker(_) = self {
            names.push(rollbook_queue_rabbitmq::UNROUTED.into());
        }
        self.of(&names).await
    }

    /// The queues in which something waits, and that nobody drains with this configuration.
    pub async fn unattended(&self, config: &Resolved) -> Result<Vec<QueueDepth>, Failure> {
        let mut depths = self.of(&unattended(config)).await?;
        depths.retain(|queue| queue.ready + queue.in_flight + queue.retrying > 0);
        Ok(depths)
    }

    async fn of(&self, names: &[ProcessorName]) -> Result<Vec<QueueDepth>, Failure> {
        match self {
            Self::Broker(queue) => queue.depths(names).await.map_err(Failure::failed),
            Self::File(file) => SqliteQueue::inspect(file, names, &clock()).await.map_err(Failure::failed),
        }
    }
}

/// A server by its address alone, whatever is in it.
pub fn server(url: &str) -> Result<PostgresStore, Failure> {
    PostgresStore::connect(&rollbook_store_postgres::Options::new(url)).map_err(Failure::usage)
}

/// Deletes this configuration's queues at the broker, and what is in them.
pub async fn remove_queues(config: &Resolved) -> Result<(), Failure> {
    rollbook_queue_rabbitmq::remove(&broker(config)?, &queue_names(config)).await.map_err(Failure::failed)
}
