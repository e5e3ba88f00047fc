//! Moments of expiry, as people write them: a date, or how long from now.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::exit::Failure;

/// A date means its end in the organisation's zone: what expires on a day can be used on that day.
/// A span is counted on the calendar of that zone, so that `24 months` ends on the same day of the month.
pub fn parse(written: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Failure> {
    let at = date(written, zone).or_else(|| span(written, now, zone));
    let wrong = "is neither a date (2027-12-31) nor how long from now (\"24 months\", \"15 minutes\")";
    let at = at.ok_or_else(|| Failure::usage(anyhow::anyhow!("`{written}` {wrong}")))?;
    if at <= now {
        return Err(Failure::usage(anyhow::anyhow!("`{written}` is not after now; give a later time")));
    }
    Ok(at)
}

fn date(written: &str, zone: &TimeZone) -> Option<Timestamp> {
    let date: jiff::civil::Date = (written.trim().len() == 10).then(|| written.trim().parse().ok())??;
    let next = date.tomorrow().ok()?;
    next.to_zoned(zone.clone()).ok().map(|midnight| midnight.timestamp())
}

fn span(written: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    let span: Span = written.trim().parse().ok()?;
    now.to_zoned(zone.clone()).checked_add(span).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_date_is_valid_on_its_day_and_a_span_keeps_the_hour() {
        let (zone, now) = (TimeZone::get("America/New_York").unwrap(), at("2026-03-07T12:00:00Z"));
        let parsed = |text| parse(text, now, &zone).unwrap();
        assert_eq!(parsed("2026-12-31"), at("2027-01-01T05:00:00Z"));
        assert_eq!(parsed("15 minutes"), at("2026-03-07T12:15:00Z"));
        // The clock was put forward meanwhile.
        assert_eq!(parsed("2 days"), at("2026-03-09T11:00:00Z"));
        assert_eq!(parsed("24 months"), at("2028-03-07T12:00:00Z"));
    }

    #[test]
    fn what_is_past_or_no_time_is_refused() {
        let (zone, now) = (TimeZone::UTC, at("2026-03-07T12:00:00Z"));
        for text in ["2026-03-06", "-1 day", "0s", "soon", "", "2026-13-01", "99999 years"] {
            assert!(parse(text, now, &zone).is_err(), "{text}");
        }
    }
}
