//! Whether a captured payment is what a plan asks for.
//!
//! The amount check is a security check: the form is posted by the payer's browser, so anybody can
//! get a validly signed callback for one dollar.

use jiff::Timestamp;
use jiff::civil::Date;
use rollbook_domain::{Amount, AmountFault, Capture, Currency, Email, Fault, Money, Reason, date_in};

use crate::reasons::{BAD_EMAIL, MISSING_FIELD, UNKNOWN_CATEGORY, WRONG_AMOUNT, WRONG_CURRENCY};
use crate::rules::{NoPlan, Plan, Rules};

/// A payment that buys a membership.
pub(crate) struct Dues<'a> {
    pub email: Email,
    /// The address as written.
    pub written: &'a str,
    pub category: String,
    pub amount: Money,
    pub paid_on: Date,
}

/// Checks in this order: fields, category, currency, amount. The purpose was checked before.
pub(crate) fn check<'a>(rules: &Rules, capture: &'a Capture, paid_at: Timestamp) -> Result<Dues<'a>, Fault> {
    let fault = |reason: Reason, detail: String| Fault { reason, detail, amount: Some(capture.amount.clone()) };
    let (written, category) = fields(capture).map_err(|detail| fault(MISSING_FIELD, detail))?;
    let email = Email::parse(written).ok_or_else(|| fault(BAD_EMAIL, BAD_EMAIL_DETAIL.to_owned()))?;
    let paid_on = date_in(&rules.zone, paid_at);
    let plan = rules
        .plan(category, paid_on)
        .map_err(|missing| fault(UNKNOWN_CATEGORY, unknown_category(missing, category, paid_on)))?;
    currency(rules, &capture.amount).map_err(|detail| fault(WRONG_CURRENCY, detail))?;
    let amount = amount(capture, plan, paid_on).map_err(|detail| fault(WRONG_AMOUNT, detail))?;
    Ok(Dues { email, written, category: category.to_owned(), amount, paid_on })
}

const BAD_EMAIL_DETAIL: &str =
    "the member's address cannot be an e-mail address; correct it in the dead letter and replay, or refund the payment";

fn fields(capture: &Capture) -> Result<(&str, &str), String> {
    let present = |field: &'static str, value: Option<&'_ str>| -> Result<(), String> {
        let blank = value.is_none_or(|value| value.trim().is_empty());
        if blank { Err(missing(field)) } else { Ok(()) }
    };
    let (written, category) = (capture.email.as_deref(), capture.category.as_deref());
    present("transaction", Some(&capture.transaction))?;
    present("email", written)?;
    present("category", category)?;
    match capture.amount.money {
        Err(AmountFault::MissingAmount) => return Err(missing("amount")),
        Err(AmountFault::MissingCurrency) => return Err(missing("currency")),
        Ok(_) | Err(AmountFault::Unreadable(_)) => {}
    }
    Ok((written.unwrap_or_default(), category.unwrap_or_default().trim()))
}

fn missing(field: &str) -> String {
    format!("the payment carries no {field}; see which field of the source holds it, correct that and replay")
}

fn unknown_category(missing: NoPlan, category: &str, paid_on: Date) -> String {
    let category = shown(category);
    match missing {
        NoPlan::Category => {
            format!("no plan has {category}; add one that is valid on {paid_on} and replay, or refund the payment")
        }
        NoPlan::Date => {
            format!("no plan of {category} is valid on {paid_on}; mend its dates and replay, or refund the payment")
        }
    }
}

/// The payer's browser can write anything into a category, so only what looks like a code is told.
fn shown(category: &str) -> String {
    let code = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if category.len() <= 24 && category.chars().all(code) {
        format!("the category {category}")
    } else {
        "the category that was sent (it does not look like a code)".to_owned()
    }
}

fn currency(rules: &Rules, amount: &Amount) -> Result<(), String> {
    match amount.currency.as_deref().and_then(Currency::parse) {
        Some(paid) if paid == rules.currency => Ok(()),
        Some(paid) => {
            Err(format!("paid in {paid}, but memberships are sold in {}; refund the payment", rules.currency))
        }
        None => Err(format!(
            "the currency is no ISO 4217 code, and memberships are sold in {}; see what the source sends",
            rules.currency
        )),
    }
}

fn amount(capture: &Capture, plan: &Plan, paid_on: Date) -> Result<Money, String> {
    let due = format!("{} costs {} on {paid_on}", shown(&plan.category), plan.price);
    let money = match capture.amount.money {
        Ok(money) => money,
        Err(AmountFault::Unreadable(fault)) => return Err(format!("the amount is not valid: {fault}; {due}")),
        Err(AmountFault::MissingAmount | AmountFault::MissingCurrency) => return Err(missing("amount")),
    };
    if money != plan.price {
        return Err(format!("{money} was paid, but {due}; refund it, or mend the price list and replay"));
    }
    if !capture.authorised_agrees(money) {
        return Err(format!("{money} was asked for, but another amount was authorised; {due}; look the payment up"));
    }
    Ok(money)
}
