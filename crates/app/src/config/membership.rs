//! `[membership]`: the price list and the renewal window.
//!
//! Prices are text. A TOML number would be a float, and `15.000` is fifteen to some and fifteen
//! thousand to others, so more decimals than the currency has are refused even where they are zeros.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollbook_domain::{Currency, Money, MoneyFault};
use rollbook_membership::{Plan as Rule, Rules};
use serde::Serialize;

use super::error::{ConfigError, Origins};
use super::section::Section;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// With fewer days left than this, a renewal begins at the end of the current term.
    pub renewal_window_days: u16,
    /// The purpose that a payment must state.
    pub purpose: String,
    pub plans: Vec<Plan>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub category: String,
    /// For people.
    pub name: String,
    pub price: String,
    /// The first payment date at this price.
    pub valid_from: String,
    /// The last payment date at this price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

const EXAMPLE: &str = "{ category = \"adult\", price = \"15.00\", valid_from = \"2019-01-01\" }";

impl Membership {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("membership")?.only(&["renewal_window_days", "purpose", "plans"])?;
        let plans = section.sections("plans", EXAMPLE)?;
        let purpose = section.text_or("purpose", rollbook_membership::DEFAULT_PURPOSE)?;
        if purpose.trim().is_empty() {
            return Err(section.fault("purpose", "is empty; leave it out to mean `membership`"));
        }
        let default = u32::from(rollbook_membership::DEFAULT_RENEWAL_WINDOW_DAYS);
        let days = section.count_or("renewal_window_days", 0..=365, default)?;
        let renewal_window_days = u16::try_from(days).unwrap_or(u16::MAX);
        let plans = plans.into_iter().map(Plan::read).collect::<Result<_, _>>()?;
        Ok(Self { renewal_window_days, purpose, plans })
    }

    pub(super) fn rules(&self, zone: TimeZone, currency: Currency, origins: &Origins) -> Result<Rules, ConfigError> {
        let mut plans: Vec<Rule> = Vec::new();
        for (index, plan) in self.plans.iter().enumerate() {
            let path = format!("membership.plans[{index}]");
            let rule = plan.rule(&path, currency, origins)?;
            if let Some(at) = plans.iter().position(|earlier| overlap(earlier, &rule)) {
                return Err(origins.about(&path, clash(at, plan.category.trim())));
            }
            plans.push(rule);
        }
        let purpose = self.purpose.clone();
        let rules = Rules { zone, currency, purpose, renewal_window_days: self.renewal_window_days, plans };
        rules.check().map_err(|fault| origins.about("membership", format!("cannot be used: {fault}")))?;
        Ok(rules)
    }
}

impl Plan {
    fn read(section: Section<'_>) -> Result<Self, ConfigError> {
        let section = section.only(&["category", "name", "price", "valid_from", "valid_until"])?;
        let category = section.required("category", "adult")?;
        if category.trim().is_empty() {
            return Err(section.fault("category", "is empty; write it as the payments do"));
        }
        Ok(Self {
            name: section.text_or("name", &category)?,
            category,
            price: section.required("price", "15.00")?,
            valid_from: section.required("valid_from", "2019-01-01")?,
            valid_until: section.text("valid_until")?,
        })
    }

    fn rule(&self, path: &str, currency: Currency, origins: &Origins) -> Result<Rule, ConfigError> {
        let about = |key: &str, sentence: String| origins.about(&format!("{path}.{key}"), sentence);
        let date = |key: &str, text: &str| {
            date(text).ok_or_else(|| about(key, format!("is no date: `{text}`; write one like `2019-01-31`")))
        };
        let valid_from = date("valid_from", &self.valid_from)?;
        let valid_until = self.valid_until.as_deref().map(|text| date("valid_until", text)).transpose()?;
        if valid_until.is_some_and(|until| until < valid_from) {
            return Err(about("valid_until", format!("is before `valid_from`, {valid_from}; swap or mend them")));
        }
        let price = price(&self.price, currency).map_err(|sentence| about("price", sentence))?;
        Ok(Rule { category: self.category.clone(), name: self.name.clone(), price, valid_from, valid_until })
    }
}

/// ISO 8601, with dashes and nothing else beside it.
pub(super) fn date(text: &str) -> Option<Date> {
    (text.len() == "2019-01-31".len()).then(|| text.parse().ok()).flatten()
}

fn price(text: &str, currency: Currency) -> Result<Money, String> {
    let decimals = text.trim().split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let parsed = Money::parse(text, currency);
    match parsed {
        Ok(money) if money.minor <= 0 => Err(format!("must be above zero: `{text}`")),
        Ok(_) | Err(MoneyFault::TooManyDecimals) if decimals > currency.decimals() as usize => {
            Err(format!("has too many decimals: `{text}`; {currency} has {}", currency.decimals()))
        }
        Ok(money) => Ok(money),
        Err(fault) => Err(format!("is no price: `{text}`: {fault}; write one like `15.00`")),
    }
}

/// Whether a payment of one day could match both.
fn overlap(one: &Rule, other: &Rule) -> bool {
    let begins_in_time = |rule: &Rule, end: Option<Date>| end.is_none_or(|end| rule.valid_from <= end);
    one.category.trim() == other.category.trim()
        && begins_in_time(one, other.valid_until)
        && begins_in_time(other, one.valid_until)
}

fn clash(earlier: usize, category: &str) -> String {
    format!(
        "overlaps `membership.plans[{earlier}]`, both of category `{category}`; end one by `valid_until` before the other begins"
    )
}
