//! Histories as providers could tell them: what members paid, signed and took back.

use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use rollbook_domain::{Account, Amount, Capture, DisputePhase, Event, Fact, SourceName};

use super::world::{captured, disputed, dollars, instant, refunded, registered, signed};

const ADDRESSES: [&str; 3] = ["ada@example.org", " Bea@Example.org", "cleo@example.org"];

#[derive(Clone, Debug)]
pub struct History(Vec<Event>);

/// Whole days and quarters of a day, mostly of one month, around the ends of months and of the year.
fn moment() -> impl Strategy<Value = Timestamp> {
    let day = prop_oneof![4 => 0..31_i64, 1 => prop::sample::select(vec![58, 59, 364, 365]), 1 => 0..400_i64];
    (day, 0..4_i64).prop_map(|(day, quarter)| instant("2019-01-01T04:30:00Z") + (day * 24 + quarter * 6).hours())
}

/// Two accounts use the same ids for different things.
fn placed(event: Event, index: usize, at: Timestamp) -> Event {
    let (account, source) = [("club", "shop"), ("branch", "stall")][index % 2];
    Event { account: Account::from(account), source: SourceName::from(source), occurred_at: at, ..event }
}

fn id(index: usize) -> String {
    format!("t{}", index / 2)
}

#[derive(Clone, Debug)]
struct Bought {
    who: usize,
    at: Timestamp,
    cents: i64,
    purpose: &'static str,
    euros: bool,
    /// In hundredths of the amount, each some days after the payment.
    refunds: Vec<(i64, i64)>,
    dispute: Option<DisputePhase>,
}

fn bought() -> impl Strategy<Value = Bought> {
    let cents = prop_oneof![prop::sample::select(vec![0_i64, 99, 100, 1500, 4000]), 0..20_000_i64];
    let purpose = prop::sample::select(vec!["membership", "membership", "rental"]);
    let refunds = prop_oneof![
        2 => Just(vec![]),
        3 => prop::collection::vec((prop_oneof![Just(100), 1..=120_i64], 0..90_i64), 1..4),
    ];
    let phases = vec![DisputePhase::Opened, DisputePhase::Won, DisputePhase::Lost];
    let dispute = prop::option::weighted(0.3, prop::sample::select(phases));
    let who = prop_oneof![2 => Just(0), 1 => 0..3_usize];
    (who, moment(), cents, purpose, prop::bool::weighted(0.1), refunds, dispute).prop_map(
        |(who, at, cents, purpose, euros, refunds, dispute)| Bought {
            who,
            at,
            cents,
            purpose,
            euros,
            refunds,
            dispute,
        },
    )
}

impl Bought {
    fn events(&self, index: usize) -> Vec<Event> {
        let (id, noon) = (id(index), "2019-01-01T12:00:00Z");
        let currency = if self.euros { "EUR" } else { "USD" };
        let capture = captured(&id, noon, |capture| self.describe(capture, currency));
        let mut events = vec![placed(capture, index, self.at)];
        for (hundredths, days) in &self.refunds {
            let cents = self.cents * hundredths / 100;
            if cents > 0 {
                let mut refund = refunded(&id, noon, cents);
                if let Fact::PaymentRefunded(refund) = &mut refund.fact {
                    refund.cumulative.currency = rollbook_domain::Currency::parse(currency).expect("a currency");
                }
                events.push(placed(refund, index, self.at + (days * 24).hours()));
            }
        }
        events.extend(self.dispute.map(|phase| placed(disputed(&id, noon, phase), index, self.at + 240.hours())));
        events
    }

    fn describe(&self, capture: &mut Capture, currency: &str) {
        capture.email = Some(ADDRESSES[self.who].to_owned());
        capture.purpose = Some(self.purpose.to_owned());
        let amount = dollars(self.cents);
        capture.amount = Amount::decimal(Some(&amount.decimal()), Some(currency));
    }
}

pub fn history() -> impl Strategy<Value = History> {
    let bought = prop::collection::vec(bought(), 1..9);
    let signatures = prop::collection::vec((0..3_usize, moment()), 0..4);
    let joined = prop::collection::vec((0..3_usize, moment()), 0..2);
    (bought, signatures, joined).prop_map(|(bought, signatures, joined)| {
        let mut events: Vec<Event> = bought.iter().enumerate().flat_map(|(at, bought)| bought.events(at)).collect();
        for (index, (who, at)) in signatures.into_iter().enumerate() {
            let document = signed(&index.to_string(), "2019-01-01T12:00:00Z", Some(ADDRESSES[who]));
            events.push(placed(document, index, at));
        }
        for (who, at) in joined {
            events.push(Event { occurred_at: at, ..registered(ADDRESSES[who], "2019-01-01T12:00:00Z") });
        }
        History(first_of_each(events))
    })
}

/// A fact has one time and one story.
fn first_of_each(events: Vec<Event>) -> Vec<Event> {
    let mut seen = std::collections::BTreeSet::new();
    events.into_iter().filter(|event| seen.insert(super::world::fact_of(event))).collect()
}

impl History {
    /// Every fact once; those of one payment in the order in which they happened.
    pub fn events(&self) -> &[Event] {
        &self.0
    }
}
