//! One fault's stage: a fleet under a running stream of callbacks, on servers that may be broken.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rollbook_simulate::{Callback, Record};
use rollbook_tests::{Fleet, Options, Process, Servers, Traffic, callbacks};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Executor as _};

/// How soon after the cause is gone everybody works again.
const RESUMED: Duration = Duration::from_secs(15);

/// Callbacks a second: no more than a debug build can do beside its servers on two processors.
pub const RATE: f64 = 80.0;

/// More than any fault lasts at that rate.
const EVENTS: usize = 8_000;

/// How a fault's fleet differs from the usual one.
pub struct Shape<'a> {
    pub ingests: usize,
    pub workers: usize,
    /// More lines of configuration.
    pub extra: &'a str,
    /// A text by which a body kills the worker that looks at it; dead workers are started again.
    pub deadly: Option<&'a str>,
    /// The size of a disk of its own for each spool, in bytes.
    pub spool_disk: Option<u64>,
    pub callbacks: Vec<Callback>,
}

impl Default for Shape<'_> {
    fn default() -> Self {
        Self { ingests: 1, workers: 2, extra: "", deadly: None, spool_disk: None, callbacks: callbacks(EVENTS) }
    }
}

pub struct Scene<'a> {
    fault: &'static str,
    pub servers: &'a Servers,
    pub fleet: Fleet,
    pub traffic: Traffic,
    /// Whether a try may end without an answer, or with one that puts it off.
    pub put_off: bool,
    /// What was played out apart from the stream.
    pub played: Record,
    resumed: Vec<Duration>,
    began: Instant,
}

impl<'a> Scene<'a> {
    /// Begins with everybody at work.
    pub fn begin(servers: &'a Servers, fault: &'static str) -> Self {
        Self::begin_as(servers, fault, Shape::default())
    }

    pub fn begin_as(servers: &'a Servers, fault: &'static str, shape: Shape<'_>) -> Self {
        println!("{fault}:");
        let began = Instant::now();
        let schedule = r#"["100ms", "200ms", "400ms", "800ms", "1s", "2s", "4s"]"#.to_owned();
        let options = Options { schedule, extra: shape.extra.to_owned(), ..Options::default() };
        let mut fleet = Fleet::new(servers.backends(), (shape.ingests, shape.workers), &options);
        if let Some(mark) = shape.deadly {
            fleet.supervise(&[("ROLLBOOK_CRASH_ON_BODY", mark)]);
        }
        if let Some(bytes) = shape.spool_disk {
            fleet.ingests.iter_mut().for_each(|ingest| ingest.confine("spool", bytes));
        }
        fleet.start();
        let mut traffic = Traffic::new();
        traffic.play(shape.callbacks, &fleet.urls(), RATE);
        let mut scene = Self {
            fault,
            servers,
            fleet,
            traffic,
            put_off: false,
            played: Record::empty(),
            resumed: Vec::new(),
            began,
        };
        let nothing = vec![Work::new(); scene.fleet.workers.len()];
        scene.wait_for_all(&nothing, Duration::from_secs(30));
        scene
    }

    /// The cause is gone now. Waits until every worker has done something for every processor.
    pub fn resumes(&mut self) {
        let before: Vec<_> = self.fleet.workers.iter().map(work).collect();
        let resumed = self.wait_for_all(&before, RESUMED);
        println!("  at work again after {resumed:.1?}");
        self.resumed.push(resumed);
    }

