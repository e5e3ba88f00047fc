//! What an event earns.

use jiff::Timestamp;
use rollbook_domain::{
    Amount, AmountFault, Capture, Change, Completion, Earning, Email, Event, Fact, FactRef, Fault, Money, Owner, Paid,
    PaymentRef, PersonId, Reads, Reason, Scope, State,
};

use crate::rate::{LARGEST, points};
use crate::reasons::{BAD_EMAIL, MISSING_FIELD, WRONG_AMOUNT};
use crate::rules::{Rule, Rules, Said};
use crate::share::under_cap;

/// What the filters of rules look at.
pub(crate) fn said(event: &Event) -> Said<'_> {
    match &event.fact {
        Fact::PaymentCaptured(capture) => {
            Said { purpose: capture.purpose.as_deref(), category: capture.category.as_deref() }
        }
        Fact::DocumentCompleted(completion) => Said { purpose: None, category: completion.category.as_deref() },
        _ => Said::default(),
    }
}

/// An event that some rule earns for.
pub(crate) struct Earner<'a> {
    pub event: &'a Event,
    pub rules: &'a Rules,
    /// With their identities, in their order.
    pub matching: Vec<(String, &'a Rule)>,
}

impl Earner<'_> {
    /// The scopes of `owner` in which the event earns.
    pub(crate) fn read(&self, owner: Owner, reads: &mut Reads) {
        let date = self.rules.date(self.event.occurred_at);
        reads.scopes.extend(self.matching.iter().filter_map(|(identity, rule)| {
            let period = rule.capped(date)?.period;
            Some(Scope { owner, rule: identity.clone(), period })
        }));
    }

    pub(crate) fn earn(&self, owner: Owner, paid: Option<&Paid>, state: &State) -> Result<Vec<Change>, Fault> {
        let mut left = LARGEST;
        let mut changes = Vec::new();
        for (identity, rule) in &self.matching {
            let earned = points(rule.rate, paid).filter(|earned| *earned <= left).ok_or_else(|| too_many(paid))?;
            left -= earned;
            changes.push(Change::Earn(Box::new(self.earning(identity, rule, owner, paid, earned, state))));
        }
        Ok(changes)
    }

    fn earning(
        &self,
        identity: &str,
        rule: &Rule,
        owner: Owner,
        paid: Option<&Paid>,
        earned: i64,
        state: &State,
    ) -> Earning {
        let at = whole_micros(self.event.occurred_at);
        let capped = rule.capped(self.rules.date(at));
        let fact = FactRef { account: self.event.account.clone(), key: self.event.key.clone() };
        let mut earning = Earning {
            of: fact.clone(),
            fact,
            rule: identity.to_owned(),
            owner,
            paid: paid.cloned(),
            rate: rule.rate,
            capped,
            earned,
            moved: earned,
            at,
            expires_at: self.rules.expires_at(at, capped),
        };
        if let (Some(scope), Some(capped)) = (earning.scope(), capped) {
            earning.moved = under_cap(state, &scope, capped.points, earned);
        }
        earning
    }
}

/// Databases keep no more of an instant.
pub(crate) fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// A payment that can be counted.
pub(crate) fn paid(event: &Event, capture: &Capture, money: Money) -> Result<Paid, Fault> {
    let fault = |detail: &str| fault(WRONG_AMOUNT, detail, Some(capture.amount.clone()));
    if capture.transaction.trim().is_empty() {
        return Err(Fault { reason: MISSING_FIELD, ..fault(NO_TRANSACTION) });
    }
    if money.minor < 0 {
        return Err(fault("an amount below zero was captured; look the payment up"));
    }
    if !capture.authorised_agrees(money) {
        return Err(fault("another amount was authorised than asked for; look the payment up"));
    }
    let payment = PaymentRef { account: event.account.clone(), transaction: capture.transaction.clone() };
    Ok(Paid { payment, amount: money, returned_minor: 0 })
}

pub(crate) fn money(amount: &Amount) -> Result<Money, Fault> {
    amount.money.map_err(|why| {
        let (reason, detail) = match why {
            AmountFault::MissingAmount => (MISSING_FIELD, NO_AMOUNT.to_owned()),
            AmountFault::MissingCurrency => (MISSING_FIELD, NO_CURRENCY.to_owned()),
            AmountFault::Unreadable(why) => {
                (WRONG_AMOUNT, format!("the amount is not valid: {why}; look the payment up"))
            }
        };
        fault(reason, &detail, Some(amount.clone()))
    })
}

/// Whoever paid.
pub(crate) fn payer(capture: &Capture) -> Result<PersonId, Fault> {
    person(capture.email.as_deref(), NO_PAYER).map_err(|fault| Fault { amount: Some(capture.amount.clone()), ..fault })
}

pub(crate) fn signer(completion: &Completion) -> Result<PersonId, Fault> {
    person(completion.email.as_deref(), NO_SIGNER)
}

fn person(written: Option<&str>, missing: &str) -> Result<PersonId, Fault> {
    let written = written.unwrap_or_default();
    if written.trim().is_empty() {
        return Err(fault(MISSING_FIELD, missing, None));
    }
    let email = Email::parse(written).ok_or_else(|| fault(BAD_EMAIL, IMPOSSIBLE_EMAIL, None))?;
    Ok(PersonId::of_first_address(&email))
}

fn too_many(paid: Option<&Paid>) -> Fault {
    let amount = paid.map(|paid| Amount::exact(paid.amount));
    fault(WRONG_AMOUNT, "it earns more points than can be counted; look the payment up, or mend the rules", amount)
}

const NO_TRANSACTION: &str =
    "the payment carries no transaction; see which field of the source holds it, correct that and replay";
const NO_AMOUNT: &str = "the payment carries no amount; look it up and have it sent again";
const NO_CURRENCY: &str = "the payment carries no currency; look it up and have it sent again";
const NO_PAYER: &str = "the payment carries no e-mail address, so nobody can be given its points; correct that and \
                        replay, discard it, or let the rule of `[points]` name what earns by its purpose";
const NO_SIGNER: &str = "the document carries no e-mail address, so nobody can be given its points; correct that and \
                         replay, or discard it";
const IMPOSSIBLE_EMAIL: &str =
    "the address of whoever earns cannot be an e-mail address; correct it in the dead letter and replay, or discard it";

pub(crate) fn fault(reason: Reason, detail: &str, amount: Option<Amount>) -> Fault {
    Fault { reason, detail: detail.to_owned(), amount }
}
