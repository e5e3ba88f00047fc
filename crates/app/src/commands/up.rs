//! `rollbook up`: all roles in one process.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use rollbook_domain::Processor;
use rollbook_ingest::Ingest;
use rollbook_queue::Queue;
use rollbook_store::{Database, StoreError};
use rollbook_telemetry::Metrics;
use rollbook_worker as worker;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::cli::{Common, UpArgs};
use crate::config::{self, Resolved};
use crate::exit::{Done, FAILED, Failure};
use crate::{ops, wiring};

pub async fn run(common: &Common, args: &UpArgs) -> Done {
    let config = config::load(&common.config, args.insecure).map_err(Failure::usage)?;
    for warning in &config.warnings {
        warn!("{warning}");
    }
    info!(organisation = config.organisation, rules = config.rules_digest, "starting");
    let metrics = Arc::new(Metrics::new(env!("CARGO_PKG_VERSION")).map_err(Failure::failed)?);
    let queue = wiring::open_queue(&config).await?;
    Service { config, metrics, queue, database: Arc::default() }.run().await
}

/// How long the queue may take to close its file.
const CLOSING: Duration = Duration::from_secs(10);

/// How often a store that is away is tried again at the start.
const STORE_AGAIN: Duration = Duration::from_secs(1);

struct Service {
    config: Resolved,
    metrics: Arc<Metrics>,
    queue: Arc<dyn Queue>,
    database: Arc<OnceLock<Arc<dyn Database>>>,
}

impl Service {
    /// Callbacks are taken from the first moment on; whoever needs the store waits for it.
    async fn run(self) -> Done {
        let stop = CancellationToken::new();
        let started = CancellationToken::new();
        let processors = wiring::processors(&self.config);
        let mut tasks = JoinSet::new();
        let mut signals = Signals::new()?;
        let ingest = self.bind_ingest(&processors)?;
        self.start_ops(&mut tasks, &started, &stop).await?;
        run_part(&mut tasks, ingest.run(stop.clone()));
        let opened = tokio::select! {
            opened = self.open_store(&started) => Some(opened),
            () = signals.next() => None,
        };
        let failed = match opened {
            Some(Ok(database)) => {
                self.start_workers(&mut tasks, &database, &processors, &stop);
                None
            }
            Some(Err(failure)) => Some(failure),
            None => None,
        };
        if failed.is_some() || self.database.get().is_none() {
            stop.cancel();
        }
        let done = wait(tasks, signals, stop).await;
        if tokio::time::timeout(CLOSING, self.queue.close()).await.is_err() {
            warn!("the queue did not close in time; what was acknowledged is on the disk all the same");
        }
        info!("stopped");
        failed.map_or(done, Err)
    }

    /// A store that is away or locked is waited for; one that cannot be used is a failure.
    ///
    /// Either way the service has `started` after the first try: callbacks are taken.
    async fn open_store(&self, started: &CancellationToken) -> Result<Arc<dyn Database>, Failure> {
        let mut told = false;
        loop {
            let tried = wiring::open_store(&self.config).await;
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

    fn bind_ingest(&self, processors: &[Arc<dyn Processor>]) -> Result<Ingest, Failure> {
        let routes = wiring::routes(&self.config, processors);
        let random = Arc::new(|| std::array::from_fn(|_| fastrand::u8(..)));
        let ingest = Ingest::bind(
            wiring::ingest_options(&self.config),
            routes,
            self.queue.publisher(),
            Arc::clone(&self.metrics),
            wiring::clock(),
            random,
        );
        ingest.map_err(Failure::failed)
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
            database: Arc::clone(&self.database),
            started: started.clone(),
        };
        let stop = stop.clone();
        tasks.spawn(async move { Ok(ops::serve(listener, ops, stop).await?) });
        Ok(())
    }

    fn start_workers(
        &self,
        tasks: &mut Tasks,
        database: &Arc<dyn Database>,
        processors: &[Arc<dyn Processor>],
        stop: &CancellationToken,
    ) {
        let context = Arc::new(wiring::worker_context(&self.config, processors, Arc::clone(&self.metrics)));
        let (queue, database) = (|| Arc::clone(&self.queue), || Arc::clone(database));
        let (context, stop) = (|| Arc::clone(&context), || stop.clone());
        for processor in processors {
            for _ in 0..self.config.worker.per_processor {
                let processor = Arc::clone(processor);
                run_part(tasks, worker::run_processor(processor, queue(), database(), context(), stop()));
            }
        }
        let queues = wiring::queue_names(&self.config);
        run_part(tasks, worker::run_keeper(queue(), database(), database(), context(), stop()));
        run_part(tasks, worker::run_relay(database(), queue(), context(), stop()));
        run_part(tasks, worker::run_gauges(queue(), database(), queues, context(), stop()));
        run_part(tasks, worker::run_prune(database(), context(), stop()));
    }
}

/// The parts of the service.
type Tasks = JoinSet<anyhow::Result<()>>;

/// A part of the service that runs until it is stopped.
fn run_part(tasks: &mut Tasks, part: impl Future<Output = ()> + Send + 'static) {
    tasks.spawn(async move {
        part.await;
        Ok(())
    });
}

/// SIGTERM, or SIGINT from a terminal.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Until a signal, then until everything in hand is settled. A second signal stops at once: what
/// is unsettled comes again at the next start.
async fn wait(mut tasks: Tasks, mut signals: Signals, stop: CancellationToken) -> Done {
    let mut code = ExitCode::SUCCESS;
    while !tasks.is_empty() {
        tokio::select! {
            () = signals.next() => if asked_twice(&stop) { return Ok(ExitCode::from(FAILED)) },
            Some(ended) = tasks.join_next() => {
                if let Some(problem) = problem(ended, &stop) {
                    tracing::error!("{problem:#}; stopping");
                    code = ExitCode::from(FAILED);
                    stop.cancel();
                }
            }
        }
    }
    Ok(code)
}

fn asked_twice(stop: &CancellationToken) -> bool {
    let again = stop.is_cancelled();
    info!(
        "{}",
        if again { "asked twice: stopping at once" } else { "finishing what is in hand; ask again to stop at once" }
    );
    stop.cancel();
    again
}

/// A loop that ends unasked is a fault, whatever it returned.
fn problem(
    ended: Result<anyhow::Result<()>, tokio::task::JoinError>,
    stop: &CancellationToken,
) -> Option<anyhow::Error> {
    match ended {
        Ok(Ok(())) if stop.is_cancelled() => None,
        Ok(Ok(())) => Some(anyhow::anyhow!("a part of the service ended by itself")),
        Ok(Err(error)) => Some(error),
        Err(panic) => Some(anyhow::Error::new(panic).context("a part of the service panicked")),
    }
}
