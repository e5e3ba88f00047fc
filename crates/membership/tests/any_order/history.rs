//! Histories as providers could tell them: several people, what they bought, signed and took back.

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use rollbook_domain::{
    Account, Amount, Capture, Completion, Dispute, DisputePhase, Event, EventKey, Fact, Refund, SourceName,
};

use crate::world::{dollars, instant};

#[derive(Clone, Debug)]
pub struct History {
    bought: Vec<Bought>,
    signed: Vec<Signed>,
}

/// A moment of a history: a day of a few years and a quarter of it, so that instants collide.
type Moment = (i32, i32);

#[derive(Clone, Debug)]
struct Bought {
    person: usize,
    at: Moment,
    what: What,
    /// Cumulative refunds in quarters of the price, each some days after the payment.
    refunds: Vec<(i64, i32)>,
    /// Lost or won, and after how many days.
    dispute: Option<(bool, i32)>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Membership,
    AfterReview,
    Declined,
    Rental,
    WrongAmount,
    UnknownCategory,
}

#[derive(Clone, Debug)]
struct Signed {
    person: usize,
    at: Moment,
    completed: bool,
    signer_is_told_too: bool,
    voided_after_days: Option<i32>,
}

fn moment() -> impl Strategy<Value = Moment> {
    // Around the renewal window and the last day, where the rules turn.
    let turns = prop::sample::select(vec![0, 1, 324, 325, 326, 327, 364, 365, 366, 650, 690, 691, 730]);
    (prop_oneof![turns, 0..1100], 0..4)
}

fn bought() -> impl Strategy<Value = Bought> {
    let what = prop_oneof![
        8 => Just(What::Membership),
        1 => Just(What::AfterReview),
        1 => Just(What::Declined),
        1 => Just(What::Rental),
        1 => Just(What::WrongAmount),
        1 => Just(What::UnknownCategory),
    ];
    let refunds = prop_oneof![3 => Just(vec![]), 2 => prop::collection::btree_map(1..=5_i64, 0..400, 1..4)
        .prop_map(|refunds| refunds.into_iter().collect())];
    let dispute = prop::option::weighted(0.2, (any::<bool>(), 0..400));
    (0..3_usize, moment(), what, refunds, dispute).prop_map(|(person, at, what, refunds, dispute)| Bought {
        person,
        at,
        what,
        refunds,
        dispute,
    })
}

fn signed() -> impl Strategy<Value = Signed> {
    let void = prop::option::weighted(0.4, 0..400);
    (0..3_usize, moment(), prop::bool::weighted(0.8), any::<bool>(), void).prop_map(
        |(person, at, completed, signer_is_told_too, voided_after_days)| Signed {
            person,
            at,
            completed,
            signer_is_told_too,
            voided_after_days,
        },
    )
}

pub fn history() -> impl Strategy<Value = History> {
    let parts = (prop::collection::vec(bought(), 1..8), prop::collection::vec(signed(), 0..4));
    parts.prop_map(|(bought, signed)| History { bought, signed })
}

impl History {
    /// Every fact once; those about one thing in the order in which they happened.
    pub fn events(&self) -> Vec<Event> {
        let bought = self.bought.iter().enumerate().flat_map(|(index, bought)| bought.events(index));
        let signed = self.signed.iter().enumerate().flat_map(|(index, signed)| signed.events(index));
        bought.chain(signed).collect()
    }
}

fn at((day, quarter): Moment, later_days: i32) -> Timestamp {
    let hours = i64::from(day + later_days) * 24 + i64::from(quarter) * 6;
    instant("2018-01-01T02:00:00Z") + hours.hours()
}

/// Two accounts use the same ids for different things.
fn event(index: usize, occurred_at: Timestamp, key: EventKey, fact: Fact) -> Event {
    let account = Account::from(["club", "branch"][index % 2]);
    Event { key, source: SourceName::from("provider"), account, occurred_at, fact }
}

fn id(index: usize) -> String {
    format!("t{}", index / 2)
}

/// One mailbox, written in several ways.
fn address(person: usize, index: usize) -> String {
    let plain = format!("member{person}@example.org");
    [plain.to_uppercase(), format!(" {plain} "), plain][index % 3].clone()
}

const PRICE: i64 = 4000;

impl Bought {
    fn events(&self, index: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let mut push = |later_days, key, fact| events.push(event(index, at(self.at, later_days), key, fact));
        if self.what == What::AfterReview {
            push(0, EventKey::pending(&id(index)), Fact::PaymentPending);
        }
        if self.what == What::Declined {
            push(0, EventKey::declined(&id(index)), Fact::PaymentDeclined);
            return events;
        }
        push(0, EventKey::captured(&id(index)), Fact::PaymentCaptured(self.capture(index)));
        let mut later = 0;
        for (quarters, days) in &self.refunds {
            later += days;
            let cumulative = quarters * PRICE / 4;
            let refund = Refund { transaction: id(index), cumulative: dollars(cumulative) };
            push(later, EventKey::refunded(&id(index), cumulative), Fact::PaymentRefunded(refund));
        }
        if let Some((lost, days)) = self.dispute {
            let dispute = |phase| Fact::PaymentDisputed(Dispute { transaction: id(index), dispute: id(index), phase });
            push(days, EventKey::dispute_opened(&id(index)), dispute(DisputePhase::Opened));
            if lost {
                push(days + 9, EventKey::dispute_lost(&id(index)), dispute(DisputePhase::Lost));
            } else {
                push(days + 9, EventKey::dispute_won(&id(index)), dispute(DisputePhase::Won));
            }
        }
        events
    }

    fn capture(&self, index: usize) -> Capture {
        let amount = if self.what == What::WrongAmount { 123 } else { PRICE };
        let category = match self.what {
            What::UnknownCategory => "MX",
            _ => ["NA", "ML", "NG"][index % 3],
        };
        Capture {
            transaction: id(index),
            amount: Amount::exact(dollars(amount)),
            authorised: None,
            purpose: Some(if self.what == What::Rental { "rental" } else { "membership" }.to_owned()),
            category: Some(category.to_owned()),
            email: Some(address(self.person, index)),
            name: (!index.is_multiple_of(4)).then(|| format!("Payer {index}")),
            points_group: None,
        }
    }
}

impl Signed {
    fn events(&self, index: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let mut push = |later_days, key, fact| events.push(event(index, at(self.at, later_days), key, fact));
        let document = id(index);
        if self.completed && self.signer_is_told_too {
            let fact = Fact::RecipientCompleted { document: document.clone(), recipient: "1".to_owned() };
            push(0, EventKey::recipient_completed(&document, "1"), fact);
        }
        if self.completed {
            let completion = Completion {
                document: document.clone(),
                email: Some(address(self.person, index + 1)),
                name: Some(format!("Signer {index}")),
                category: index.is_multiple_of(2).then(|| "as  written".to_owned()),
            };
            push(0, EventKey::document_completed(&document), Fact::DocumentCompleted(completion));
        }
        if let Some(days) = self.voided_after_days {
            push(days, EventKey::document_voided(&document), Fact::DocumentVoided { document });
        }
        events
    }
}

pub fn a_payment_and_a_waiver_at_once() -> Vec<Event> {
    let bought = Bought { person: 0, at: (0, 0), what: What::Membership, refunds: vec![], dispute: None };
    let signed = Signed { person: 0, at: (0, 0), completed: true, signer_is_told_too: false, voided_after_days: None };
    History { bought: vec![bought], signed: vec![signed] }.events()
}
