//! The places for connections, and who must give theirs up when all are taken.
//!
//! Time-outs alone do not keep a front open: a thousand strangers who each send half a request hold
//! all places for as long as a slow head or body may take, and providers give up sooner. Shorter
//! time-outs would hurt slow but honest senders. So the time-outs stay, and count for little only
//! while newcomers wait: then one connection is ended for each of them. First those of a peer who
//! holds more than its share, and among equals those that rest, because nobody loses a request;
//! then the unfinished, the oldest first, because an honest request is whole within moments; last
//! the bodies that come well. Never a request that is being verified, published or answered.
//!
//! Rejected: a hard limit for each peer. A proxy that was not declared, or a provider with one
//! address, would be refused in a house with free places. Rejected too: ending many at once. The
//! delay is as short without it, and fewer honest ones are among them.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::client::Origin;
use crate::paced::{Pace, Phase, Progress};
use crate::throttle::Throttle;

/// How long a newcomer waits for a place before the house counts as crowded.
const CROWDED_AFTER: Duration = Duration::from_millis(250);

/// How long a crowd is remembered, so that the next newcomer need not wait again.
const CROWDED_FOR: Duration = Duration::from_secs(1);

/// A connection this young is left alone: its request may be there and not yet read. Not so for a
/// peer with more than its share, else a flood of young ones would push out the older of others.
/// Also the time between two tries.
const MOMENT: Duration = Duration::from_millis(10);

/// A body that comes at least this fast is the last to go.
const GOOD_BYTES_PER_SECOND: u128 = 16 * 1024;

pub(crate) struct Places {
    free: Arc<Semaphore>,
    share: usize,
    taken: Arc<Mutex<Taken>>,
    crowded_at: Mutex<Option<Instant>>,
    warnings: Throttle,
}

#[derive(Default)]
struct Taken {
    next: u64,
    seats: HashMap<u64, Seat>,
}

#[derive(Clone)]
struct Seat {
    /// `None` for a trusted proxy, who stands for many.
    peer: Option<IpAddr>,
    pace: Pace,
    needed: Arc<Notify>,
}

/// The place of one connection, free again when this is dropped.
pub(crate) struct Place {
    pub pace: Pace,
    needed: Arc<Notify>,
    number: u64,
    taken: Arc<Mutex<Taken>>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    /// At least one place. `share` is of each peer; `None` is half of all.
    pub fn new(places: usize, share: Option<usize>) -> Self {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(places)),
            share: share.unwrap_or(places / 2).max(1),
            taken: Arc::default(),
            crowded_at: Mutex::new(None),
            warnings: Throttle::new(std::time::Instant::now()),
        }
    }

    /// For one newcomer at a time: two would end two connections where the first is enough.
    pub async fn take(&self, origin: Origin) -> Place {
        let permit = self.permit().await;
        let seat = Seat { peer: peer(origin), pace: Pace::new(), needed: Arc::new(Notify::new()) };
        let mut taken = lock(&self.taken);
        let number = taken.next;
        taken.next += 1;
        taken.seats.insert(number, seat.clone());
        Place { pace: seat.pace, needed: seat.needed, number, taken: Arc::clone(&self.taken), _permit: permit }
    }

    async fn permit(&self) -> OwnedSemaphorePermit {
        let crowded = lock(&self.crowded_at).is_some_and(|at| at.elapsed() < CROWDED_FOR);
        if let Some(permit) = self.within(if crowded { Duration::ZERO } else { CROWDED_AFTER }).await {
            return permit;
        }
        loop {
            *lock(&self.crowded_at) = Some(Instant::now());
            self.make_room();
            if let Some(permit) = self.within(MOMENT).await {
                return permit;
            }
        }
    }

    async fn within(&self, patience: Duration) -> Option<OwnedSemaphorePermit> {
        match timeout(patience, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => Some(permit),
            // The semaphore is never closed.
            Ok(Err(_)) => std::future::pending().await,
            Err(_elapsed) => None,
        }
    }

    fn make_room(&self) {
        let Some(needed) = lock(&self.taken).first_to_go(self.share, Instant::now()) else { return };
        needed.notify_one();
        if let Some(count) = self.warnings.pass(std::time::Instant::now()) {
            warn!(count, "all connections are taken; those that rest or finish nothing are closed for newcomers");
        }
    }
}

