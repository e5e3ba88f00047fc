//! Durations and sizes as people write them: `2m`, `90 days`, `1MiB`.
//!
//! A number without its unit is refused: seconds, milliseconds and minutes have all been guessed
//! wrong somewhere. A month has no length, so it is no unit. A general duration parser reads many
//! more spellings than a configuration needs, some of them with calendar units.

use std::time::Duration;

/// Longer than this is a slip; it keeps every sum with a timestamp in range.
const LONGEST: Duration = Duration::from_hours(36_500 * 24);

/// Reads `1500ms`, `1s`, `2m`, `1h 30m`, `90 days`. Zero is read too. At most a hundred years.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, unit, after) = pair(rest)?;
        let one = Duration::from_millis(milliseconds(unit)?);
        total = total.checked_add(one.checked_mul(u32::try_from(number).ok()?)?)?;
        rest = after;
    }
    (total <= LONGEST).then_some(total)
}

/// Reads `512B`, `64KiB`, `1 MiB`, `1GB` into bytes. `KiB` is 1,024 bytes and `kB` 1,000.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit, after) = pair(text.trim())?;
    if !after.is_empty() {
        return None;
    }
    number.checked_mul(bytes(unit)?)
}

/// A number, its unit, and what follows.
fn pair(text: &str) -> Option<(u64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, after) = rest.split_at(letters);
    Some((number.parse().ok()?, unit, after.trim_start()))
}

fn milliseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "second" | "seconds" => 1_000,
        "m" | "min" | "minute" | "minutes" => 60_000,
        "h" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 604_800_000,
        _ => return None,
    })
}

fn bytes(unit: &str) -> Option<u64> {
    Some(match unit {
        "B" => 1,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit_and_a_length() {
        for (text, seconds) in [
            ("1s", Some(1.0)),
            ("1500ms", Some(1.5)),
            ("2m", Some(120.0)),
            ("1h", Some(3_600.0)),
            ("1h 30m", Some(5_400.0)),
            ("1h30m", Some(5_400.0)),
            ("90 days", Some(7_776_000.0)),
            (" 2 weeks ", Some(1_209_600.0)),
            ("0s", Some(0.0)),
            ("5", None),
            ("", None),
            ("s", None),
            ("-1s", None),
            ("1.5s", None),
            ("1 month", None),
            ("1 year", None),
            ("1s,", None),
            ("40000 days", None),
            ("99999999999999999999s", None),
        ] {
            assert_eq!(duration(text).map(|d| d.as_secs_f64()), seconds, "{text:?}");
        }
    }

    #[test]
    fn sizes_tell_thousands_from_powers_of_two() {
        for (text, bytes) in [
            ("512B", Some(512)),
            ("1KiB", Some(1_024)),
            ("1kB", Some(1_000)),
            ("1MiB", Some(1_048_576)),
            ("1 MiB", Some(1_048_576)),
            ("1GB", Some(1_000_000_000)),
            ("1M", None),
            ("1", None),
            ("", None),
            ("-1MiB", None),
            ("1MiB 1KiB", None),
            ("99999999999999TiB", None),
        ] {
            assert_eq!(size(text), bytes, "{text:?}");
        }
    }
}
