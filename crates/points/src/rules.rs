//! The configuration of earning.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollbook_domain::{Capped, Currency, Event, FactKind, Rate, date_in};
use thiserror::Error;

use crate::period::{Every, Lifetime, end};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The organisation's zone: it decides on dates and periods.
    pub zone: TimeZone,
    /// Only money in it earns.
    pub currency: Currency,
    /// How long points live; none: for ever.
    pub expire_after: Option<Lifetime>,
    pub earn: Vec<Rule>,
}

/// What earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    PaymentCaptured,
    MemberRegistered,
    DocumentCompleted,
}

impl Trigger {
    pub const ALL: [Self; 3] = [Self::PaymentCaptured, Self::MemberRegistered, Self::DocumentCompleted];

    pub fn kind(self) -> FactKind {
        match self {
            Self::PaymentCaptured => FactKind::PaymentCaptured,
            Self::MemberRegistered => FactKind::MemberRegistered,
            Self::DocumentCompleted => FactKind::DocumentCompleted,
        }
    }

    pub fn as_str(self) -> &'static str {
        self.kind().as_str()
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.as_str() == text)
    }
}

/// One way to earn. A filter that is not set lets everything pass; case counts, space around does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Without it the rule is named by what it asks for.
    pub name: Option<String>,
    pub on: Trigger,
    pub purpose: Option<String>,
    pub category: Option<String>,
    pub source: Option<String>,
    pub rate: Rate,
    pub most: Option<Most>,
    /// The first date on which it earns; none: always has.
    pub valid_from: Option<Date>,
    /// The last one.
    pub valid_until: Option<Date>,
}

/// `max_per_member`: at most so many points in each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Most {
    pub points: i64,
    pub every: Every,
}

/// What is wrong with the rules: one sentence for whoever wrote the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RulesFault {
    #[error("a name is empty, too long or has odd characters; write up to 64 of a-z, A-Z, 0-9, `-` and `_`")]
    Name,
    #[error("{on} has no {filter} to filter by; leave that out")]
    Filter { on: &'static str, filter: &'static str },
    #[error("an empty {filter} matches nothing; leave it out to let every {filter} pass")]
    EmptyFilter { filter: &'static str },
    #[error("points per unit need a payment, and {on} has none; give `award`")]
    NoPayment { on: &'static str },
    #[error("a rule must give more than 0 and at most a thousand million points at once")]
    Points,
    #[error("a period is a day, a week, a year, or 1, 2, 3, 4 or 6 months")]
    Period,
    #[error("points that live for 0 days are never seen; leave `expire_after` out to let them live for ever")]
    Lifetime,
    #[error("it ends on {until}, before it starts on {from}")]
    EndsBeforeStart { from: Date, until: Date },
    #[error(
        "two rules are both called {identity:?} and earn on the same days; give one a `name`, or end one by `valid_until` before the other begins"
    )]
    Same { identity: String },
}

/// More than this at once is a slip of the finger; it keeps sums far from what a balance can hold.
const MOST_AT_ONCE: i64 = 1_000_000_000;

impl Rule {
    /// What its earnings are filed under: it must not change while anything can still be given back.
    /// It depends neither on the order of the rules nor on rate, cap and dates, so that those may
    /// change.
    pub fn identity(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let filters = [("purpose", &self.purpose), ("category", &self.category), ("source", &self.source)];
        let given = filters.iter().filter_map(|(word, value)| Some((*word, value.as_deref()?.trim())));
        given.fold(self.on.as_str().to_owned(), |text, (word, value)| format!("{text} {word}={value:?}"))
    }

    pub fn check(&self) -> Result<(), RulesFault> {
        self.check_name()?;
        self.check_filters()?;
        let points = match self.rate {
            Rate::PerUnit { .. } if self.on != Trigger::PaymentCaptured => {
                return Err(RulesFault::NoPayment { on: self.on.as_str() });
            }
            Rate::PerUnit { per_10000 } => per_10000,
            Rate::Award { points } => points,
        };
        let most = self.most.map_or(1, |most| most.points);
        if ![points, most].iter().all(|points| (1..=MOST_AT_ONCE).contains(points)) {
            return Err(RulesFault::Points);
        }
        if self.most.is_some_and(|most| !most.every.is_whole()) {
            return Err(RulesFault::Period);
        }
        match (self.valid_from, self.valid_until) {
            (Some(from), Some(until)) if until < from => Err(RulesFault::EndsBeforeStart { from, until }),
            _ => Ok(()),
        }
    }

