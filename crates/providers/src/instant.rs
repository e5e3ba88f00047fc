//! Instants as providers write them.
//!
//! DocuSign writes seven decimals of a second, or none; other senders up to what their clock gives.
//! Digits beyond the ninth are cut off, not rounded, so that no instant moves into another second.
//! What lies before 1970 or after 8999 is a sender's default value (`0001-01-01`), not a time.

use std::borrow::Cow;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

/// 9000-01-01T00:00:00Z, seconds since 1970.
const LATEST_S: i64 = 221_845_392_000;

/// RFC 3339 with any number of decimals; `Z` or an offset is required.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    plausible(clip(text.trim()).parse().ok()?)
}

pub(crate) fn from_second(second: i64) -> Option<Timestamp> {
    plausible(Timestamp::from_second(second).ok()?)
}

/// Local time and its offset from UTC in hours, such as `-5`, `+5.5`. A time that carries its own
/// offset needs none.
pub(crate) fn local(text: &str, offset_hours: Option<&str>) -> Option<Timestamp> {
    if let Some(own) = parse(text) {
        return Some(own);
    }
    let civil: DateTime = clip(text.trim()).parse().ok()?;
    let offset = SignedDuration::from_secs(offset_s(offset_hours?)?);
    let utc = civil.checked_sub(offset).ok()?;
    plausible(jiff::tz::Offset::UTC.to_timestamp(utc).ok()?)
}

fn offset_s(hours: &str) -> Option<i64> {
    let hours: Decimal = hours.trim().trim_start_matches('+').parse().ok()?;
    let seconds = hours.checked_mul(Decimal::from(3600))?;
    let day = Decimal::from(86_400);
    if seconds.abs() > day { None } else { seconds.round().to_i64() }
}

/// Cut to microseconds, which is what the stores keep: an order that is decided by nanoseconds would
/// be another one once the facts come back from the records.
fn plausible(instant: Timestamp) -> Option<Timestamp> {
    let instant = Timestamp::from_microsecond(instant.as_microsecond()).ok()?;
    (0..LATEST_S).contains(&instant.as_second()).then_some(instant)
}

/// Keeps nine decimals of the second.
fn clip(text: &str) -> Cow<'_, str> {
    let Some(point) = text.find('.') else { return Cow::Borrowed(text) };
    let (whole, rest) = text.split_at(point + 1);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 9 {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{whole}{}{}", &rest[..9], &rest[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        parse(text).map(|instant| instant.to_string())
    }

    #[test]
    fn any_number_of_decimals_is_read() {
        assert_eq!(utc("2024-01-02T03:04:04Z").as_deref(), Some("2024-01-02T03:04:04Z"));
        assert_eq!(utc("2024-01-02T03:04:04.1234567Z").as_deref(), Some("2024-01-02T03:04:04.123456Z"));
        assert_eq!(utc("2024-01-02T03:04:59.99999999999-05:00").as_deref(), Some("2024-01-02T08:04:59.999999Z"));
        for odd in [
            "",
            "yesterday",
            "2024-01-02T03:04:04",
            "2024-13-02T03:04:04Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(utc(odd), None, "{odd}");
        }
    }

    #[test]
    fn local_times_follow_their_offset() {
        for (text, offset, expected) in [
            ("2018-11-10T18:41:06.937", Some("-5"), Some("2018-11-10T23:41:06.937Z")),
            ("2018-11-10T18:41:06", Some("0"), Some("2018-11-10T18:41:06Z")),
            ("2018-11-10T18:41:06.937", Some("+2"), Some("2018-11-10T16:41:06.937Z")),
            ("2018-11-10T18:41:06", Some("5.5"), Some("2018-11-10T13:11:06Z")),
            ("2018-11-10T18:41:06", Some("-3.5"), Some("2018-11-10T22:11:06Z")),
            ("2018-11-10T18:41:06Z", Some("-5"), Some("2018-11-10T18:41:06Z")),
            ("2018-11-10T18:41:06", None, None),
            ("2018-11-10T18:41:06", Some("EST"), None),
            ("2018-11-10T18:41:06", Some("99"), None),
        ] {
            assert_eq!(
                local(text, offset).map(|instant| instant.to_string()).as_deref(),
                expected,
                "{text} {offset:?}"
            );
        }
    }
}
