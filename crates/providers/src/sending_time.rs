//! The tolerance of schemes that sign a sending time (Stripe, Standard Webhooks).
//!
//! Both ways: a clock in the future is as odd as one in the past, and several official libraries
//! that look at the past alone have had that reported as a fault. A retry is signed anew by both
//! providers, so the tolerance costs no late delivery. The signature is judged first, so that an
//! operator who sees `signature_stale` knows that the sender is genuine and a clock is wrong.

use jiff::Timestamp;

use crate::SignatureFault;

/// Seconds, inclusive.
const TOLERANCE_S: u64 = 300;

/// `sent_s` is the signed time in seconds since 1970.
pub(crate) fn check(sent_s: i64, now: Timestamp) -> Result<(), SignatureFault> {
    let skew_s = now.as_second().saturating_sub(sent_s);
    if skew_s.unsigned_abs() > TOLERANCE_S { Err(SignatureFault::Stale { skew_s }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_is_inside_on_both_sides() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        for (off_s, fresh) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(check(1_700_000_000 - off_s, now).is_ok(), fresh, "{off_s}");
        }
        assert!(check(i64::MIN, now).is_err());
        assert!(check(i64::MAX, now).is_err());
    }
}
