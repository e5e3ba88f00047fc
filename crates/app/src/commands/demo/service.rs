//! The throw-away service that the demonstration starts, kills and starts again: this same binary,
//! as a child process, in a folder of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::cli::Common;

/// How long a start may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Service {
    folder: PathBuf,
    ingest: SocketAddr,
    ops: SocketAddr,
    verbose: u8,
    child: Option<Child>,
}

/// A loopback address whose port was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?)
}

impl Service {
    pub fn new(folder: PathBuf, common: &Common) -> anyhow::Result<Self> {
        Ok(Self { folder, ingest: free_address()?, ops: free_address()?, verbose: common.verbose, child: None })
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

    pub fn ingest(&self) -> SocketAddr {
        self.ingest
    }

    pub fn ops(&self) -> SocketAddr {
        self.ops
    }

    /// Starts it, and returns once it accepts callbacks.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log())?;
        let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
        command.arg("up").arg("--config").arg(self.config()).args(["--log-format", "json"]);
        command.args(std::iter::repeat_n("-v", usize::from(self.verbose)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().context("cannot start the service")?);
        self.wait_healthy().await
    }

    async fn wait_healthy(&mut self) -> anyhow::Result<()> {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build()?;
        let url = format!("http://{}/healthz", self.ops);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended {
                bail!("the service ended with {status}; it said:\n{}", self.last_words());
            }
            if Instant::now() > deadline {
                bail!("the service was not ready after {} s; it said:\n{}", PATIENCE.as_secs(), self.last_words());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// SIGKILL: no goodbye, nothing flushed.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("cannot kill the service")?;
        }
        Ok(())
    }

    /// SIGTERM, and wait until it has drained.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        child.wait().await.context("the service did not stop")?;
        Ok(())
    }

    /// Leaves it running when this program ends.
    pub fn leave_running(mut self) -> Option<u32> {
        let child = self.child.take()?;
        let pid = child.id();
        // Dropping the handle would kill it.
        std::mem::forget(child);
        pid
    }
}
