//! Named points at which a crash test may kill the process.
//!
//! Without the feature `crash-points` [`point`] is empty and costs nothing. With it, the process
//! that was [`arm`]ed for a point sends itself SIGKILL there: no destructor runs and nothing is
//! flushed, exactly as when the machine's operator or its kernel does it. A payload can be marked,
//! too: whoever translates it dies each time, as with input that overflows a stack.

/// Every point of a callback's way, in the order in which it meets them. Tests walk this list, so a
/// name that is missing here would never be tried.
pub const POINTS: [&str; 8] = [
    "ingest.verified",
    "ingest.enqueued",
    "ingest.answering",
    "worker.loaded",
    "worker.committed",
    "worker.settling",
    "keeper.kept",
    "relay.published",
];

/// Those of a command that somebody waits for, on its way to the ledger: nothing is written yet, and
/// all of it is while nobody has been told.
pub const COMMAND_POINTS: [&str; 2] = ["teller.deciding", "teller.committed"];

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static ARMED: OnceLock<(String, AtomicU64)> = OnceLock::new();
    static DEADLY: OnceLock<Vec<u8>> = OnceLock::new();

    pub fn arm(point: &str, nth: u64) {
        let _ = ARMED.set((point.to_owned(), AtomicU64::new(nth)));
    }

    pub fn point(name: &str) {
        let Some((armed, left)) = ARMED.get() else { return };
        if armed == name && left.fetch_sub(1, Ordering::SeqCst) == 1 {
            die();
        }
    }

    pub fn arm_payload(mark: &str) {
        let _ = DEADLY.set(mark.as_bytes().to_owned());
    }

    pub fn payload(body: &[u8]) {
        let Some(mark) = DEADLY.get().filter(|mark| !mark.is_empty()) else { return };
        if body.windows(mark.len()).any(|part| part == mark) {
            die();
        }
    }

    fn die() {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        // The signal may reach another thread first; nothing may happen after this line.
        loop {
            std::thread::park();
        }
    }
}

/// Kills the process at the `nth` (from 1) passage of `point`.
#[cfg(feature = "crash-points")]
pub fn arm(point: &str, nth: u64) {
    armed::arm(point, nth);
}

/// A named point of the path.
#[inline]
pub fn point(name: &'static str) {
    #[cfg(feature = "crash-points")]
    armed::point(name);
    #[cfg(not(feature = "crash-points"))]
    let _ = name;
}

/// Kills the process whenever a worker translates a body that holds `mark`.
#[cfg(feature = "crash-points")]
pub fn arm_payload(mark: &str) {
    armed::arm_payload(mark);
}

/// A body that a worker is about to translate.
#[inline]
pub fn payload(body: &[u8]) {
    #[cfg(feature = "crash-points")]
    armed::payload(body);
    #[cfg(not(feature = "crash-points"))]
    let _ = body;
}
