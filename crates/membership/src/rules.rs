//! The configuration of the membership rules.
//!
//! Prices have dates. A price list without them makes every correct old payment look wrong on the
//! day it changes, while messages are in flight or being replayed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollbook_domain::{Currency, Money};
use thiserror::Error;

/// The purpose that marks a membership payment, unless configured.
pub const DEFAULT_PURPOSE: &str = "membership";

/// With fewer days left than this, a renewal keeps them (mitoc-const, `membership.py`).
pub const DEFAULT_RENEWAL_WINDOW_DAYS: u16 = 40;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The organisation's zone: it decides on which date a payment was made.
    pub zone: TimeZone,
    pub currency: Currency,
    /// The purpose that marks a membership payment. Case counts, space around it does not.
    pub purpose: String,
    /// With fewer days left than this, a renewal starts where the current term ends; otherwise on
    /// the payment date.
    pub renewal_window_days: u16,
    /// The price list. An empty one is allowed: then every payment is a dead letter, and waits.
    pub plans: Vec<Plan>,
}

/// One price of one category for a span of dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub category: String,
    /// For people.
    pub name: String,
    pub price: Money,
    /// The first payment date on which it is valid.
    pub valid_from: Date,
    /// The last one; `None` for no end.
    pub valid_until: Option<Date>,
}

/// What is wrong with the rules: one sentence for whoever wrote the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RulesFault {
    #[error("the membership purpose is empty; write the word that marks a membership payment, such as \"membership\"")]
    EmptyPurpose,
    #[error("the plan {name:?} has an empty category; write the code that payments carry")]
    EmptyCategory { name: String },
    #[error("the plan {category:?} is priced in {found}, but the organisation's currency is {expected}")]
    Currency { category: String, found: Currency, expected: Currency },
    #[error("the plan {category:?} has the price {price}; a price must be more than zero")]
    Price { category: String, price: Money },
    #[error("the plan {category:?} ends on {until}, before it starts on {from}")]
    EndsBeforeStart { category: String, from: Date, until: Date },
    #[error("two plans of the category {category:?} are valid on {on}; end the earlier one the day before")]
    Overlap { category: String, on: Date },
}

/// Why there is no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlan {
    Category,
    Date,
}

impl Plan {
    fn is_valid_on(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_until.is_none_or(|until| date <= until)
    }

    fn is_of(&self, category: &str) -> bool {
        self.category.trim() == category.trim()
    }

    fn check(&self, currency: Currency) -> Result<(), RulesFault> {
        let category = self.category.clone();
        if category.trim().is_empty() {
            return Err(RulesFault::EmptyCategory { name: self.name.clone() });
        }
        if self.price.currency != currency {
            return Err(RulesFault::Currency { category, found: self.price.currency, expected: currency });
        }
        if self.price.minor <= 0 {
            return Err(RulesFault::Price { category, price: self.price });
        }
        match self.valid_until {
            Some(until) if until < self.valid_from => {
                Err(RulesFault::EndsBeforeStart { category, from: self.valid_from, until })
            }
            _ => Ok(()),
        }
    }
}

impl Rules {
    /// Says the first thing that is wrong, plan by plan, overlaps last.
    pub fn check(&self) -> Result<(), RulesFault> {
        if self.purpose.trim().is_empty() {
            return Err(RulesFault::EmptyPurpose);
        }
        self.plans.iter().try_for_each(|plan| plan.check(self.currency))?;
        self.check_overlaps()
    }

    fn check_overlaps(&self) -> Result<(), RulesFault> {
        let mut plans: Vec<&Plan> = self.plans.iter().collect();
        plans.sort_by_key(|plan| (plan.category.trim(), plan.valid_from));
        for pair in plans.windows(2) {
            let (earlier, later) = (pair[0], pair[1]);
            if earlier.is_of(&later.category) && earlier.is_valid_on(later.valid_from) {
                return Err(RulesFault::Overlap { category: later.category.clone(), on: later.valid_from });
            }
        }
        Ok(())
    }

    pub(crate) fn is_membership(&self, purpose: Option<&str>) -> bool {
        purpose.is_some_and(|purpose| purpose.trim() == self.purpose.trim())
    }

