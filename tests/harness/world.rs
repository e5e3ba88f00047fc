//! One throw-away service: the real binary as a child process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_store::Database;
use serde_json::Value;
use tempfile::TempDir;

use crate::backends::Backends;

/// How a world differs from the usual one.
#[derive(Clone, Debug)]
pub struct Options {
    /// Replaces the plan lines of the usual price list.
    pub plans: Option<String>,
    /// `[retry] schedule`, as TOML.
    pub schedule: String,
    /// More lines at the end of the configuration.
    pub extra: String,
    /// Files, whatever `ROLLBOOK_TEST_BACKENDS` says: for what only files can show.
    pub embedded: bool,
}

impl Default for Options {
    fn default() -> Self {
        // Short enough that a test sees the whole schedule, long enough that it is one.
        Self { plans: None, schedule: r#"["100ms", "300ms", "1s"]"#.to_owned(), extra: String::new(), embedded: false }
    }
}

/// A service in a folder of its own. Dropping it kills the service and removes the folder.
pub struct World {
    folder: TempDir,
    ingest: u16,
    ops: u16,
    child: Option<Child>,
    backends: Backends,
}

/// The real binary, beside which this test was built.
pub fn binary() -> PathBuf {
    let here = std::env::current_exe().expect("a test has a path");
    let folder = here.ancestors().find(|path| path.join("rollbook").is_file());
    let folder = folder.unwrap_or_else(|| panic!("no `rollbook` beside {}: run tests/run", here.display()));
    folder.join("rollbook")
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

impl World {
    pub fn new(options: &Options) -> Self {
        let folder = tempfile::Builder::new().prefix("rollbook-test-").tempdir().expect("a temporary folder");
        let backends = if options.embedded { Backends::embedded() } else { Backends::of_environment() };
        let world = Self { folder, ingest: free_port(), ops: free_port(), child: None, backends };
        world.configure(options);
        world
    }

    /// Writes the configuration; a running service keeps what it has read.
    pub fn configure(&self, options: &Options) {
        std::fs::write(self.config(), self.toml(options)).expect("the configuration is written");
    }

    /// A world that is up.
    pub fn up(options: &Options) -> Self {
        let mut world = Self::new(options);
        world.start(&[]);
        world
    }

    fn toml(&self, options: &Options) -> String {
        let folder = self.folder.path().display();
        let places = self.backends.lines(self.folder.path());
        let (ingest, ops) = (self.ingest, self.ops);
        let schedule = &options.schedule;
        let plans = options.plans.clone().unwrap_or_else(usual_plans);
        let extra = &options.extra;
        format!(
            r#"[organisation]
name = "Test Club"
time_zone = "America/New_York"
currency = "USD"
{places}
[ingest]
listen = "127.0.0.1:{ingest}"
spool = "{folder}/spool.db"
[ops]
listen = "127.0.0.1:{ops}"
[retry]
schedule = {schedule}
[sources.cybersource]
provider = "cybersource-secure-acceptance"
secrets = [{{ value = "{CYBERSOURCE}" }}]
[sources.docusign]
provider = "docusign-connect"
secrets = [{{ value = "{DOCUSIGN}" }}]
[sources.stripe]
provider = "stripe"
secrets = [{{ value = "{STRIPE}" }}]
[sources.clubhouse]
provider = "standard-webhooks"
secrets = [{{ value = "{CLUBHOUSE}" }}]
[membership]
renewal_window_days = 40
{plans}
{extra}
"#
        )
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn backends(&self) -> &Backends {
        &self.backends
    }

    /// The records, beside the running service.
    pub async fn store(&self) -> Arc<dyn Database> {
        self.backends.open_store(self.folder()).await
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("rollbook.toml")
    }

    pub fn log(&self) -> PathBuf {
        self.folder.path().join("service.log")
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ingest)
    }

    /// The port of the ingest.
    pub fn port(&self) -> u16 {
        self.ingest
    }

    /// Starts `rollbook up` and returns once it accepts callbacks.
    pub fn start(&mut self, environment: &[(&str, &str)]) {
        self.start_with(&[], environment);
    }

    /// Like [`World::start`], with more arguments for `up`.
    pub fn start_with(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        self.launch(arguments, environment);
        self.wait_healthy();
    }

    /// Starts it as people run it, without the trace log: for measuring.
    pub fn start_quietly(&mut self) {
        self.spawn(&[], &[], &[]);
        self.wait_healthy();
    }

    /// Starts `rollbook up` and returns at once: it may die before it is healthy.
    pub fn launch(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        self.spawn(&["-vv"], arguments, environment);
    }

    fn spawn(&mut self, verbosity: &[&str], arguments: &[&str], environment: &[(&str, &str)]) {
        assert!(self.child.is_none(), "the service already runs");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("the log opens");
        let child = Command::new(binary())
            .args(["up", "--log-format", "json"])
            .args(verbosity)
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .current_dir(self.folder.path())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        self.child = Some(child);
    }

    /// Waits until it accepts callbacks.
    pub fn wait_healthy(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.is_healthy() {
            if let Some(status) = self.ended() {
                panic!("the service ended with {status}:\n{}", self.log_tail());
            }
            assert!(Instant::now() < deadline, "not healthy after 30 s:\n{}", self.log_tail());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn is_healthy(&self) -> bool {
        http_get(self.ops, "/healthz").is_some_and(|(status, _)| status == 200)
    }

    /// The body of a GET on the operations port.
    pub fn ops_get(&self, path: &str) -> (u16, String) {
        http_get(self.ops, path).unwrap_or_else(|| panic!("no answer from {path}"))
    }

    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().expect("the child is ours"))
    }

    /// SIGKILL, and wait until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM; the exit code.
    pub fn stop(&mut self) -> Option<i32> {
        let mut child = self.child.take().expect("the service runs");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the signal is sent");
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(status) = child.try_wait().expect("the child is ours") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "still running 30 s after SIGTERM:\n{}", self.log_tail());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// One command of the command line.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        Command::new(binary())
            .args(arguments)
            .arg("--config")
            .arg(self.config())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs")
    }

    /// A command that must succeed, as JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.cli(&[arguments, &["--json"]].concat());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {}\n{stderr}", output.status);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
    }

