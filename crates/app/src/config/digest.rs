//! The digest that names the rules in force. It is stored with every outcome, so that a reader can
//! tell which decisions were made under the same rules.
//!
//! It covers what decides and nothing else: no secrets, listeners or names for people, and neither the
//! order nor the spelling of the file (`15` and `15.00` are one price).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use rollbook_membership::{Plan, Rules};
use rollbook_points::{Rule, Rules as Points};
use sha2::{Digest as _, Sha256};

use super::source::Source;

/// 12 hex digits: enough to tell configurations of one organisation apart, short enough to read.
const DIGITS: usize = 12;

pub(super) fn of(membership: &Rules, points: Option<&Points>, sources: &BTreeMap<String, Source>) -> String {
    let mut text = String::from("rollbook rules 1\n");
    line(&mut text, &["zone", membership.zone.iana_name().unwrap_or_default()]);
    line(&mut text, &["currency", membership.currency.as_str()]);
    line(&mut text, &["purpose", membership.purpose.trim()]);
    line(&mut text, &["renewal_window_days", &membership.renewal_window_days.to_string()]);
    let mut plans: Vec<String> = membership.plans.iter().map(plan).collect();
    plans.sort_unstable();
    text.extend(plans);
    text.extend(points.map(earning));
    text.extend(sources.iter().map(|(name, it)| source(name, it)));
    let mut hex = hex::encode(Sha256::digest(text));
    hex.truncate(DIGITS);
    hex
}

fn plan(plan: &Plan) -> String {
    let until = plan.valid_until.map(|date| date.to_string()).unwrap_or_default();
    let mut text = String::new();
    line(&mut text, &["plan", plan.category.trim(), &plan.price.to_string(), &plan.valid_from.to_string(), &until]);
    text
}

fn earning(points: &Points) -> String {
    let mut text = String::new();
    line(&mut text, &["points", &points.expire_after.map(|life| format!("{life:?}")).unwrap_or_default()]);
    let mut rules: Vec<String> = points.earn.iter().map(earn).collect();
    rules.sort_unstable();
    text.extend(rules);
    text
}

/// With its name: what was earned is filed under it.
fn earn(rule: &Rule) -> String {
    let most = rule.most.map(|most| format!("{most:?}")).unwrap_or_default();
    let date = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
    let filters = [&rule.purpose, &rule.category, &rule.source];
    let filters = filters.map(|filter| filter.as_deref().map(str::trim).unwrap_or_default());
    let mut text = String::new();
    line(&mut text, &["earn", &rule.identity(), rule.on.as_str()]);
    line(&mut text, &filters);
    line(&mut text, &[&format!("{:?}", rule.rate), &most, &date(rule.valid_from), &date(rule.valid_until)]);
    text
}

fn source(name: &str, source: &Source) -> String {
    let fields = source.fields();
    let mut text = String::new();
    line(&mut text, &["source", name, &source.provider, &source.account]);
    for field in [&fields.purpose, &fields.category, &fields.email, &fields.name] {
        line(&mut text, &["field", field.as_deref().unwrap_or_default()]);
    }
    // Added later, and only where it is set: other configurations keep their digest.
    if let Some(field) = &fields.points_group {
        line(&mut text, &["points_group", field]);
    }
    text
}

/// Quoted, so that no value can look like two.
fn line(text: &mut String, words: &[&str]) {
    for word in words {
        let _ = write!(text, "{word:?} ");
    }
    text.push('\n');
}
