//! Time in both files: microseconds since the epoch, UTC, as an integer. It sorts, it is the same
//! in PostgreSQL's `timestamptz`, and nothing needs to parse it. Nanoseconds are cut off.

use jiff::Timestamp;

pub fn to_micros(instant: Timestamp) -> i64 {
    instant.as_microsecond()
}

/// Fails beyond the year 9999 or before -9999: the file was not written by us.
pub fn from_micros(micros: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_microsecond(micros).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_comes_back_to_the_microsecond() {
        for text in ["2026-11-21T01:23:45.678901Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z"] {
            let instant: Timestamp = text.parse().unwrap();
            assert_eq!(from_micros(to_micros(instant)).unwrap(), instant);
        }
        from_micros(i64::MAX).unwrap_err();
    }
}
