//! A moment on the command line.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A moment, how long ago, or a day, whose midnight depends on where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(Timestamp),
    On(Date),
}

impl Moment {
    /// None before and after all time.
    pub fn at(self, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::At(at) => Some(at),
            Self::On(date) => date.to_zoned(zone.clone()).ok().map(|midnight| midnight.timestamp()),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    #[expect(clippy::disallowed_methods, reason = "`3h` on the command line is counted from now")]
    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(at) = text.parse() {
            return Ok(Self::At(at));
        }
        // A date alone is ten characters; the parser would also take, and cut off, a time without a zone.
        if text.len() == 10
            && let Ok(date) = text.parse()
        {
            return Ok(Self::On(date));
        }
        let ago: jiff::Span = text.parse().map_err(|_| {
            "it is neither a moment with its zone (2026-11-20T18:00:00Z), a date, nor a length of time (3h)".to_owned()
        })?;
        let then = Timestamp::now().to_zoned(TimeZone::UTC).checked_sub(ago.abs());
        then.map(|zoned| Self::At(zoned.timestamp())).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Option<Timestamp> {
        text.parse::<Moment>().unwrap().at(&TimeZone::get("America/New_York").unwrap())
    }

    /// As statements print days, so are they asked for.
    #[test]
    fn a_day_begins_where_the_organisation_is() {
        assert_eq!(moment("2026-11-20"), Some("2026-11-20T05:00:00Z".parse().unwrap()));
        assert_eq!(moment("2026-11-20T00:00:00Z"), Some("2026-11-20T00:00:00Z".parse().unwrap()));
        assert!(moment("3h").unwrap() < moment("2h").unwrap());
        for wrong in ["2026-11-20T00:00", "yesterday", ""] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
