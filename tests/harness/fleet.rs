//! Many processes over one broker and one database, as a large organisation runs them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_store::Database;
use serde_json::Value;
use tempfile::TempDir;

use crate::backends::Backends;
use crate::process::Process;
use crate::settings::Options;

/// Separate processes, each with a configuration, ports and a spool of its own. Dropping it kills
/// them; what they left on the servers stays, because the servers are thrown away.
pub struct Fleet {
    pub ingests: Vec<Process>,
    pub workers: Vec<Process>,
    backends: Backends,
    _folder: TempDir,
}

impl Fleet {
    /// All of them started, over a schema that is up to date.
    pub fn up(backends: Backends, (ingests, workers): (usize, usize), options: &Options) -> Self {
        let mut fleet = Self::new(backends, (ingests, workers), options);
        for process in fleet.workers.iter_mut().chain(&mut fleet.ingests) {
            process.launch(&[], &[]);
        }
        fleet.workers.iter_mut().chain(&mut fleet.ingests).for_each(Process::wait_healthy);
        fleet
    }

    /// None of them started.
    pub fn new(backends: Backends, (ingests, workers): (usize, usize), options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("rollbook-test-").tempdir().expect("a temporary folder");
        let made = |role, number| process(folder.path(), role, number, &backends, options);
        let ingests = (1..=ingests).map(|number| made("ingest", number)).collect();
        let workers = (1..=workers).map(|number| made("work", number)).collect();
        let fleet = Self { ingests, workers, backends, _folder: folder };
        fleet.office().json(&["migrate"]);
        fleet
    }

    /// The process whose configuration the command line is given.
    pub fn office(&self) -> &Process {
        self.workers.first().or(self.ingests.first()).expect("a fleet has a process")
    }

    pub fn backends(&self) -> &Backends {
        &self.backends
    }

    pub async fn store(&self) -> Arc<dyn Database> {
        self.backends.open_store(self.office().folder()).await
    }

    /// Where callbacks are taken.
    pub fn urls(&self) -> Vec<String> {
        self.ingests.iter().map(Process::url).collect()
    }

    /// Waits until nothing is ready, in flight or retrying, and `settled` says so, too: a broker tells
    /// nobody what is in flight.
    pub fn wait_quiet(&self, patience: Duration, mut settled: impl FnMut() -> Result<(), String>) {
        let deadline = Instant::now() + patience;
        loop {
            let busy = busy(&self.office().json(&["status"]));
            let why = if busy.is_empty() { settled().err() } else { Some(busy.join(", ")) };
            let Some(why) = why else { return };
            assert!(Instant::now() < deadline, "not quiet after {patience:?}: {why}\n{}", self.log_tails());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// SIGTERM to all; each ends well. With nobody left who holds a delivery, the queues tell the whole
    /// truth: they are empty.
    pub fn stop(&mut self) {
        for process in self.ingests.iter_mut().chain(&mut self.workers) {
            assert_eq!(process.stop(), Some(0), "{}", process.log_tail());
        }
        let status = self.office().json(&["status"]);
        assert_eq!(busy(&status), Vec::<String>::new(), "{status}");
        assert_eq!(status["spool"], 0, "{status}");
    }

    /// The last words of everybody.
    pub fn log_tails(&self) -> String {
        let all = self.ingests.iter().chain(&self.workers);
        let told = all.map(|process| format!("{}:\n{}\n", process.folder().display(), process.log_tail()));
        told.collect::<Vec<_>>().concat()
    }
}

fn process(folder: &Path, role: &'static str, number: usize, backends: &Backends, options: &Options) -> Process {
    let folder = folder.join(format!("{role}-{number}"));
    std::fs::create_dir(&folder).expect("a folder for the process");
    Process::new(role, &folder, backends, options)
}

/// Queues that hold something.
fn busy(status: &Value) -> Vec<String> {
    let holds = |queue: &&Value| ["ready", "in_flight", "retrying"].iter().any(|part| queue[part] != 0);
    status["queues"].as_array().expect("a list").iter().filter(holds).map(Value::to_string).collect()
}
