//! The real broker that the tests use, and what only its operator can do.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use rollbook_queue::DEAD_LETTERS;

use super::clock;
use crate::Options;
use crate::topology::{Topology, UNROUTED};

/// The broker under test.
pub(super) struct Broker {
    pub(super) url: String,
    /// The command that administers it.
    ctl: String,
    /// Installations made on it.
    made: Mutex<Vec<Topology>>,
}

const MISSING: &str = "no RabbitMQ to test with: run the tests through `tests/services run rabbitmq -- CMD`, or set \
                       ROLLBOOK_TEST_AMQP and ROLLBOOK_TEST_RABBITMQCTL";

#[expect(clippy::disallowed_methods, reason = "the servers of a test are given by the environment")]
fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.into_string().ok()?;
    Some(value).filter(|value| !value.is_empty())
}

impl Broker {
    pub(super) fn of_environment() -> Self {
        let ctl = variable("ROLLBOOK_TEST_RABBITMQCTL")
            .or_else(|| Some(format!("{}/rabbitmqctl", variable("ROLLBOOK_TEST_SERVICES")?)));
        let (Some(url), Some(ctl)) = (variable("ROLLBOOK_TEST_AMQP"), ctl) else { panic!("{MISSING}") };
        Self { url, ctl, made: Mutex::default() }
    }

    /// Runs `rabbitmqctl` with these words.
    pub(super) async fn ctl(&self, words: &[&str]) -> String {
        let mut command = self.command(words);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().expect("rabbitmqctl runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The same where nothing can be awaited, and nobody hears of a failure.
    pub(super) fn ctl_now(&self, words: &[&str]) {
        let _ = self.command(words).output();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut line = self.ctl.split_whitespace();
        let mut command = Command::new(line.next().expect("a command"));
        command.args(line).arg("-q").args(words);
        command
    }

    /// An installation of its own; it goes when the broker is dropped.
    pub(super) fn options(&self, url: String) -> Options {
        self.options_with(url, &[250])
    }

    pub(super) fn options_with(&self, url: String, levels_ms: &[u64]) -> Options {
        let prefix = format!("t{:016x}", RandomState::new().build_hasher().finish());
        let levels: Vec<Duration> = levels_ms.iter().copied().map(Duration::from_millis).collect();
        self.made.lock().unwrap().push(Topology::new(&prefix, &levels));
        Options { prefix, levels, ..Options::new(vec![url], clock()) }
    }

    /// Host and port of the node.
    pub(super) fn address(&self) -> String {
        let uri: lapin::uri::AMQPUri = self.url.parse().expect("a URL");
        format!("{}:{}", uri.authority.host, uri.authority.port)
    }

    /// The same broker behind another address.
    pub(super) fn url_at(&self, address: &str) -> String {
        self.url.replacen(&self.address(), address, 1)
    }
}

/// A broker that keeps the queues of every test becomes slow.
impl Drop for Broker {
    fn drop(&mut self) {
        let (url, made) = (self.url.clone(), std::mem::take(&mut *self.made.lock().unwrap()));
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(delete(&url, &made)))
        });
        drop(deleting.join());
    }
}

async fn delete(url: &str, made: &[Topology]) -> Result<(), lapin::Error> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for topology in made {
        let queues = ["membership", "waiver", "nobody", "full", DEAD_LETTERS];
        let names = queues.into_iter().flat_map(|queue| topology.plan(queue)).map(|plan| plan.name);
        for name in names.chain([topology.name(UNROUTED)]) {
            channel.queue_delete(name.into(), QueueDeleteOptions::default()).await?;
        }
        for exchange in [topology.events(), topology.unrouted()] {
            channel.exchange_delete(exchange.into(), ExchangeDeleteOptions::default()).await?;
        }
    }
    connection.close(200, "done".into()).await
}
