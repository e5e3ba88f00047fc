//! At most one log line a second for each thing that an outsider can cause at will.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Throttle {
    born: Instant,
    /// Milliseconds after `born` from which the next line may pass.
    open_from_ms: AtomicU64,
    held_back: AtomicU64,
}

impl Throttle {
    pub fn new(now: Instant) -> Self {
        Self { born: now, open_from_ms: AtomicU64::new(0), held_back: AtomicU64::new(0) }
    }

    /// How many happened since the last line, this one included, if a line is due now.
    pub fn pass(&self, now: Instant) -> Option<u64> {
        let happened = self.held_back.fetch_add(1, Ordering::Relaxed) + 1;
        let now_ms = millis(now.saturating_duration_since(self.born));
        let open_from = self.open_from_ms.load(Ordering::Relaxed);
        let next = now_ms + millis(EVERY);
        let mine = now_ms >= open_from
            && self.open_from_ms.compare_exchange(open_from, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        mine.then(|| {
            self.held_back.fetch_sub(happened, Ordering::Relaxed);
            happened
        })
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_a_second_and_none_uncounted() {
        let start = Instant::now();
        let throttle = Throttle::new(start);
        assert_eq!(throttle.pass(start), Some(1));
        for ms in [1, 400, 999] {
            assert_eq!(throttle.pass(start + Duration::from_millis(ms)), None);
        }
        assert_eq!(throttle.pass(start + Duration::from_secs(1)), Some(4));
        assert_eq!(throttle.pass(start + Duration::from_secs(90)), Some(1));
    }
}
