//! `rollbook up`, `ingest` and `work`: the roles, in one process or in many.
//!
//! All start with broker and database away. Ingest never needs the database; workers wait for it.

mod notify;
mod parts;
mod stop;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use rollbook_domain::Processor;
use rollbook_ingest::Ingest;
use rollbook_queue::{Publisher, Queue};
use rollbook_spool::Spool;
use rollbook_store::{Database, StoreError, WorkerId};
use rollbook_telemetry::Metrics;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use self::stop::Signals;
use crate::cli::{Common, UpArgs, WorkArgs};
use crate::config::{self, QueuePlace, Resolved};
use crate::exit::{Done, Failure};
use crate::wiring::places::{self, Opened};
use crate::{ops, wiring};

/// What this process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Everything. Migrates the store.
    Up,
    Ingest,
    Work,
}

impl Role {
    fn takes_callbacks(self) -> bool {
        self != Self::Work
    }

    fn works(self) -> bool {
        self != Self::Ingest
    }

    fn command(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Ingest => "ingest",
            Self::Work => "work",
        }
    }
}

pub async fn up(common: &Common, args: &UpArgs) -> Done {
    let config = config::load(&common.config, args.insecure).map_err(Failure::usage)?;
    let processors = wiring::processors(&config);
    start(config, Role::Up, processors).await
}

pub async fn ingest(common: &Common, args: &UpArgs) -> Done {
    let config = config::load(&common.config, args.insecure).map_err(Failure::usage)?;
    start(config, Role::Ingest, Vec::new()).await
}

/// Needs no secret: what it takes from the queue was verified before it went there.
pub async fn work(common: &Common, args: &WorkArgs) -> Done {
    let config = config::load_for_reading(&common.config).map_err(Failure::usage)?;
    let processors = only(wiring::processors(&config), &args.only)?;
    start(config, Role::Work, processors).await
}

/// The processors of these names; all when none is named.
fn only(all: Vec<Arc<dyn Processor>>, names: &[String]) -> Result<Vec<Arc<dyn Processor>>, Failure> {
    let known: Vec<&str> = all.iter().map(|processor| processor.name()).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let known = known.join(", ");
        return Err(Failure::usage(anyhow::anyhow!("there is no processor `{unknown}`; there are: {known}")));
    }
    let chosen = |processor: &Arc<dyn Processor>| names.is_empty() || names.iter().any(|name| name == processor.name());
    Ok(all.into_iter().filter(chosen).collect())
}

async fn start(config: Resolved, role: Role, processors: Vec<Arc<dyn Processor>>) -> Done {
    if role != Role::Up && matches!(config.queue, QueuePlace::Sqlite(_)) {
        let sentence =
            "needs a broker between the processes: `queue.url` is a file, with which only `rollbook up` runs";
        return Err(Failure::usage(anyhow::anyhow!("`rollbook {}` {sentence}", role.command())));
    }
    for warning in &config.warnings {
        warn!("{warning}");
    }
    info!(role = role.command(), organisation = config.organisation, rules = config.rules_digest, "starting");
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")).map_err(Failure::failed)?);
    let queue = places::open_queue(&config, role.works()).await?;
    let spool = if role.takes_callbacks() { places::open_spool(&config, &*queue, &metrics).await? } else { None };
    Service { config, role, processors, metrics, queue, spool, database: Arc::default() }.run().await
}

/// How long the queue may take to close its file.
const CLOSING: Duration = Duration::from_secs(10);

/// How often a store that is away is tried again at the start.
const STORE_AGAIN: Duration = Duration::from_secs(1);

/// The parts of the service.
type Tasks = JoinSet<anyhow::Result<()>>;

struct Service {
    config: Resolved,
    role: Role,
    /// Those that this process runs.
    processors: Vec<Arc<dyn Processor>>,
    metrics: Arc<Metrics>,
    queue: Arc<dyn Queue>,
    /// In front of a broker.
    spool: Option<Arc<Spool>>,
    database: Arc<OnceLock<Arc<dyn Database>>>,
}

