//! Real servers that belong to one test, so that it may stop, fill and break them.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::backends::Backends;

/// The script that starts them.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/services");

/// Throwaway servers. They end when this is dropped, and also when the test's process dies in any
/// other way: a guard of its own session waits for the end of a pipe that we hold.
pub struct Servers {
    folder: PathBuf,
    postgres: Option<String>,
    /// The addresses of all nodes, with commas between.
    broker: Option<String>,
    guard: Child,
}

fn script(words: &[&str]) -> Command {
    let mut command = Command::new(SCRIPT);
    // Servers of somebody's own are for tests that break nothing.
    command.args(words).env_remove("ROLLBOOK_TEST_POSTGRES").env_remove("ROLLBOOK_TEST_AMQP");
    command.stdin(Stdio::null());
    command
}

/// The output of a command that must succeed.
fn done(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not run: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {stderr}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Servers {
    /// `postgres`, `rabbitmq`, `rabbitmq:3`. Panics with the script's words if one cannot be started,
    /// which name the packages that are missing.
    pub fn start(names: &[&str]) -> Self {
        let exports = done(script(&[&["start"], names].concat()));
        let folder = PathBuf::from(export(&exports, "ROLLBOOK_TEST_SERVICES").expect("the script names its folder"));
        let nodes = export(&exports, "ROLLBOOK_TEST_AMQP_NODES");
        Self {
            postgres: export(&exports, "ROLLBOOK_TEST_POSTGRES"),
            broker: nodes.or_else(|| export(&exports, "ROLLBOOK_TEST_AMQP")),
            guard: guard(&folder),
            folder,
        }
    }

    /// A database and names of its own on these servers.
    pub fn backends(&self) -> Backends {
        Backends::on(self.broker.clone(), self.postgres.clone())
    }

    /// Ends a server by a signal such as `KILL`, and returns when it is gone.
    pub fn halt(&self, name: &str, signal: &str) {
        done(script(&["halt", self.place(), name, signal]));
    }

    /// Starts it again over the same data, and returns when it answers.
    pub fn resume(&self, name: &str) {
        done(script(&["resume", self.place(), name]));
    }

    /// `rabbitmqctl` with these words.
    pub fn broker_control(&self, words: &[&str]) -> String {
        let mut command = Command::new(self.folder.join("rabbitmqctl"));
        command.arg("-q").args(words).stdin(Stdio::null());
        done(command)
    }

    fn place(&self) -> &str {
        self.folder.to_str().expect("the script's folder has a plain name")
    }
}

/// The value of a line `export NAME=VALUE`, where VALUE is quoted for a shell.
fn export(exports: &str, name: &str) -> Option<String> {
    let line = exports.lines().find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='))?;
    Some(line.replace('\\', ""))
}

fn guard(folder: &PathBuf) -> Child {
    Command::new("setsid")
        .args(["sh", "-c", r#"cat >/dev/null; exec "$0" stop "$1""#, SCRIPT])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the guard starts")
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}