    /// The one plan of `category` that is valid on `date`.
    pub(crate) fn plan(&self, category: &str, date: Date) -> Result<&Plan, NoPlan> {
        let mut missing = NoPlan::Category;
        for plan in self.plans.iter().filter(|plan| plan.is_of(category)) {
            if plan.is_valid_on(date) {
                return Ok(plan);
            }
            missing = NoPlan::Date;
        }
        Err(missing)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use rstest::rstest;

    use super::*;

    fn usd() -> Currency {
        Currency::parse("USD").unwrap()
    }

    fn plan(category: &str, price: i64, from: Date, until: Option<Date>) -> Plan {
        let price = Money { minor: price, currency: usd() };
        Plan { category: category.to_owned(), name: "A plan".to_owned(), price, valid_from: from, valid_until: until }
    }

    fn rules(plans: Vec<Plan>) -> Rules {
        Rules {
            zone: TimeZone::UTC,
            currency: usd(),
            purpose: DEFAULT_PURPOSE.to_owned(),
            renewal_window_days: DEFAULT_RENEWAL_WINDOW_DAYS,
            plans,
        }
    }

    const FROM: Date = date(2019, 1, 1);

    #[rstest]
    #[case::no_plans(vec![])]
    #[case::one_after_the_other(vec![
        plan("NA", 4000, date(2019, 1, 1), None),
        plan("NA", 2500, date(2018, 1, 1), Some(date(2018, 12, 31))),
    ])]
    #[case::two_categories(vec![plan("NA", 4000, FROM, None), plan("MU", 1500, FROM, None)])]
    #[case::a_single_day(vec![plan("NA", 4000, FROM, Some(FROM))])]
    fn good_rules_pass(#[case] plans: Vec<Plan>) {
        assert_eq!(rules(plans).check(), Ok(()));
    }

    #[rstest]
    #[case::ends_on_the_others_first_day(
        vec![plan("NA", 4000, date(2019, 1, 1), None), plan("NA", 2500, date(2018, 1, 1), Some(date(2019, 1, 1)))],
        "two plans of the category \"NA\" are valid on 2019-01-01; end the earlier one the day before"
    )]
    #[case::same_category_but_for_space(
        vec![plan("NA", 4000, FROM, None), plan(" NA", 4000, FROM, None)],
        "two plans of the category \"NA\" are valid on 2019-01-01; end the earlier one the day before"
    )]
    #[case::open_end_before_a_gap(
        vec![plan("NA", 1, FROM, None), plan("NA", 1, date(2030, 1, 1), None)],
        "two plans of the category \"NA\" are valid on 2030-01-01; end the earlier one the day before"
    )]
    #[case::empty_category(
        vec![plan(" ", 4000, FROM, None)],
        "the plan \"A plan\" has an empty category; write the code that payments carry"
    )]
    #[case::free(vec![plan("NA", 0, FROM, None)], "the plan \"NA\" has the price 0.00 USD; a price must be more than zero")]
    #[case::negative(
        vec![plan("NA", -100, FROM, None)],
        "the plan \"NA\" has the price -1.00 USD; a price must be more than zero"
    )]
    #[case::backwards(
        vec![plan("NA", 1, FROM, Some(date(2018, 12, 31)))],
        "the plan \"NA\" ends on 2018-12-31, before it starts on 2019-01-01"
    )]
    fn bad_rules_are_told_in_one_sentence(#[case] plans: Vec<Plan>, #[case] sentence: &str) {
        // Which of two equal categories is named depends on their order; space around it does not matter.
        let told = rules(plans).check().unwrap_err().to_string();
        assert_eq!(told.replace("\" NA\"", "\"NA\""), sentence);
    }

    #[test]
    fn a_price_is_in_the_organisations_currency() {
        let mut rules = rules(vec![plan("NA", 4000, FROM, None)]);
        rules.currency = Currency::parse("EUR").unwrap();
        let told = rules.check().unwrap_err().to_string();
        assert_eq!(told, "the plan \"NA\" is priced in USD, but the organisation's currency is EUR");
    }

    #[test]
    fn a_purpose_is_needed() {
        let empty = Rules { purpose: "  ".to_owned(), ..rules(vec![]) };
        assert_eq!(empty.check(), Err(RulesFault::EmptyPurpose));
    }
}
