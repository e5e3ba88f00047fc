//! Many processes over one broker and one database, as a large organisation runs them.

use std::os::unix::process::ExitStatusExt as _;
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
    /// The workers' environment.
    environment: Vec<(String, String)>,
    /// How often a worker was started again, where that is done.
    revived: Option<usize>,
    backends: Backends,
    _folder: TempDir,
}

impl Fleet {
    /// None of them started, over a schema that is up to date.
    pub fn new(backends: Backends, (ingests, workers): (usize, usize), options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("rollbook-test-").tempdir().expect("a temporary folder");
        let made = |role, number| process(folder.path(), role, number, &backends, options);
        let ingests = (1..=ingests).map(|number| made("ingest", number)).collect();
        let workers = (1..=workers).map(|number| made("work", number)).collect();
        let fleet = Self { ingests, workers, environment: Vec::new(), revived: None, backends, _folder: folder };
        fleet.office().json(&["migrate"]);
        fleet
    }

    /// Starts everybody, and returns when all are well.
    pub fn start(&mut self) {
        self.start_workers();
        self.ingests.iter_mut().for_each(|ingest| ingest.start(&[]));
        if self.revived.is_none() {
            self.workers.iter_mut().for_each(Process::wait_healthy);
        }
    }

    /// Starts all workers and returns at once.
    pub fn start_workers(&mut self) {
        let environment = pairs(&self.environment);
        self.workers.iter_mut().for_each(|worker| worker.launch(&[], &environment));
    }

    /// From now on workers have this in their environment, and one that is killed by it is started again
    /// whenever somebody waits for the fleet.
    pub fn supervise(&mut self, environment: &[(&str, &str)]) {
        self.environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.revived = Some(0);
    }

    /// Starts again what was killed, where that is done. How often so far.
    pub fn revive(&mut self) -> usize {
        let Some(revived) = &mut self.revived else { return 0 };
        for worker in &mut self.workers {
            if let Some(status) = worker.ended() {
                assert_eq!(status.signal(), Some(9), "ended by itself: {status}\n{}", worker.log_tail());
                worker.kill();
                worker.launch(&[], &pairs(&self.environment));
                *revived += 1;
            }
        }
        *revived
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
    pub fn wait_quiet(&mut self, patience: Duration, settled: impl Fn(&Self) -> Result<(), String>) {
        let deadline = Instant::now() + patience;
        loop {
            self.revive();
            let mut busy = busy(&self.office().json(&["status"]));
            busy.extend(
                self.spooled().into_iter().filter(|depth| depth != "0").map(|depth| format!("{depth} spooled")),
            );
            let why = if busy.is_empty() { settled(self).err() } else { Some(busy.join(", ")) };
            let Some(why) = why else { return };
            assert!(Instant::now() < deadline, "not quiet after {patience:?}: {why}\n{}", self.log_tails());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// What waits in each ingest's own file.
    pub fn spooled(&self) -> Vec<String> {
        let depth = |ingest: &Process| {
            let metrics = ingest.metrics().unwrap_or_default();
            let depth = metrics.lines().find_map(|line| line.strip_prefix("rollbook_spool_depth "));
            depth.unwrap_or("an unknown number").to_owned()
        };
        self.ingests.iter().map(depth).collect()
    }

    /// SIGTERM to all; each ends well. With nobody left who holds a delivery, the queues tell the whole
    /// truth: they are empty.
    pub fn stop(&mut self) {
        for process in self.ingests.iter_mut().chain(&mut self.workers) {
            assert_eq!(process.stop(), Some(0), "{}", process.log_tail());
        }
        let status = self.office().json(&["status"]);
        assert_eq!(busy(&status), Vec::<String>::new(), "{status}");
        for ingest in &self.ingests {
            assert_eq!(ingest.json(&["status"])["spool"], 0, "{}", ingest.log_tail());
        }
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

fn pairs(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Queues that hold something.
fn busy(status: &Value) -> Vec<String> {
    let holds = |queue: &&Value| ["ready", "in_flight", "retrying"].iter().any(|part| queue[part] != 0);
    status["queues"].as_array().expect("a list").iter().filter(holds).map(Value::to_string).collect()
}
