//! One process of the real binary, with a configuration, a log and ports of its own.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::backends::Backends;
use crate::settings::{Options, Ports, toml};

/// One role of the service in a folder of its own. Dropping it kills it.
pub struct Process {
    /// `up`, `ingest` or `work`.
    role: &'static str,
    folder: PathBuf,
    ports: Ports,
    /// Words in front of the binary.
    inside: Vec<String>,
    child: Option<Child>,
}

/// The real binary, beside which this test was built.
pub fn binary() -> PathBuf {
    let here = std::env::current_exe().expect("a test has a path");
    let folder = here.ancestors().find(|path| path.join("rollbook").is_file());
    let folder = folder.unwrap_or_else(|| panic!("no `rollbook` beside {}: run tests/run", here.display()));
    folder.join("rollbook")
}

/// A port that was free a moment ago, and that nobody in this test was given before: the system may
/// hand out one port twice.
fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = listener.expect("a free port").port();
        if GIVEN.lock().expect("nobody panics with it").insert(port) {
            return port;
        }
    }
}

impl Process {
    /// Of this role, in this folder, configured and not started.
    pub fn new(role: &'static str, folder: &Path, backends: &Backends, options: &Options) -> Self {
        let ports = Ports { ingest: free_port(), ops: free_port() };
        let process = Self { role, folder: folder.to_owned(), ports, inside: Vec::new(), child: None };
        process.write(backends, options);
        process
    }

    /// Writes the configuration; a running process keeps what it has read.
    pub fn write(&self, backends: &Backends, options: &Options) {
        let text = toml(&self.folder, self.ports, backends, options);
        std::fs::write(self.config(), text).expect("the configuration is written");
    }

    /// From the next start on, this folder is a disk of so many bytes, which goes with the process. Half
    /// of it is to be kept free.
    pub fn confine(&mut self, folder: &str, bytes: u64) {
        let folder = self.folder.join(folder);
        std::fs::create_dir_all(&folder).expect("a folder to mount on");
        let mount = format!("mount -t tmpfs -o size={bytes} none '{}'", folder.display());
        let keep = format!("ROLLBOOK__QUEUE__MIN_FREE_DISK={}B", bytes / 2);
        let mount = format!(r#"{mount} && {keep} exec "$0" "$@""#);
        let words = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &mount];
        self.inside = words.map(str::to_owned).to_vec();
    }

    /// A path as the process sees it, where it has disks of its own.
    pub fn seen(&self, path: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.pid().expect("the process runs")));
        let path = self.folder.join(path);
        root.join(path.strip_prefix("/").unwrap_or(&path))
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn config(&self) -> PathBuf {
        self.folder.join("rollbook.toml")
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("service.log")
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.ingest)
    }

    /// The port of the ingest.
    pub fn port(&self) -> u16 {
        self.ports.ingest
    }

    /// Starts it and returns once it accepts callbacks.
    pub fn start(&mut self, environment: &[(&str, &str)]) {
        self.start_with(&[], environment);
    }

    /// Like [`World::start`], with more arguments for the role.
    pub fn start_with(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        self.launch(arguments, environment);
        self.wait_healthy();
    }

    /// Starts it as people run it, without the trace log: for measuring.
    pub fn start_quietly(&mut self) {
        self.spawn(&[], &[], &[]);
        self.wait_healthy();
    }

    /// Starts it and returns at once: it may die before it is healthy.
    pub fn launch(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        self.spawn(&["-vv"], arguments, environment);
    }

    fn spawn(&mut self, verbosity: &[&str], arguments: &[&str], environment: &[(&str, &str)]) {
        assert!(self.child.is_none(), "the service already runs");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).expect("the log opens");
        let binary = binary();
        let mut words = self.inside.iter().map(OsStr::new).chain([binary.as_os_str()]);
        let child = Command::new(words.next().expect("at least the binary"))
            .args(words)
            .args([self.role, "--log-format", "json"])
            .args(verbosity)
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .current_dir(&self.folder)
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
        http_get(self.ports.ops, "/healthz").is_some_and(|(status, _)| status == 200)
    }

    /// The body of a GET on the operations port.
    pub fn ops_get(&self, path: &str) -> (u16, String) {
        http_get(self.ports.ops, path).unwrap_or_else(|| panic!("no answer from {path}"))
    }

    /// Everything that it counts; none while it does not answer.
    pub fn metrics(&self) -> Option<String> {
        http_get(self.ports.ops, "/metrics").map(|(_, text)| text)
    }

    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        // Of each callback there is one; they would be all that is seen.
        let lines: Vec<_> = text.lines().filter(|line| !line.contains(r#""message":"answered""#)).collect();
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
        self.cli_with(arguments, &[])
    }

    /// The same, with this in its environment.
    pub fn cli_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        Command::new(binary())
            .args(arguments)
            .envs(environment.iter().copied())
            .arg("--config")
            .arg(self.config())
            .current_dir(&self.folder)
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

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
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
