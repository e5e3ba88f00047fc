//! Stories of people who pay, and of those who pay wrongly.

use std::sync::Arc;

use jiff::Timestamp;
use rollbook_domain::{EventKey, FactKind, Money, reasons};

use super::documents;
use super::teller::{CYBERSOURCE, DAY_S, Draft, STANDARD, STRIPE, Teller, dead, facts, genuine, ignored, later};
use super::{PlanPrice, StreamOptions};
use crate::bodies::stripe::{self, SessionEvent};
use crate::bodies::{Person, cybersource, standard};
use crate::{Callback, Effect, Key, Kind, MEMBERSHIP, Paid, Source, Verdict};

/// One payment, whoever carries it.
#[derive(Clone)]
pub struct Sale {
    pub source: Arc<Source>,
    pub transaction: String,
    pub person: Person,
    pub at: Timestamp,
    pub price: Money,
    /// What is written instead of the price.
    pub amount: Option<String>,
    /// The second signed amount, where it differs.
    pub authorised: Option<String>,
    pub purpose: &'static str,
    pub category: String,
    pub with_email: bool,
    /// How long after the payment this message of it was signed.
    pub posted_after_s: i64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum How {
    Paid,
    PaidLater,
    Pending,
    Declined,
}

impl Sale {
    pub fn applied(&self) -> Verdict {
        Verdict::Applied(self.effect())
    }

    fn effect(&self) -> Effect {
        Effect::Payment(Paid {
            transaction: self.transaction.clone(),
            email: self.person.email.clone(),
            minor: self.price.minor,
            currency: self.price.currency.to_string(),
            category: self.category.clone(),
            paid_at: self.at,
        })
    }

    /// The body of one message about it. `id` names the request.
    fn body(&self, id: &str, how: How) -> Vec<u8> {
        match (self.source.provider.name(), how) {
            (CYBERSOURCE, how) => self.reply(how),
            (STRIPE, how) => self.session(id, how),
            (_, How::Pending) => standard::payment_pending(&self.transaction, self.at),
            (_, How::Declined) => standard::payment_declined(&self.transaction, self.at),
            (_, How::Paid | How::PaidLater) => self.own_words(),
        }
    }

    fn reply(&self, how: How) -> Vec<u8> {
        let decision = match how {
            How::Paid | How::PaidLater => cybersource::Decision::Accept,
            How::Pending => cybersource::Decision::Review,
            How::Declined => cybersource::Decision::Decline,
        };
        let price = self.price.decimal();
        let amount = self.amount.as_deref().unwrap_or(&price);
        let authorised = self.authorised.as_deref().unwrap_or(amount);
        cybersource::reply(&cybersource::Reply {
            transaction: &self.transaction,
            decision,
            amount,
            authorised: (how != How::Declined).then_some(authorised),
            currency: self.price.currency.as_str(),
            purpose: self.purpose,
            category: Some(&self.category),
            member: &self.person,
            with_email: self.with_email,
            authorised_at: self.at,
            signed_at: later(self.at, self.posted_after_s),
            access_key: self.source.secret.key_id.as_deref().unwrap_or("invented-access-key"),
        })
    }

    fn session(&self, id: &str, how: How) -> Vec<u8> {
        let what = match how {
            How::Paid => SessionEvent::Paid,
            How::PaidLater => SessionEvent::PaidLater,
            How::Pending => SessionEvent::Unpaid,
            How::Declined => SessionEvent::Expired,
        };
        let session = stripe::Session {
            intent: &self.transaction,
            minor: self.price.minor,
            currency: &self.price.currency.as_str().to_ascii_lowercase(),
            purpose: self.purpose,
            category: Some(&self.category),
            member: &self.person,
            with_email: self.with_email,
        };
        stripe::checkout_session(&stripe::Event { id, created: self.at }, &session, what)
    }

    fn own_words(&self) -> Vec<u8> {
        standard::payment_captured(&standard::Payment {
            transaction: &self.transaction,
            amount: &self.amount.clone().unwrap_or_else(|| self.price.decimal()),
            currency: self.price.currency.as_str(),
            purpose: self.purpose,
            category: Some(&self.category),
            member: &self.person,
            with_email: self.with_email,
            at: self.at,
        })
    }
}

impl Teller<'_> {
    pub fn sale(&mut self, source: Arc<Source>, person: Person, at: Timestamp, plan: PlanPrice) -> Sale {
        let transaction = match source.provider.name() {
            CYBERSOURCE => self.digits(),
            STRIPE => self.id("pi_"),
            _ => self.id("pay_"),
        };
        Sale {
            source,
            transaction,
            person,
            at,
            price: plan.price,
            amount: None,
            authorised: None,
            purpose: "membership",
            category: plan.category,
            with_email: true,
            posted_after_s: 0,
        }
    }

