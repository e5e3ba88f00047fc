//! `[points]`: what earns points, and how long they live. Without the section nothing does.
//!
//! Lengths here are of the calendar: a month has no length in hours, and nobody means 720 of them.

use rollbook_domain::{Currency, Rate};
use rollbook_points::{Every, Lifetime, Most, Rule, Rules, Trigger};
use serde::Serialize;

use jiff::tz::TimeZone;

use super::error::{ConfigError, Origins};
use super::membership::date;
use super::nearest::suggestion;
use super::section::Section;
use super::source::ResolvedSource;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Points {
    /// Without it points never expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_after: Option<String>,
    pub earn: Vec<Earn>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Earn {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// A decimal: points for each unit of the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_unit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub award: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_member: Option<MaxPerMember>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MaxPerMember {
    pub points: u32,
    pub every: String,
}

const EXAMPLE: &str = "{ on = \"payment_captured\", per_unit = 1 }";
const MOST: u32 = 1_000_000_000;
const KEYS: [&str; 10] =
    ["name", "on", "purpose", "category", "source", "per_unit", "award", "max_per_member", "valid_from", "valid_until"];

impl Points {
    pub(super) fn read(root: &Section<'_>) -> Result<Option<Self>, ConfigError> {
        if !root.has("points") {
            return Ok(None);
        }
        let section = root.section("points")?.only(&["expire_after", "earn"])?;
        let earn = section.sections("earn", EXAMPLE)?;
        let earn = earn.into_iter().map(Earn::read).collect::<Result<_, _>>()?;
        Ok(Some(Self { expire_after: section.text("expire_after")?, earn }))
    }

    pub(super) fn rules(&self, zone: TimeZone, currency: Currency, origins: &Origins) -> Result<Rules, ConfigError> {
        let expire_after = self.expire_after.as_deref().map(|text| {
            let hint = "write one like `24 months`, `2 years` or `90 days`";
            let wrong = || origins.about("points.expire_after", format!("is no calendar time: `{text}`; {hint}"));
            lifetime(text).ok_or_else(wrong)
        });
        let mut earn: Vec<Rule> = Vec::new();
        for (index, written) in self.earn.iter().enumerate() {
            let path = format!("points.earn[{index}]");
            let rule = written.rule(&path, origins)?;
            let twin = |earlier: &Rule| earlier.identity() == rule.identity() && earlier.overlaps(&rule);
            if let Some(at) = earn.iter().position(twin) {
                return Err(origins.about(&path, clash(at, &rule)));
            }
            earn.push(rule);
        }
        let rules = Rules { zone, currency, expire_after: expire_after.transpose()?, earn };
        rules.check().map_err(|fault| origins.about("points", format!("cannot be used: {fault}")))?;
        Ok(rules)
    }

    /// A rule for a source that is not there, or that never says what the rule waits for, is a slip.
    pub(super) fn check_sources(&self, sources: &[ResolvedSource], origins: &Origins) -> Result<(), ConfigError> {
        for (index, earn) in self.earn.iter().enumerate() {
            let Some(name) = earn.source.as_deref().map(str::trim) else { continue };
            let about = |sentence| Err(origins.about(&format!("points.earn[{index}].source"), sentence));
            let Some(source) = sources.iter().find(|source| source.name.as_str() == name) else {
                let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
                return about(format!("names no source: `{name}`; {}", suggestion(name, &known)));
            };
            let yields = source.provider.yields();
            if Trigger::parse(&earn.on).is_none_or(|on| !yields.contains(&on.kind())) {
                let provider = source.provider.name();
                return about(format!("is `{name}`, and {provider} never says {}; name another source", earn.on));
            }
        }
        Ok(())
    }
}

impl Earn {
    fn read(section: Section<'_>) -> Result<Self, ConfigError> {
        let section = section.only(&KEYS)?;
        let award = section.has("award").then(|| section.count_or("award", 1..=MOST, 1)).transpose()?;
        Ok(Self {
            name: section.text("name")?,
            on: section.required("on", "payment_captured")?,
            purpose: section.text("purpose")?,
            category: section.text("category")?,
            source: section.text("source")?,
            per_unit: section.decimal("per_unit")?,
            award,
            valid_from: section.text("valid_from")?,
            valid_until: section.text("valid_until")?,
            max_per_member: MaxPerMember::read(&section)?,
        })
    }

    fn rule(&self, path: &str, origins: &Origins) -> Result<Rule, ConfigError> {
        let about = |key: &str, sentence: String| origins.about(&format!("{path}.{key}"), sentence);
        let known = Trigger::ALL.map(Trigger::as_str);
        let on = Trigger::parse(&self.on).ok_or_else(|| {
            about("on", format!("is nothing that earns: `{}`; {}", self.on, suggestion(&self.on, &known)))
        })?;
        let date = |key: &str, text: &Option<String>| {
            let wrong = |text: &str| about(key, format!("is no date: `{text}`; write one like `2019-01-31`"));
            text.as_deref().map(|text| date(text).ok_or_else(|| wrong(text))).transpose()
        };
        let most = self.max_per_member.as_ref().map(|most| most.most(path, origins)).transpose()?;
        let rule = Rule {
            name: self.name.clone(),
            on,
            purpose: self.purpose.clone(),
            category: self.category.clone(),
            source: self.source.clone(),
            rate: self.rate(path, origins)?,
            most,
            valid_from: date("valid_from", &self.valid_from)?,
            valid_until: date("valid_until", &self.valid_until)?,
        };
        rule.check().map_err(|fault| origins.about(path, format!("cannot be used: {fault}")))?;
        Ok(rule)
    }

    fn rate(&self, path: &str, origins: &Origins) -> Result<Rate, ConfigError> {
        let about = |key: &str, sentence: &str| Err(origins.about(&format!("{path}.{key}"), sentence));
        match (&self.per_unit, self.award) {
            (Some(text), None) => match per_10000(text) {
                Some(per_10000) => Ok(Rate::PerUnit { per_10000 }),
                None => about(
                    "per_unit",
                    "must be from 0.0001 to 10000, with at most 4 decimals; write `1`, or `\"0.5\"` in quotes",
                ),
            },
            (None, Some(points)) => Ok(Rate::Award { points: i64::from(points) }),
            (Some(_), Some(_)) => about("award", "and `per_unit` cannot both be given; make two rules of it"),
            (None, None) => Err(origins.about(path, "gives nothing; add `per_unit = 1` or `award = 100`")),
        }
    }
}

impl MaxPerMember {
    fn read(earn: &Section<'_>) -> Result<Option<Self>, ConfigError> {
        if !earn.has("max_per_member") {
            return Ok(None);
        }
        let section = earn.section("max_per_member")?.only(&["points", "every"])?;
        if !section.has("points") {
            return Err(section.whole("has no `points`; write it like `{ points = 500, every = \"1 month\" }`"));
        }
        let points = section.count_or("points", 1..=MOST, 1)?;
        Ok(Some(Self { points, every: section.required("every", "1 month")? }))
    }

    fn most(&self, path: &str, origins: &Origins) -> Result<Most, ConfigError> {
        let every = every(&self.every).filter(|every| every.is_whole()).ok_or_else(|| {
            let hint = "write `1 day`, `1 week`, `1 year`, or 1, 2, 3, 4 or 6 months";
            let sentence = format!("is no period of the calendar: `{}`; {hint}", self.every);
            origins.about(&format!("{path}.max_per_member.every"), sentence)
        })?;
        Ok(Most { points: i64::from(self.points), every })
    }
}

fn clash(earlier: usize, rule: &Rule) -> String {
    format!(
        "is named {:?} like `points.earn[{earlier}]` and earns on the same days; give one of them a `name`, \
         or end one by `valid_until` before the other begins",
        rule.identity()
    )
}

#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Day,
    Week,
    Month,
    Year,
}

