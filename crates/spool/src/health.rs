//! Whether the broker is believed to take messages.
//!
//! A failure counts only when nothing was confirmed since that message was offered: then it is the
//! broker's and not the message's. Silence for a whole budget is believed at once, because everybody
//! would wait as long again; an error that comes at once costs nothing and is believed the third time.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const BELIEVED_AT: u32 = 3;

pub(crate) struct Health {
    probe_every: Duration,
    confirms: AtomicU64,
    belief: Mutex<Belief>,
}

#[derive(Default)]
struct Belief {
    /// Away, and to be asked again then.
    ask_at: Option<Instant>,
    failures: u32,
    /// It was said that the broker is away.
    told: bool,
}

/// How many confirms there were when something was offered.
#[derive(Clone, Copy)]
pub(crate) struct Mark(u64);

/// What a drainer may offer now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    All,
    /// To find out.
    One,
    /// Nothing before this time.
    Later(Instant),
}

impl Health {
    pub(crate) fn new(probe_every: Duration) -> Self {
        Self { probe_every, confirms: AtomicU64::new(0), belief: Mutex::default() }
    }

    fn belief(&self) -> MutexGuard<'_, Belief> {
        self.belief.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.confirms.load(Ordering::Acquire))
    }

    pub(crate) fn confirmed_since(&self, mark: Mark) -> bool {
        self.mark().0 != mark.0
    }

    pub(crate) fn is_away(&self) -> bool {
        self.belief().ask_at.is_some()
    }

    pub(crate) fn permit(&self) -> Permit {
        let mut belief = self.belief();
        let now = Instant::now();
        match belief.ask_at {
            None => Permit::All,
            Some(at) if at > now => Permit::Later(at),
            Some(_) => {
                belief.ask_at = Some(now + self.probe_every);
                Permit::One
            }
        }
    }

    pub(crate) fn confirmed(&self) {
        self.confirms.fetch_add(1, Ordering::AcqRel);
        let mut belief = self.belief();
        belief.failures = 0;
        belief.ask_at = None;
        if std::mem::take(&mut belief.told) {
            tracing::info!("the broker takes callbacks again");
        }
    }

    /// It said no, or that it cannot be reached.
    pub(crate) fn failed(&self, offered: Mark, error: &dyn Display) {
        if self.confirmed_since(offered) {
            return;
        }
        let mut belief = self.belief();
        belief.failures += 1;
        if belief.failures >= BELIEVED_AT {
            self.lose(&mut belief, error);
        }
    }

    /// It said nothing for as long as anybody could wait.
    pub(crate) fn silent(&self, offered: Mark) {
        if !self.confirmed_since(offered) {
            self.lose(&mut self.belief(), &"it does not answer in time");
        }
    }

    fn lose(&self, belief: &mut Belief, error: &dyn Display) {
        belief.ask_at.get_or_insert_with(|| Instant::now() + self.probe_every);
        if !std::mem::replace(&mut belief.told, true) {
            tracing::warn!(%error, "the broker does not take callbacks; they go to the spool until it does");
        }
    }

    /// There is nothing to ask it with: the next callback will find out.
    pub(crate) fn presume(&self) {
        self.belief().ask_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_few_refusals_in_a_row_are_believed_and_a_confirm_between_counts_anew() {
        let health = Health::new(SOON);
        for _ in 0..2 {
            health.failed(health.mark(), &"no");
            health.failed(health.mark(), &"no");
            assert!(!health.is_away());
            health.confirmed();
        }
        for _ in 0..3 {
            health.failed(health.mark(), &"no");
        }
        assert!(health.is_away());
        health.confirmed();
        assert!(!health.is_away());
    }

    #[test]
    fn one_silence_is_believed_unless_others_were_answered_meanwhile() {
        let health = Health::new(SOON);
        let offered = health.mark();
        health.confirmed();
        health.silent(offered);
        assert!(!health.is_away());
        health.silent(health.mark());
        assert!(health.is_away());
    }

    #[test]
    fn while_it_is_away_one_is_offered_when_the_time_has_come() {
        let health = Health::new(SOON);
        assert_eq!(health.permit(), Permit::All);
        health.silent(health.mark());
        assert!(matches!(health.permit(), Permit::Later(_)));
        health.belief().ask_at = Some(Instant::now());
        assert_eq!(health.permit(), Permit::One);
        assert!(matches!(health.permit(), Permit::Later(_)), "only one");
        health.presume();
        assert_eq!(health.permit(), Permit::All);
    }
}
