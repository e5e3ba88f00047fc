//! `[organisation]`: whose records these are, and the zone and currency that every rule uses.
//!
//! Nothing here has a default: a wrong zone moves payment dates, and nobody notices for months.

use jiff::tz::TimeZone;
use rollbook_domain::Currency;
use serde::Serialize;

use super::error::{ConfigError, Origins};
use super::nearest::nearest;
use super::section::Section;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Organisation {
    pub name: String,
    /// An IANA name. Payment and signing dates are calendar dates in it.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
}

impl Organisation {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("organisation")?.only(&["name", "time_zone", "currency"])?;
        let name = section.required("name", "Outing Club")?;
        if name.trim().is_empty() {
            return Err(section.fault("name", "is empty; give the organisation's name"));
        }
        let time_zone = section.required("time_zone", "America/New_York")?;
        Ok(Self { name, time_zone, currency: section.required("currency", "USD")? })
    }

    pub(super) fn zone(&self, origins: &Origins) -> Result<TimeZone, ConfigError> {
        TimeZone::get(&self.time_zone).map_err(|_| {
            let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
            let hint = match nearest(&self.time_zone, known.iter().map(String::as_str)) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "give an IANA name such as `Europe/Berlin`".to_owned(),
            };
            origins.about("organisation.time_zone", format!("names no time zone: `{}`; {hint}", self.time_zone))
        })
    }

    pub(super) fn money(&self, origins: &Origins) -> Result<Currency, ConfigError> {
        Currency::parse(&self.currency).ok_or_else(|| {
            let sentence = format!("is no currency: `{}`; give an ISO 4217 code such as `USD`", self.currency);
            origins.about("organisation.currency", sentence)
        })
    }
}