    fn check_name(&self) -> Result<(), RulesFault> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let good = |name: &String| (1..=64).contains(&name.len()) && name.chars().all(allowed);
        if self.name.as_ref().is_none_or(good) { Ok(()) } else { Err(RulesFault::Name) }
    }

    fn check_filters(&self) -> Result<(), RulesFault> {
        let lawful: &[&str] = match self.on {
            Trigger::PaymentCaptured => &["purpose", "category", "source"],
            Trigger::DocumentCompleted => &["category", "source"],
            Trigger::MemberRegistered => &[],
        };
        for (filter, value) in [("purpose", &self.purpose), ("category", &self.category), ("source", &self.source)] {
            let Some(value) = value else { continue };
            if !lawful.contains(&filter) {
                return Err(RulesFault::Filter { on: self.on.as_str(), filter });
            }
            if value.trim().is_empty() {
                return Err(RulesFault::EmptyFilter { filter });
            }
        }
        Ok(())
    }

    /// Whether both can earn on one day.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_in_time = |rule: &Self, end: Option<Date>| end.is_none_or(|end| rule.valid_from <= Some(end));
        begins_in_time(self, other.valid_until) && begins_in_time(other, self.valid_until)
    }

    fn is_valid_on(&self, date: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= date) && self.valid_until.is_none_or(|until| date <= until)
    }

    fn passes(&self, event: &Event, said: Said<'_>) -> bool {
        self.on.kind() == event.fact.kind()
            && passes(self.purpose.as_deref(), said.purpose)
            && passes(self.category.as_deref(), said.category)
            && passes(self.source.as_deref(), Some(event.source.as_str()))
    }

    pub(crate) fn capped(&self, date: Date) -> Option<Capped> {
        self.most.map(|most| Capped { period: most.every.around(date), points: most.points })
    }
}

/// What an event says of what the rules filter by.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    pub purpose: Option<&'a str>,
    pub category: Option<&'a str>,
}

fn passes(filter: Option<&str>, said: Option<&str>) -> bool {
    filter.is_none_or(|filter| said.is_some_and(|said| said.trim() == filter.trim()))
}

impl Rules {
    /// Says the first thing that is wrong, rule by rule, rules of one name last.
    pub fn check(&self) -> Result<(), RulesFault> {
        if matches!(self.expire_after, Some(Lifetime::Days(0) | Lifetime::Months(0))) {
            return Err(RulesFault::Lifetime);
        }
        self.earn.iter().try_for_each(Rule::check)?;
        for (at, rule) in self.earn.iter().enumerate() {
            let identity = rule.identity();
            if self.earn[..at].iter().any(|earlier| earlier.identity() == identity && earlier.overlaps(rule)) {
                return Err(RulesFault::Same { identity });
            }
        }
        Ok(())
    }

    pub(crate) fn date(&self, at: Timestamp) -> Date {
        date_in(&self.zone, at)
    }

    /// The rules that an event earns by, in order of identity.
    pub(crate) fn matching(&self, event: &Event, said: Said<'_>) -> Vec<(String, &Rule)> {
        let date = self.date(event.occurred_at);
        let matching = self.earn.iter().filter(|rule| rule.is_valid_on(date) && rule.passes(event, said));
        let mut matching: Vec<_> = matching.map(|rule| (rule.identity(), rule)).collect();
        matching.sort_by(|(one, _), (other, _)| one.cmp(other));
        matching
    }

    /// When points of `at` expire; none: never. Under a cap, those of one period expire together.
    pub fn expires_at(&self, at: Timestamp, capped: Option<Capped>) -> Option<Timestamp> {
        let from = capped.map_or(Some(at), |capped| end(capped.period, &self.zone))?;
        self.expire_after?.after(from, &self.zone)
    }

    /// Sources that rules name.
    pub fn sources(&self) -> BTreeSet<&str> {
        self.earn.iter().filter_map(|rule| rule.source.as_deref()).map(str::trim).collect()
    }
}

#[cfg(test)]
mod tests;
