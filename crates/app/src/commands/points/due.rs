//! Moments of expiry, as people write them: a date, or how long from now.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::config::Resolved;
use crate::exit::Failure;

/// When something that is given or held is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry<'a> {
    /// As somebody wrote it.
    At(&'a str),
    /// As `[points] expire_after` says of what is earned at that moment; without it, never.
    AsEarned,
    Never,
}

impl<'a> Expiry<'a> {
    /// As `--expires` and `--never-expires` give it.
    pub fn of(written: Option<&'a str>, never: bool) -> Self {
        if never { Self::Never } else { written.map_or(Self::AsEarned, Self::At) }
    }

    pub fn moment(self, now: Timestamp, config: &Resolved) -> Result<Option<Timestamp>, Failure> {
        match self {
            Self::At(written) => parse(written, now, &config.zone).map(Some),
            Self::AsEarned => Ok(config.points.as_ref().and_then(|rules| rules.expires_at(now, None))),
            Self::Never => Ok(None),
        }
    }
}

/// For people: the last day, or the minute on the clock of the zone.
pub fn told(at: Option<Timestamp>, zone: &TimeZone) -> String {
    let Some(at) = at else { return "never".to_owned() };
    let local = at.to_zoned(zone.clone());
    if local.time() == jiff::civil::Time::midnight()
        && let Ok(last) = local.date().yesterday()
    {
        return format!("at the end of {last}");
    }
    local.strftime("%F %H:%M %Z").to_string()
}

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
    fn an_expiry_is_told_as_it_was_meant() {
        let zone = TimeZone::get("America/New_York").unwrap();
        assert_eq!(told(None, &zone), "never");
        assert_eq!(told(Some(at("2027-01-01T05:00:00Z")), &zone), "at the end of 2026-12-31");
        assert_eq!(told(Some(at("2028-03-07T12:00:30.000001Z")), &zone), "2028-03-07 07:00 EST");
    }

    #[test]
    fn what_is_past_or_no_time_is_refused() {
        let (zone, now) = (TimeZone::UTC, at("2026-03-07T12:00:00Z"));
        for text in ["2026-03-06", "-1 day", "0s", "soon", "", "2026-13-01", "99999 years"] {
            assert!(parse(text, now, &zone).is_err(), "{text}");
        }
    }
}