    /// A new member's payment through any source that takes payments.
    pub fn new_sale(&mut self) -> Option<Sale> {
        let source = self.source_for(FactKind::PaymentCaptured)?;
        self.sale_through(source)
    }

    pub fn sale_through(&mut self, source: Arc<Source>) -> Option<Sale> {
        let (person, at, plan) = (self.person(), self.moment(), self.plan()?);
        Some(self.sale(source, person, at, plan))
    }

    /// The message that money has moved.
    pub fn captured(&mut self, sale: &Sale, kind: Kind, any_of: Vec<Verdict>) -> Callback {
        self.told(sale, kind, How::Paid, EventKey::captured(&sale.transaction), any_of)
    }

    fn told(&mut self, sale: &Sale, kind: Kind, how: How, key: EventKey, any_of: Vec<Verdict>) -> Callback {
        let id = self.request_id(&sale.source);
        let body = sale.body(&id, how);
        genuine(kind, &sale.source, id, body, facts(&sale.source, MEMBERSHIP, &Key::Named(key), any_of))
    }

    /// A payment that stands, with both of its posts where the provider makes two.
    pub fn paid(&mut self, sale: &Sale, kind: Kind) -> Vec<Draft> {
        let first = self.captured(sale, kind, vec![sale.applied()]);
        let mut drafts = vec![Draft::at(sale.at, first)];
        if sale.source.provider.name() == CYBERSOURCE && self.chance(40) {
            let second = Sale { posted_after_s: self.rng.i64(1..20), ..sale.clone() };
            let callback = self.captured(&second, Kind::SecondPost, vec![second.applied()]);
            drafts.push(Draft::at(second.at, callback).moved(self.rng.i64(-60..3600)));
        }
        drafts
    }

    fn alone(&mut self, sale: &Sale, kind: Kind, verdict: Verdict) -> Vec<Draft> {
        vec![Draft::at(sale.at, self.captured(sale, kind, vec![verdict]))]
    }
}

/// A new member pays, and nothing else happens.
pub fn one(teller: &mut Teller<'_>) -> Option<Draft> {
    let sale = teller.new_sale()?;
    Some(Draft::at(sale.at, teller.captured(&sale, Kind::Payment, vec![sale.applied()])))
}

/// Somebody joins, signs, and renews: early, in time, late, or twice on one day.
pub fn member(teller: &mut Teller<'_>) -> Vec<Draft> {
    let mut person = teller.person();
    let (mut at, Some(mut plan)) = (teller.moment(), teller.plan()) else { return Vec::new() };
    let mut drafts = Vec::new();
    if teller.chance(70) {
        let signed_at = if teller.chance(60) { at } else { later(at, teller.rng.i64(-5 * DAY_S..30 * DAY_S)) };
        drafts.extend(documents::signed(teller, &person, signed_at));
    }
    let payments = teller.rng.usize(1..=4);
    for number in 0..payments {
        let Some(source) = teller.source_for(FactKind::PaymentCaptured) else { break };
        let sale = teller.sale(source, person.clone(), at, plan.clone());
        let kind = if number == 0 { Kind::Payment } else { Kind::Renewal };
        drafts.extend(teller.paid(&sale, kind));
        at = next_payment(teller, at);
        if teller.is_over(at) {
            break;
        }
        person.retype(&mut teller.rng);
        if teller.chance(15) {
            plan = teller.plan().unwrap_or(plan);
        }
    }
    drafts
}

fn next_payment(teller: &mut Teller<'_>, last: Timestamp) -> Timestamp {
    let seconds = match teller.rng.u8(..10) {
        // Twice on one day.
        0 => teller.rng.i64(60..6 * 3600),
        // So early that days are lost.
        1 => teller.rng.i64(100 * DAY_S..320 * DAY_S),
        // Around the window of 40 days: 38 to 42 days before the end.
        2 | 3 => teller.rng.i64(323 * DAY_S..328 * DAY_S),
        4..=7 => teller.rng.i64(330 * DAY_S..365 * DAY_S),
        _ => teller.rng.i64(366 * DAY_S..480 * DAY_S),
    };
    later(last, seconds)
}

