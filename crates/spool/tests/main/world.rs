//! A broker that can be away, full, silent or choosy, and spools in a folder.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use prometheus::IntGauge;
use rollbook_queue::conformance::TestClock;
use rollbook_queue::{Message, PublishError, Publisher};
use rollbook_queue_sqlite::SqliteFiles;
use rollbook_spool::{Options, Spool};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// For what must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Up,
    Away,
    /// An alarm.
    Full,
    /// Takes nothing and says nothing.
    Silent,
    /// Takes it and says nothing.
    Mute,
}

/// Clones are one broker.
#[derive(Clone)]
pub struct Broker {
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    mood: Mood,
    /// The one it never takes.
    poison: Option<String>,
    offered: usize,
    confirmed: BTreeMap<String, Vec<Message>>,
}

impl Broker {
    pub fn new(mood: Mood) -> Self {
        let seen = Seen { mood, poison: None, offered: 0, confirmed: BTreeMap::new() };
        Self { seen: Arc::new(Mutex::new(seen)) }
    }

    pub fn set(&self, mood: Mood) {
        self.seen.lock().unwrap().mood = mood;
    }

    pub fn poison(&self, number: u32) {
        self.seen.lock().unwrap().poison = Some(key(number));
    }

    pub fn offered(&self) -> usize {
        self.seen.lock().unwrap().offered
    }

    pub fn has(&self, number: u32) -> bool {
        self.seen.lock().unwrap().confirmed.contains_key(&key(number))
    }

    pub fn has_all(&self, numbers: std::ops::Range<u32>) -> bool {
        numbers.into_iter().all(|number| self.has(number))
    }

    pub fn copies(&self, number: u32) -> Vec<Message> {
        self.seen.lock().unwrap().confirmed.get(&key(number)).cloned().unwrap_or_default()
    }

    fn offer(&self, message: Message) -> Option<Result<(), PublishError>> {
        let mut seen = self.seen.lock().unwrap();
        seen.offered += 1;
        let key = message.envelope.delivery_key.to_string();
        match seen.mood {
            Mood::Silent => return None,
            Mood::Up | Mood::Mute if seen.poison.as_ref() != Some(&key) => {}
            Mood::Up | Mood::Mute | Mood::Away => return Some(Err(PublishError::Unavailable("no".into()))),
            Mood::Full => {
                let retry_after = Duration::from_secs(10);
                return Some(Err(PublishError::Full { detail: "memory".to_owned(), retry_after }));
            }
        }
        seen.confirmed.entry(key).or_default().push(message);
        if seen.mood == Mood::Mute { None } else { Some(Ok(())) }
    }
}

#[async_trait]
impl Publisher for Broker {
    async fn publish(&self, message: Message) -> Result<(), PublishError> {
        tokio::task::yield_now().await;
        match self.offer(message) {
            Some(answer) => answer,
            None => pending().await,
        }
    }
}

pub struct World {
    pub home: TempDir,
    pub broker: Broker,
    pub clock: TestClock,
}

impl World {
    pub fn new(mood: Mood) -> Self {
        Self { home: tempfile::tempdir().unwrap(), broker: Broker::new(mood), clock: TestClock::default() }
    }

    pub fn path(&self) -> PathBuf {
        self.home.path().join("spool.db")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A short budget and eager looks; everything else as by default.
    pub fn options(&self) -> Options {
        Options {
            budget: Duration::from_millis(100),
            drain_budget: Duration::from_millis(500),
            probe_every: Duration::from_millis(20),
            adopt_every: Duration::from_millis(50),
            ..Options::new(self.path(), gauge())
        }
    }

    pub fn files(&self) -> Arc<SqliteFiles> {
        self.files_on_a_disk_with(0)
    }

    pub fn files_on_a_disk_with(&self, min_free_disk_bytes: u64) -> Arc<SqliteFiles> {
        Arc::new(SqliteFiles { min_free_disk_bytes, clock: self.clock.clock() })
    }

    pub async fn spool(&self) -> Arc<Spool> {
        self.spool_with(self.options()).await
    }

    pub async fn spool_with(&self, options: Options) -> Arc<Spool> {
        Spool::open(options, self.files(), Arc::new(self.broker.clone())).await.unwrap()
    }

    /// What the disk holds at this moment, in another place: all that a killed process leaves.
    pub fn killed(&self) -> World {
        let home = tempfile::tempdir().unwrap();
        let mut names: Vec<_> = self.home.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        // The journals first: if one is emptied in between, the copy has both.
        names.sort_by_key(|name| !name.to_str().unwrap().ends_with("-wal"));
        for name in names {
            std::fs::copy(self.home.path().join(&name), home.path().join(&name)).unwrap();
        }
        World { home, broker: self.broker.clone(), clock: self.clock.clone() }
    }
}

pub fn gauge() -> IntGauge {
    IntGauge::new("spool_depth", "Callbacks that wait.").unwrap()
}

/// A drain that runs until it is stopped.
pub struct Draining {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Draining {
    pub fn start(spool: &Arc<Spool>) -> Self {
        let (stop, spool) = (CancellationToken::new(), Arc::clone(spool));
        let stopped = stop.clone();
        Self { stop, task: tokio::spawn(async move { spool.drain(stopped).await }) }
    }

    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("a drain stops soon").unwrap();
    }
}

fn key(number: u32) -> String {
    format!("key-{number}")
}

pub fn message(number: u32) -> Message {
    let mut message = rollbook_queue::conformance::message(number, &["membership", "waiver"]);
    message.envelope.trace = Some("00-0123-45-01".to_owned());
    message
}

/// Waits until it is true.
pub async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub async fn publish(spool: &Arc<Spool>, numbers: std::ops::Range<u32>) {
    let sent = numbers.map(|number| {
        let spool = Arc::clone(spool);
        tokio::spawn(async move { spool.publish(message(number)).await })
    });
    for one in sent.collect::<Vec<_>>() {
        one.await.unwrap().unwrap();
    }
}
