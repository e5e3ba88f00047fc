//! The service under load: the release binary, as processes of their own.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use rollbook_tests::{Backends, Fleet, Options, Process};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Executor as _};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The two sizes that Rollbook comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Embedded,
    Fleet,
}

impl Size {
    pub fn describe(self) -> &'static str {
        match self {
            Self::Embedded => "embedded size: one process, SQLite queue and store",
            Self::Fleet => "fleet size: one ingest and one worker process, RabbitMQ and PostgreSQL",
        }
    }
}

pub enum Service {
    Embedded { up: Box<Process>, folder: TempDir, earning: bool },
    Fleet { fleet: Box<Fleet>, earning: bool },
}

/// Each payment earns under a cap, and so does each person for having registered.
const EARNING: &str = "[points]\nexpire_after = \"24 months\"\n\
    [[points.earn]]\non = \"payment_captured\"\nper_unit = 1\nmax_per_member = { points = 500, every = \"1 month\" }\n\
    [[points.earn]]\non = \"member_registered\"\naward = 100\n";

/// Nothing is applied until [`Service::let_go`].
pub enum Held {
    Store { _connection: SqliteConnection },
    WorkersStopped,
}

impl Service {
    /// With so many consumers a processor; 0 is what the configuration would choose.
    pub async fn start(size: Size, per_processor: usize, earning: bool) -> anyhow::Result<Self> {
        Ok(tokio::task::spawn_blocking(move || Self::start_blocking(size, per_processor, earning)).await??)
    }

    fn start_blocking(size: Size, per_processor: usize, earning: bool) -> std::io::Result<Self> {
        let consumers = format!("[worker]\nper_processor = {per_processor}\n");
        let mut extra = if per_processor == 0 { String::new() } else { consumers };
        extra.push_str(if earning { EARNING } else { "" });
        let options = Options { extra, ..Options::default() };
        match size {
            Size::Embedded => {
                let folder = tempfile::Builder::new().prefix("rollbook-bench-").tempdir()?;
                let mut up = Process::new("up", folder.path(), &Backends::embedded(), &options);
                up.start_quietly();
                Ok(Self::Embedded { up: Box::new(up), folder, earning })
            }
            Size::Fleet => {
                let mut fleet = Fleet::new(Backends::fleet(), (1, 1), &options);
                fleet.workers.iter_mut().chain(&mut fleet.ingests).for_each(Process::start_quietly);
                Ok(Self::Fleet { fleet: Box::new(fleet), earning })
            }
        }
    }

    /// Of the listener.
    pub fn port(&self) -> u16 {
        match self {
            Self::Embedded { up, .. } => up.port(),
            Self::Fleet { fleet, .. } => fleet.ingests[0].port(),
        }
    }

    fn processes(&self) -> Vec<(&'static str, &Process)> {
        match self {
            Self::Embedded { up, .. } => vec![("up", up)],
            Self::Fleet { fleet, .. } => {
                let ingests = fleet.ingests.iter().map(|process| ("ingest", process));
                ingests.chain(fleet.workers.iter().map(|process| ("work", process))).collect()
            }
        }
    }

    pub async fn hold_back(&mut self) -> anyhow::Result<Held> {
        match self {
            Self::Embedded { folder, .. } => {
                let store = SqliteConnectOptions::new().filename(folder.path().join("rollbook.db"));
                let mut connection = store.connect().await?;
                connection.execute("BEGIN IMMEDIATE").await?;
                Ok(Held::Store { _connection: connection })
            }
            Self::Fleet { fleet, .. } => {
                for worker in &mut fleet.workers {
                    ensure!(worker.stop() == Some(0), "a worker did not stop well");
                }
                Ok(Held::WorkersStopped)
            }
        }
    }

    pub fn let_go(&mut self, held: Held) {
        drop(held);
        if let Self::Fleet { fleet, .. } = self {
            // It blocks for the moment that a start takes, and nothing else is under way.
            fleet.workers.iter_mut().for_each(Process::start_quietly);
        }
    }

    /// Until the workers have counted so many applied payments of new people since they started, and
    /// where points are earned what those and the people earned.
    pub async fn wait_applied(&self, count: usize) -> anyhow::Result<()> {
        let (Self::Embedded { earning, .. } | Self::Fleet { earning, .. }) = self;
        let due = [("membership", count), ("points", if *earning { 2 * count } else { 0 })];
        let deadline = Instant::now() + Duration::from_mins(10);
        loop {
            let left =
                due.map(|(name, due)| (name, self.applied(name), due)).into_iter().find(|(_, done, due)| done < due);
            let Some((name, applied, due)) = left else { return Ok(()) };
            ensure!(Instant::now() < deadline, "{name}: {applied} of {due} after ten minutes");
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn applied(&self, processor: &str) -> usize {
        self.processes().iter().map(|(_, process)| applied(process, processor)).sum()
    }

    /// The most that each process has held so far, in megabytes of 10^6 bytes.
    pub fn print_memory(&self) -> anyhow::Result<()> {
        for (role, process) in self.processes() {
            crate::row(&format!("peak memory of `{role}`"), peak_memory_mb(process)?, "MB");
        }
        Ok(())
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        tokio::task::spawn_blocking(move || match self {
            Self::Embedded { mut up, .. } => {
                ensure!(up.stop() == Some(0), "the service did not stop well");
                Ok(())
            }
            Self::Fleet { mut fleet, .. } => {
                fleet.stop();
                fleet.backends().clear();
                Ok(())
            }
        })
        .await?
    }
}

fn applied(process: &Process, processor: &str) -> usize {
    let (_, text) = process.ops_get("/metrics");
    let metric = format!("rollbook_event_outcomes_total{{outcome=\"applied\",processor=\"{processor}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&metric));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

fn peak_memory_mb(process: &Process) -> anyhow::Result<f64> {
    let Some(pid) = process.pid() else { return Ok(0.0) };
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
