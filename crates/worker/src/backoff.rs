//! Waiting: how fast we come back to something that failed, and how often we say so.

use std::error::Error;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

/// For a queue or a store that is away: from 0.1 s to at most 5 s, jitter included (it adds up to
/// the delay itself), for ever.
fn patient() -> ExponentialBackoff {
    endless(Duration::from_millis(100), Duration::from_millis(2500))
}

/// For a transaction that another writer beat: from 2 ms to at most 100 ms, jitter included.
pub(crate) fn brisk() -> ExponentialBackoff {
    endless(Duration::from_millis(2), Duration::from_millis(50))
}

fn endless(least: Duration, most: Duration) -> ExponentialBackoff {
    ExponentialBuilder::new().with_min_delay(least).with_max_delay(most).without_max_times().with_jitter().build()
}

/// Whether the whole time passed before `shutdown` was cancelled.
pub(crate) async fn pause(time: Duration, shutdown: &CancellationToken) -> bool {
    shutdown.run_until_cancelled(tokio::time::sleep(time)).await.is_some()
}

/// Something that may be away: spaces the tries, and logs a change of state instead of every try.
pub(crate) struct Link {
    what: &'static str,
    user: String,
    waits: Option<ExponentialBackoff>,
}

impl Link {
    /// `user` is the loop that needs `what`; both are for the log.
    pub(crate) fn new(what: &'static str, user: &str) -> Self {
        Self { what, user: user.to_owned(), waits: None }
    }

    /// How long to wait before the next try.
    pub(crate) fn lost(&mut self, error: &(dyn Error + 'static)) -> Duration {
        if self.waits.is_none() {
            tracing::warn!(what = self.what, user = %self.user, error = %chain(error), "away; trying until it is back");
        }
        self.waits.get_or_insert_with(patient).next().unwrap_or(Duration::from_secs(5))
    }

    pub(crate) fn found(&mut self) {
        if self.waits.take().is_some() {
            tracing::info!(what = self.what, user = %self.user, "back");
        }
    }
}

/// An error with its causes. Only for errors of a connection: a cause that speaks of a row may
/// hold personal data.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn waiting_never_ends_and_never_grows_over_its_bound() {
        let mut link = Link::new("queue", "membership");
        let error = io::Error::other("gone");
        assert!((0..200).all(|_| link.lost(&error) <= Duration::from_secs(5)));
        assert!(brisk().take(200).all(|delay| delay <= Duration::from_millis(100)));
        assert_eq!(brisk().take(200).count(), 200);
    }

    #[test]
    fn once_back_it_starts_anew() {
        let mut link = Link::new("queue", "membership");
        let error = io::Error::other("gone");
        let _ = (0..20).map(|_| link.lost(&error)).count();
        link.found();
        assert!(link.lost(&error) <= Duration::from_millis(200));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_ends_with_the_token() {
        let shutdown = CancellationToken::new();
        assert!(pause(Duration::from_secs(1), &shutdown).await);
        shutdown.cancel();
        assert!(!pause(Duration::from_hours(1), &shutdown).await);
    }
}