impl Service {
    /// Callbacks are taken from the first moment on; whoever needs the store waits for it.
    async fn run(self) -> Done {
        let stop = CancellationToken::new();
        let started = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let mut signals = Signals::new()?;
        notify::follow(started.clone(), stop.clone());
        self.start_ops(&mut tasks, &started, &stop).await?;
        if let Some(spool) = &self.spool {
            let (spool, stop) = (Arc::clone(spool), stop.clone());
            run_part(&mut tasks, async move { spool.drain(stop).await });
        }
        if self.role.takes_callbacks() {
            run_part(&mut tasks, self.bind_ingest()?.run(stop.clone()));
        }
        let worked = tokio::select! {
            worked = self.start_work(&mut tasks, &started, &stop) => worked,
            () = signals.next() => {
                stop.cancel();
                Ok(())
            }
        };
        if worked.is_err() {
            stop.cancel();
        }
        let done = stop::wait(tasks, signals, stop).await;
        if let Some(spool) = &self.spool {
            spool.close().await;
        }
        if tokio::time::timeout(CLOSING, self.queue.close()).await.is_err() {
            warn!("the queue did not close in time; what was acknowledged is on the disk all the same");
        }
        info!("stopped");
        worked.and(done)
    }

    /// Opens the store and starts the workers, for a role that has any.
    async fn start_work(
        &self,
        tasks: &mut Tasks,
        started: &CancellationToken,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        if !self.role.works() {
            started.cancel();
            return Ok(());
        }
        let database = self.open_store(started).await?;
        let id = worker_id(&self.config)?;
        // What a process of this name told before it was killed: its deliveries are back in the queue.
        if let Err(error) = database.goodbye(id).await {
            warn!(%error, "what an earlier process said of itself stays for a while");
        }
        self.start_workers(tasks, &database, id, stop);
        Ok(())
    }

    /// A store that is away or locked is waited for; one that cannot be used is a failure.
    ///
    /// Either way the service has `started` after the first try: callbacks are taken.
    async fn open_store(&self, started: &CancellationToken) -> Result<Arc<dyn Database>, Failure> {
        let mut told = false;
        loop {
            let tried = self.try_store().await;
            started.cancel();
            match tried {
                Ok(database) => {
                    let _ = self.database.set(Arc::clone(&database));
                    return Ok(database);
                }
                Err(StoreError::Unavailable(source)) => {
                    if !std::mem::replace(&mut told, true) {
                        warn!(%source, "the store cannot be opened yet; callbacks are queued until it can");
                    }
                    tokio::time::sleep(STORE_AGAIN).await;
                }
                Err(other) => return Err(other.into()),
            }
        }
    }

    /// In a fleet, `rollbook migrate` changes the schema and workers only check it: the old ones are
    /// still running when the first new one starts.
    async fn try_store(&self) -> Result<Arc<dyn Database>, StoreError> {
        let opened = Opened::open(&self.config).await?;
        if self.role == Role::Up {
            opened.migrate().await?;
        }
        opened.checked().await
    }

    fn bind_ingest(&self) -> Result<Ingest, Failure> {
        let routes = wiring::routes(&self.config, &wiring::processors(&self.config));
        let random = Arc::new(|| std::array::from_fn(|_| fastrand::u8(..)));
        let ingest = Ingest::bind(
            wiring::ingest_options(&self.config),
            routes,
            self.publisher(),
            Arc::clone(&self.metrics),
            wiring::clock(),
            random,
        );
        ingest.map_err(Failure::failed)
    }

    fn publisher(&self) -> Arc<dyn Publisher> {
        match &self.spool {
            Some(spool) => Arc::clone(spool) as Arc<dyn Publisher>,
            None => self.queue.publisher(),
        }
    }

    async fn start_ops(
        &self,
        tasks: &mut Tasks,
        started: &CancellationToken,
        stop: &CancellationToken,
    ) -> Result<(), Failure> {
        let listen = self.config.ops;
        let listener = ops::bind(listen).await.with_context(|| format!("cannot listen on {listen} ([ops] listen)"))?;
        info!(address = %listen, "health and metrics");
        let ops = ops::Ops {
            metrics: Arc::clone(&self.metrics),
            database: self.role.works().then(|| Arc::clone(&self.database)),
            queue: Arc::clone(&self.queue),
            spool: self.spool.clone(),
            started: started.clone(),
        };
        let stop = stop.clone();
        tasks.spawn(async move { Ok(ops::serve(listener, ops, stop).await?) });
        Ok(())
    }
}

/// The same after a restart, so that a killed worker's figures do not outlive its successor's start.
fn worker_id(config: &Resolved) -> Result<WorkerId, Failure> {
    if config.ops.port() == 0 {
        return Ok(WorkerId::random(wiring::random()?));
    }
    let host = rustix::system::uname();
    let name = format!("{}/{}", host.nodename().to_string_lossy(), config.ops);
    Ok(WorkerId(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes())))
}

/// A part of the service that runs until it is stopped.
fn run_part(tasks: &mut Tasks, part: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        part.await;
        Ok(())
    });
}
