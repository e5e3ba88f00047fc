//! Calendar rules that more than one processor follows.
//!
//! An event happens at an instant; a rule speaks of dates. Which date an instant falls on is asked
//! of the organisation's zone and of nothing else: not of UTC, not of the machine.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// The calendar date of `at` in `zone`.
pub fn date_in(zone: &TimeZone, at: Timestamp) -> Date {
    zone.to_datetime(at).date()
}

/// The same day of the next year; 28 February for a 29 February. Never past the year 9999.
pub fn a_year_after(date: Date) -> Date {
    date.saturating_add(1.year())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_zone_decides_on_the_date() {
        let boston = TimeZone::get("America/New_York").unwrap();
        for (at, on) in [
            ("2018-02-02T05:00:00Z", date(2018, 2, 2)),
            ("2018-02-02T04:59:59Z", date(2018, 2, 1)),
            ("2018-06-02T04:00:00Z", date(2018, 6, 2)),
            ("2018-06-02T03:59:59Z", date(2018, 6, 1)),
        ] {
            assert_eq!(date_in(&boston, at.parse().unwrap()), on, "{at}");
        }
    }

    #[test]
    fn a_year_is_a_calendar_year() {
        assert_eq!(a_year_after(date(2023, 3, 1)), date(2024, 3, 1));
        assert_eq!(a_year_after(date(2024, 2, 29)), date(2025, 2, 28));
        assert_eq!(a_year_after(date(2023, 2, 28)), date(2024, 2, 28));
        assert_eq!(a_year_after(Date::MAX), Date::MAX);
    }
}