    fn wait_for_all(&mut self, before: &[Work], patience: Duration) -> Duration {
        let began = Instant::now();
        loop {
            self.fleet.revive();
            let now: Vec<_> = self.fleet.workers.iter().map(work).collect();
            let more = |(now, before): (&Work, &Work)| PROCESSORS.iter().all(|name| now.get(*name) > before.get(*name));
            if now.iter().zip(before).all(more) {
                return began.elapsed();
            }
            let tails = || self.fleet.log_tails();
            assert!(began.elapsed() < patience, "{}: {before:?} is still {now:?}\n{}", self.fault, tails());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets the stream run on.
    pub fn wait_acked(&self, more: u64) {
        let (began, until) = (Instant::now(), self.traffic.acked() + more);
        while self.traffic.acked() < until {
            let tails = || self.fleet.log_tails();
            assert!(began.elapsed() < Duration::from_mins(1), "{}: nothing is acknowledged\n{}", self.fault, tails());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A connection of somebody else's to the fleet's database.
    pub fn somebody_else(&self) -> PgConnection {
        let address = self.fleet.backends().database().expect("a server");
        let options: PgConnectOptions = address.parse().expect("an address of PostgreSQL");
        self.traffic.block_on(options.connect()).expect("PostgreSQL answers")
    }

    pub fn execute(&self, connection: &mut PgConnection, sql: &'static str) {
        self.traffic.block_on(connection.execute(sql)).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// How many wait for a lock in the database.
    pub fn held_up(&self, connection: &mut PgConnection) -> i64 {
        let sql = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
        self.traffic.block_on(sqlx::query_scalar(sql).fetch_one(connection)).expect("a count")
    }

    /// What waits in a queue of the broker.
    pub fn ready(&self, queue: &str) -> u64 {
        let status = self.fleet.office().json(&["status"]);
        let queues = status["queues"].as_array().unwrap();
        let named = queues.iter().find(|entry| entry["processor"] == queue);
        named.and_then(|entry| entry["ready"].as_u64()).unwrap_or_else(|| panic!("no queue {queue} in {status}"))
    }

    /// Waits until everything is done, and stops the workers. The work queues are empty then.
    pub fn rest(&mut self) {
        loop {
            let record = self.traffic.finish();
            self.played.join(record);
            self.fleet.wait_quiet(Duration::from_mins(1), |_| Ok(()));
            for worker in &mut self.fleet.workers {
                assert_eq!(worker.stop(), Some(0), "{}", worker.log_tail());
            }
            if PROCESSORS.iter().all(|name| self.ready(name) == 0) {
                return;
            }
            self.work();
        }
    }

    pub fn work(&mut self) {
        self.fleet.start_workers();
        self.fleet.workers.iter_mut().for_each(Process::wait_healthy);
    }

    /// Begins another stream beside what is under way.
    pub fn play(&mut self, callbacks: Vec<Callback>) {
        self.traffic.play(callbacks, &self.fleet.urls(), RATE);
    }

    /// Ends the stream, waits until all is done and audits.
    pub fn end(mut self) {
        let mut record = self.traffic.end();
        record.join(std::mem::replace(&mut self.played, Record::empty()));
        let patience = Duration::from_secs(90);
        if self.put_off {
            self.fleet.wait_quiet(patience, |_| Ok(()));
            self.replay_what_waited_in_vain();
        }
        let traffic = &self.traffic;
        self.fleet.wait_quiet(patience, |fleet| audited(fleet, traffic, &record));
        self.fleet.stop();
        audited(&self.fleet, &self.traffic, &record).unwrap_or_else(|found| panic!("{}: {found}", self.fault));
        let report = self.fleet.office().json(&["verify"]);
        assert_eq!(report["ok"], true, "{}: {report:#}", self.fault);
        self.tell(&record, &report);
    }

    /// A refund is a dead letter by now if its payment was put off for longer than it is retried. As an
    /// operator would, once the payment is there.
    fn replay_what_waited_in_vain(&self) {
        self.fleet.office().json(&["dead-letters", "replay", "--reason", "payment_unknown", "--yes"]);
    }

    fn tell(&self, record: &Record, report: &Value) {
        let tried = record.sent.iter().filter(|sent| sent.answer.tries > 0).count();
        let acked = record.sent.iter().filter(|sent| sent.answer.acked()).count();
        assert!(acked > 200, "{}: the audit looked at next to nothing: {acked} acknowledged", self.fault);
        let again: u32 = record.sent.iter().map(|sent| sent.answer.silent + sent.answer.put_off).sum();
        assert!(self.put_off || again == 0, "{}: {again} tries were not acknowledged", self.fault);
        let (p99, longest) = (record.ack.value_at_quantile(0.99) / 1000, record.ack.max() / 1000);
        let checks = report["checks"].as_array().unwrap().len();
        println!("  {tried} sent, {acked} acknowledged, {again} tries without; p99 {p99} ms, longest {longest} ms");
        println!(
            "  audit and {checks} checks clean; resumed after {:.1?}; {:.0?} in all",
            self.resumed,
            self.began.elapsed()
        );
    }
}

fn audited(fleet: &Fleet, traffic: &Traffic, record: &Record) -> Result<(), String> {
    let found = traffic.audit(record, fleet.store());
    if found.ok() { Ok(()) } else { Err(format!("{found:#?}")) }
}

const PROCESSORS: [&str; 2] = ["membership", "waiver"];

const SETTLED: [&str; 3] = ["outcome=\"applied\"", "outcome=\"ignored\"", "outcome=\"rejected\""];

/// Events that a process has settled, by processor.
type Work = BTreeMap<String, u64>;

fn work(process: &Process) -> Work {
    let metrics = process.metrics().unwrap_or_default();
    let mut work = Work::new();
    let lines =
        metrics.lines().filter_map(|line| line.strip_prefix("rollbook_event_outcomes_total{")?.split_once("} "));
    for (labels, count) in lines.filter(|(labels, _)| SETTLED.iter().any(|outcome| labels.contains(outcome))) {
        let label = labels.split("processor=\"").nth(1).and_then(|rest| rest.split('"').next());
        let count = count.trim().parse::<f64>().unwrap_or_default();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        let count = count as u64;
        *work.entry(label.unwrap_or_default().to_owned()).or_default() += count;
    }
    work
}
