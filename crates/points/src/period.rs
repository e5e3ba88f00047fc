//! Calendar periods and lifetimes, in the organisation's zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _};
use rollbook_domain::Period;

/// How long a period of a cap is. Periods are those of the calendar, never counted from an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Day,
    /// From Monday to Sunday (ISO 8601).
    Week,
    /// 1, 2, 3, 4, 6 or 12 months, counted from January.
    Months(i8),
}

impl Every {
    pub fn is_whole(self) -> bool {
        match self {
            Self::Day | Self::Week => true,
            Self::Months(months) => (1..=12).contains(&months) && 12 % months == 0,
        }
    }

    /// The period in which `date` falls.
    pub(crate) fn around(self, date: Date) -> Period {
        match self {
            Self::Day => Period { first: date, last: date },
            Self::Week => {
                let first = date.saturating_sub(i64::from(date.weekday().since(Weekday::Monday)).days());
                Period { first, last: first.saturating_add(6.days()) }
            }
            Self::Months(months) => {
                let before = (date.month() - 1) % months.max(1);
                let first = date.first_of_month().saturating_sub(i64::from(before).months());
                let last = first.saturating_add(i64::from(months - 1).months()).last_of_month();
                Period { first, last }
            }
        }
    }
}

/// How long points live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    Days(u16),
    /// To the same day of a later month, or its last day.
    Months(u16),
}

impl Lifetime {
    fn span(self) -> Span {
        match self {
            Self::Days(days) => i64::from(days).days(),
            Self::Months(months) => i64::from(months).months(),
        }
    }

    /// When points of `at` expire: so much later by the calendar and the clock of `zone`, in whole
    /// microseconds. None past the year 9999.
    pub(crate) fn after(self, at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let expires_at = at.to_zoned(zone.clone()).checked_add(self.span()).ok()?;
        Some(expires_at.timestamp())
    }
}

/// The first instant after the period.
pub(crate) fn end(period: Period, zone: &TimeZone) -> Option<Timestamp> {
    let next = period.last.checked_add(1.day()).ok()?;
    Some(next.to_zoned(zone.clone()).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[rstest]
    #[case(Every::Day, "2019-03-10", "2019-03-10", "2019-03-10")]
    #[case(Every::Week, "2019-03-10", "2019-03-04", "2019-03-10")]
    #[case(Every::Week, "2019-03-11", "2019-03-11", "2019-03-17")]
    #[case(Every::Week, "2020-01-01", "2019-12-30", "2020-01-05")]
    #[case(Every::Months(1), "2020-02-29", "2020-02-01", "2020-02-29")]
    #[case(Every::Months(1), "2019-12-31", "2019-12-01", "2019-12-31")]
    #[case(Every::Months(3), "2019-05-15", "2019-04-01", "2019-06-30")]
    #[case(Every::Months(6), "2019-12-31", "2019-07-01", "2019-12-31")]
    #[case(Every::Months(12), "2019-01-01", "2019-01-01", "2019-12-31")]
    #[case(Every::Months(1), "9999-12-31", "9999-12-01", "9999-12-31")]
    fn periods_are_those_of_the_calendar(
        #[case] every: Every,
        #[case] date: &str,
        #[case] first: &str,
        #[case] last: &str,
    ) {
        assert_eq!(every.around(day(date)), Period { first: day(first), last: day(last) });
    }

    #[test]
    fn a_year_has_whole_periods_only() {
        let whole: Vec<i8> = (-1..=24).filter(|months| Every::Months(*months).is_whole()).collect();
        assert_eq!(whole, [1, 2, 3, 4, 6, 12]);
    }

    #[rstest]
    // Winter time to summer time: the clock of the zone counts, not hours.
    #[case(Lifetime::Days(1), "2019-03-09T17:00:00Z", "2019-03-10T16:00:00Z")]
    #[case(Lifetime::Months(24), "2019-01-31T12:00:00.000001Z", "2021-01-31T12:00:00.000001Z")]
    #[case(Lifetime::Months(1), "2019-01-31T12:00:00Z", "2019-02-28T12:00:00Z")]
    // 02:30 does not exist on 10 March 2019 in Boston.
    #[case(Lifetime::Days(1), "2019-03-09T07:30:00Z", "2019-03-10T07:30:00Z")]
    fn a_lifetime_is_of_the_calendar(#[case] lifetime: Lifetime, #[case] at: &str, #[case] expires_at: &str) {
        let boston = TimeZone::get("America/New_York").unwrap();
        assert_eq!(lifetime.after(at.parse().unwrap(), &boston), Some(expires_at.parse().unwrap()));
    }

    #[test]
    fn what_would_expire_after_all_time_never_does() {
        assert_eq!(Lifetime::Months(u16::MAX).after("9000-01-01T00:00:00Z".parse().unwrap(), &TimeZone::UTC), None);
    }

    #[test]
    fn a_period_ends_at_midnight_of_the_zone() {
        let boston = TimeZone::get("America/New_York").unwrap();
        let march = Every::Months(1).around(day("2019-03-10"));
        assert_eq!(end(march, &boston), Some("2019-04-01T04:00:00Z".parse().unwrap()));
    }
}
