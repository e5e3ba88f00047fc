//! What `demo`, `simulate` and `send` share: the configured sources as their senders see them, a
//! progress bar, and waiting until the service has nothing left to do.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use rollbook_simulate::{Progress, ProgressFn, Source};
use tokio::time::{Instant, sleep};

use super::{Session, status};
use crate::config::{Resolved, ResolvedSource};
use crate::exit::Failure;

/// Every source that can sign, as its provider sees it.
pub fn sources(config: &Resolved) -> anyhow::Result<Vec<Arc<Source>>> {
    config.sources.iter().filter(|source| !source.secrets.is_empty()).map(|one| Ok(Arc::new(source(one)?))).collect()
}

pub fn source(source: &ResolvedSource) -> anyhow::Result<Source> {
    let secret =
        source.secrets.first().with_context(|| format!("source `{}` has no secret to sign with", source.name))?;
    let name = source.provider.name();
    Ok(Source::new(source.name.clone(), source.account.clone(), name, secret.clone())?)
}

/// The base address of the configured listener.
pub fn listener(config: &Resolved) -> String {
    let mut listen = config.ingest.listen;
    if listen.ip().is_unspecified() {
        listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{listen}")
}

/// A dead address is told at once; later on, silence is a service that restarts.
pub async fn reachable(base: &str) -> Result<(), Failure> {
    let address = reqwest::Url::parse(base).ok().filter(|url| url.scheme() == "http");
    let place = address.as_ref().and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    let Some((host, port)) = place else {
        return Err(Failure::usage(anyhow::anyhow!("`{base}` is no address such as http://127.0.0.1:8080")));
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    let connected = tokio::time::timeout(Duration::from_secs(5), tokio::net::TcpStream::connect((host, port))).await;
    match connected {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(anyhow::anyhow!("no answer from {base}; is `rollbook up` running?").into()),
    }
}

/// Streams begin at a fixed moment of a day, so that a seed makes the same one all day long.
pub fn midnight_before(now: Timestamp) -> Timestamp {
    let day_s = 24 * 3600;
    Timestamp::from_second(now.as_second().div_euclid(day_s) * day_s).unwrap_or(now)
}

/// A bar on a terminal; nothing when piped.
pub fn bar(total: u64, doing: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let look = "{msg:<12} {bar:40} {pos:>7}/{len}  {eta} left";
    if let Ok(style) = ProgressStyle::with_template(look) {
        bar.set_style(style);
    }
    bar.with_message(doing)
}

pub fn follow(bar: &ProgressBar) -> ProgressFn {
    let bar = bar.clone();
    Arc::new(move |progress: Progress| bar.set_position(progress.acked + progress.refused))
}

/// Waits until nothing is ready, in flight, retrying or in the outbox.
pub async fn wait_quiet(session: &Session, patience: Duration) -> Result<(), Failure> {
    let deadline = Instant::now() + patience;
    loop {
        let status = status::read(session).await?;
        if status.is_quiet() {
            return Ok(());
        }
        if Instant::now() > deadline {
            let waiting = serde_json::to_string(&status.queues).map_err(Failure::failed)?;
            return Err(anyhow::anyhow!(
                "the queues were not empty after {} s; is `rollbook up` running? waiting: {waiting}",
                patience.as_secs()
            )
            .into());
        }
        sleep(Duration::from_millis(50)).await;
    }
}