    /// Waits until nothing is ready, in flight, retrying or in the outbox.
    pub fn drain(&self) {
        let deadline = Instant::now() + Duration::from_secs(90);
        loop {
            let status = self.json(&["status"]);
            let busy = |queue: &Value| ["ready", "in_flight", "retrying"].iter().any(|part| queue[part] != 0);
            if !status["queues"].as_array().expect("a list").iter().any(busy) {
                return;
            }
            assert!(Instant::now() < deadline, "still busy after 90 s: {status}\n{}", self.log_tail());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `verify` finds nothing.
    pub fn verified(&self) {
        let report = self.json(&["verify"]);
        assert_eq!(report["ok"], true, "{report:#}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.kill();
        self.backends.clear();
    }
}

pub const CYBERSOURCE: &str = "invented-cybersource-key-for-tests";
pub const DOCUSIGN: &str = "invented-docusign-key-for-tests-only";
pub const STRIPE: &str = "whsec_inventedstripekeyfortests";
/// Base64 of `invented-clubhouse-key-for-tests`.
pub const CLUBHOUSE: &str = "whsec_aW52ZW50ZWQtY2x1YmhvdXNlLWtleS1mb3ItdGVzdHM=";

fn usual_plans() -> String {
    let prices = [
        ("MU", "15.00"),
        ("MG", "15.00"),
        ("MA", "30.00"),
        ("NU", "40.00"),
        ("NG", "40.00"),
        ("ML", "40.00"),
        ("NA", "40.00"),
    ];
    let plan = |(category, price)| {
        format!(
            "[[membership.plans]]\ncategory = \"{category}\"\nname = \"{category}\"\nprice = \"{price}\"\nvalid_from = \"2015-01-01\"\n"
        )
    };
    prices.into_iter().map(plan).collect()
}

/// A GET without a client library, so that the harness depends on nothing it tests.
fn http_get(port: u16, path: &str) -> Option<(u16, String)> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, body.to_owned()))
}