/// A number and its unit, such as `24 months`.
fn calendar(text: &str) -> Option<(u16, Unit)> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit.trim() {
        "day" | "days" => Unit::Day,
        "week" | "weeks" => Unit::Week,
        "month" | "months" => Unit::Month,
        "year" | "years" => Unit::Year,
        _ => return None,
    };
    Some((number.parse().ok()?, unit))
}

/// At most a hundred years: more is a slip.
fn lifetime(text: &str) -> Option<Lifetime> {
    let (number, unit) = calendar(text)?;
    let lifetime = match unit {
        Unit::Day => Lifetime::Days(number),
        Unit::Week => Lifetime::Days(number.checked_mul(7)?),
        Unit::Month => Lifetime::Months(number),
        Unit::Year => Lifetime::Months(number.checked_mul(12)?),
    };
    let within = match lifetime {
        Lifetime::Days(days) => (1..=36_525).contains(&days),
        Lifetime::Months(months) => (1..=1200).contains(&months),
    };
    within.then_some(lifetime)
}

fn every(text: &str) -> Option<Every> {
    match calendar(text)? {
        (1, Unit::Day) => Some(Every::Day),
        (1, Unit::Week) => Some(Every::Week),
        (1, Unit::Year) => Some(Every::Months(12)),
        (number, Unit::Month) => Some(Every::Months(i8::try_from(number).ok()?)),
        _ => None,
    }
}

/// Digits with at most one point: a sign or an exponent has no place here.
fn per_10000(text: &str) -> Option<i64> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 4 || whole.len() > 5 {
        return None;
    }
    let rate = format!("{whole}{part:0<4}").parse().ok()?;
    (1..=100_000_000).contains(&rate).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact() {
        for (text, rate) in [("1", 10_000), ("0.5", 5000), ("0.0001", 1), (" 2.50 ", 25_000), ("10000", 100_000_000)] {
            assert_eq!(per_10000(text), Some(rate), "{text}");
        }
        for text in ["0", "0.0", "-1", "+1", "1e3", "0.00001", "10000.1", "", ".", "1.", ".5", "1,5", "one"] {
            assert_eq!(per_10000(text), None, "{text}");
        }
    }

    #[test]
    fn lifetimes_and_periods_are_of_the_calendar() {
        assert_eq!(lifetime("24 months"), Some(Lifetime::Months(24)));
        assert_eq!(lifetime("2years"), Some(Lifetime::Months(24)));
        assert_eq!(lifetime("3 weeks"), Some(Lifetime::Days(21)));
        for text in ["0 days", "101 years", "36526 days", "1 hour", "months", "24", "-1 month", "99999 weeks", ""] {
            assert_eq!(lifetime(text), None, "{text}");
        }
        let periods = [("1 day", Every::Day), ("1 week", Every::Week), ("1 year", Every::Months(12))];
        for (text, expected) in periods.into_iter().chain([("3 months", Every::Months(3))]) {
            assert_eq!(every(text), Some(expected), "{text}");
        }
        for text in ["2 days", "2 weeks", "2 years", "300 months", "month"] {
            assert_eq!(every(text), None, "{text}");
        }
    }
}