pub fn decline(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(sale) = teller.new_sale() else { return Vec::new() };
    let key = EventKey::declined(&sale.transaction);
    vec![Draft::at(sale.at, teller.told(&sale, Kind::Decline, How::Declined, key, vec![ignored("declined")]))]
}

/// In review at CyberSource; on its way by bank debit at Stripe, and then there.
pub fn review(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(sale) = teller.new_sale() else { return Vec::new() };
    let key = EventKey::pending(&sale.transaction);
    let pending = teller.told(&sale, Kind::Review, How::Pending, key, vec![ignored("pending")]);
    let mut drafts = vec![Draft::at(sale.at, pending)];
    if sale.source.provider.name() == STRIPE && teller.chance(60) {
        let arrived = Sale { at: later(sale.at, teller.rng.i64(DAY_S..4 * DAY_S)), ..sale };
        let key = EventKey::captured(&arrived.transaction);
        let callback = teller.told(&arrived, Kind::Payment, How::PaidLater, key, vec![arrived.applied()]);
        drafts.push(Draft::at(arrived.at, callback));
    }
    drafts
}

pub fn rental(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(mut sale) = teller.new_sale() else { return Vec::new() };
    sale.purpose = "rental";
    sale.price.minor = teller.rng.i64(100..9000);
    // A rental needs no member.
    sale.with_email = teller.chance(50);
    teller.alone(&sale, Kind::Rental, ignored("not_membership"))
}

/// Too little, too much, a third decimal, or another amount authorised than asked for.
pub fn wrong_amount(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(mut sale) = teller.new_sale() else { return Vec::new() };
    let name = sale.source.provider.name();
    match (teller.rng.u8(..4), name) {
        (0, CYBERSOURCE | STANDARD) => sale.amount = Some(format!("{}1", sale.price.decimal())),
        (1, CYBERSOURCE) => sale.authorised = Some("1.00".to_owned()),
        (2, _) => sale.price.minor += 1,
        _ => sale.price.minor = 123,
    }
    teller.alone(&sale, Kind::WrongAmount, dead("wrong_amount"))
}

pub fn wrong_currency(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(mut sale) = teller.new_sale() else { return Vec::new() };
    let other = if sale.price.currency.as_str() == "EUR" { "USD" } else { "EUR" };
    sale.price.currency = rollbook_domain::Currency::parse(other).unwrap_or(sale.price.currency);
    teller.alone(&sale, Kind::WrongCurrency, dead("wrong_currency"))
}

pub fn unknown_category(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(mut sale) = teller.new_sale() else { return Vec::new() };
    sale.category = unknown(teller.options);
    teller.alone(&sale, Kind::UnknownCategory, dead("unknown_category"))
}

/// A code that is no plan's.
fn unknown(options: &StreamOptions) -> String {
    let known = |code: &str| options.plans.iter().chain(&options.missing_plan).any(|plan| plan.category == code);
    ["XX", "MX", "ZZ"].into_iter().find(|code| !known(code)).unwrap_or("NOPLAN").to_owned()
}

pub fn missing_plan(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(plan) = teller.options.missing_plan.clone() else { return Vec::new() };
    let Some(source) = teller.source_for(FactKind::PaymentCaptured) else { return Vec::new() };
    let (person, at) = (teller.person(), teller.moment());
    let sale = teller.sale(source, person, at, plan);
    let reason = rollbook_domain::Reason::new("unknown_category");
    let verdict = Verdict::DeadLetterUntilMended(reason, sale.effect());
    teller.alone(&sale, Kind::MissingPlan, verdict)
}

/// Two messages of one payment that name different members: one stands, one is a dead letter.
pub fn contradiction(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(one) = teller.new_sale() else { return Vec::new() };
    let other = Sale { person: teller.person(), at: later(one.at, 5), ..one.clone() };
    let conflict = || Verdict::DeadLetter(reasons::CONFLICTING_DUPLICATE);
    [one, other]
        .iter()
        .map(|sale| Draft::at(sale.at, teller.captured(sale, Kind::Contradiction, vec![sale.applied(), conflict()])))
        .collect()
}

pub fn missing_field(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(mut sale) = teller.new_sale() else { return Vec::new() };
    sale.with_email = false;
    teller.alone(&sale, Kind::MissingField, dead("missing_field"))
}
