//! The retry schedule: how long an event that could not be settled waits before its next attempt.

use std::time::Duration;

/// One delay an attempt. After the last one the event becomes a dead letter.
///
/// A list rather than a formula, because the person who reads the configuration must see at a
/// glance when Rollbook gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

/// Each delay is spread over this share of itself to both sides, in thousandths, so that a burst
/// that failed together does not come back together.
const JITTER_PERMILLE: u64 = 200;

impl RetrySchedule {
    /// An empty list means that nothing is tried twice.
    pub fn new(delays: Vec<Duration>) -> Self {
        Self(delays)
    }

    /// The delay after `attempts` attempts (from 1) have been made, or `None` when that was the last.
    pub fn after(&self, attempts: u32, random: u64) -> Option<Duration> {
        let index = usize::try_from(attempts.checked_sub(1)?).ok()?;
        self.0.get(index).map(|delay| jittered(*delay, random))
    }

    /// How many attempts there are in all.
    pub fn attempts(&self) -> usize {
        self.0.len() + 1
    }
}

impl Default for RetrySchedule {
    fn default() -> Self {
        Self([1, 5, 30, 2 * 60, 10 * 60, 60 * 60, 6 * 60 * 60].map(Duration::from_secs).to_vec())
    }
}

fn jittered(delay: Duration, random: u64) -> Duration {
    let permille = 1000 - JITTER_PERMILLE + random % (2 * JITTER_PERMILLE + 1);
    let nanos = delay.as_nanos() * u128::from(permille) / 1000;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_grows_and_then_ends() {
        let schedule = RetrySchedule::default();
        let middle = JITTER_PERMILLE;
        let delays: Vec<u64> = (1..).map_while(|n| schedule.after(n, middle)).map(|d| d.as_secs()).collect();
        assert_eq!(delays, [1, 5, 30, 120, 600, 3600, 21600]);
        assert_eq!(schedule.attempts(), 8);
        assert_eq!(schedule.after(0, middle), None);
        assert_eq!(RetrySchedule::new(Vec::new()).after(1, middle), None);
    }

    #[test]
    fn both_ends_of_the_jitter_are_reached() {
        let schedule = RetrySchedule::new(vec![Duration::from_secs(10)]);
        assert_eq!(schedule.after(1, 0), Some(Duration::from_secs(8)));
        assert_eq!(schedule.after(1, 2 * JITTER_PERMILLE), Some(Duration::from_secs(12)));
    }

    proptest! {
        #[test]
        fn jitter_is_at_most_a_fifth(seconds in 0_u64..1_000_000, random: u64) {
            let delay = Duration::from_secs(seconds);
            let got = RetrySchedule::new(vec![delay]).after(1, random).unwrap();
            prop_assert!(got >= delay * 4 / 5 && got <= delay * 6 / 5);
        }
    }
}
