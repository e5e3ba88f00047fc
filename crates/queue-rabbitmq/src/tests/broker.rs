//! The real broker that the tests use, and what only its operator can do.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::process::Command;

/// The broker under test.
pub(super) struct Broker {
    pub(super) url: String,
    /// The command that administers it.
    ctl: String,
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
        Self { url, ctl }
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

/// Another one in every test.
pub(super) fn some_number() -> u64 {
    RandomState::new().build_hasher().finish()
}