impl Taken {
    fn first_to_go(&self, share: usize, now: Instant) -> Option<Arc<Notify>> {
        let mut held = HashMap::<IpAddr, usize>::new();
        for peer in self.seats.values().filter_map(|seat| seat.peer) {
            *held.entry(peer).or_default() += 1;
        }
        let ranked = self.seats.values().filter_map(|seat| {
            let progress = seat.pace.now();
            let greedy = seat.peer.is_some_and(|peer| held[&peer] > share);
            Some(((Reverse(greedy), rank(progress, now, greedy)?, progress.since), seat))
        });
        let ((_, rank, _), seat) = ranked.min_by_key(|(key, _)| *key)?;
        (rank != Rank::Young).then(|| Arc::clone(&seat.needed))
    }
}

/// The first goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Rests,
    Unfinished,
    /// Worth a moment of waiting, because what is left to choose from is worse.
    Young,
    ComesWell,
}

/// `None` for what must stay.
fn rank(progress: Progress, now: Instant, greedy: bool) -> Option<Rank> {
    let age = now.saturating_duration_since(progress.since);
    let young = age < MOMENT && !greedy;
    match progress.phase {
        Phase::Busy => None,
        Phase::Rest => (!young).then_some(Rank::Rests),
        Phase::Head | Phase::Body if young => Some(Rank::Young),
        Phase::Body if progress.bytes as u128 * 1000 >= GOOD_BYTES_PER_SECOND * age.as_millis() => {
            Some(Rank::ComesWell)
        }
        Phase::Head | Phase::Body => Some(Rank::Unfinished),
    }
}

impl Place {
    /// Until somebody else needs it.
    pub async fn needed(&self) {
        self.needed.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.taken).seats.remove(&self.number);
    }
}

/// Whoever has one IPv6 address has its whole /64.
fn peer(origin: Origin) -> Option<IpAddr> {
    let peer = match origin.peer {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    };
    (!origin.peer_trusted).then_some(peer)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::busy(Phase::Busy, 60_000, 0, None)]
    #[case::just_come(Phase::Head, 9, 0, Some(Rank::Young))]
    #[case::rests_but_just_now(Phase::Rest, 9, 0, None)]
    #[case::rests(Phase::Rest, 10, 0, Some(Rank::Rests))]
    #[case::half_a_head(Phase::Head, 10, 30_000, Some(Rank::Unfinished))]
    #[case::a_body_that_drips(Phase::Body, 1_000, 16 * 1024 - 1, Some(Rank::Unfinished))]
    #[case::a_body_that_comes_well(Phase::Body, 1_000, 16 * 1024, Some(Rank::ComesWell))]
    fn who_goes_when(#[case] phase: Phase, #[case] age_ms: u64, #[case] bytes: usize, #[case] expected: Option<Rank>) {
        let since = Instant::now();
        assert_eq!(rank(Progress { phase, since, bytes }, since + Duration::from_millis(age_ms), false), expected);
    }

    #[rstest]
    #[case("2001:db8::1", "2001:db8::ffff:1", true)]
    #[case("2001:db8::1", "2001:db8:0:1::1", false)]
    #[case("192.0.2.1", "::ffff:192.0.2.1", true)]
    #[case("192.0.2.1", "192.0.2.2", false)]
    fn who_is_one_peer(#[case] one: &str, #[case] other: &str, #[case] same: bool) {
        let of = |address: &str| peer(Origin::new(address.parse().unwrap(), &[]));
        assert_eq!(of(one) == of(other), same);
    }

    #[rstest]
    #[case(Phase::Busy, None)]
    #[case(Phase::Rest, Some(Rank::Rests))]
    #[case(Phase::Head, Some(Rank::Unfinished))]
    fn youth_does_not_protect_more_than_a_share(#[case] phase: Phase, #[case] expected: Option<Rank>) {
        let since = Instant::now();
        assert_eq!(rank(Progress { phase, since, bytes: 0 }, since, true), expected);
    }

    #[test]
    fn a_trusted_proxy_is_nobody() {
        assert_eq!(peer(Origin::new("192.0.2.1".parse().unwrap(), &["192.0.2.0/24".parse().unwrap()])), None);
    }
}
