//! A small world: one club in Boston, its price list, and records in memory.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use rollbook_domain::{
    Account, Amount, Capture, Change, Currency, Decision, Dispute, DisputePhase, Email, Event, EventKey, Fact, Fault,
    Money, Person, Reason, Refund, SourceName, State, Verdict, plan,
};
use rollbook_membership::{DEFAULT_PURPOSE, DEFAULT_RENEWAL_WINDOW_DAYS, Membership, Plan, Rules, fold};

pub const ADA: &str = "ada@example.org";

pub fn usd() -> Currency {
    Currency::parse("USD").expect("a currency")
}

pub fn dollars(minor: i64) -> Money {
    Money { minor, currency: usd() }
}

pub fn instant(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

pub fn plan_of(category: &str, price: i64, from: Date, until: Option<Date>) -> Plan {
    let name = format!("Plan {category}");
    Plan { category: category.to_owned(), name, price: dollars(price), valid_from: from, valid_until: until }
}

/// The price list of the first club that ran such a service, in its zone.
pub fn club() -> Rules {
    let prices = [("MU", 1500), ("MG", 1500), ("MA", 3000), ("NU", 4000), ("NG", 4000), ("ML", 4000), ("NA", 4000)];
    Rules {
        zone: TimeZone::get("America/New_York").expect("a zone"),
        currency: usd(),
        purpose: DEFAULT_PURPOSE.to_owned(),
        renewal_window_days: DEFAULT_RENEWAL_WINDOW_DAYS,
        plans: prices.map(|(category, price)| plan_of(category, price, date(2010, 1, 1), None)).to_vec(),
    }
}

pub fn event(key: EventKey, at: &str, fact: Fact) -> Event {
    Event { key, account: Account::from("club"), source: SourceName::from("payments"), occurred_at: instant(at), fact }
}

/// A payment of Ada's for category NA, as `change` would have it.
pub fn captured(transaction: &str, at: &str, change: impl FnOnce(&mut Capture)) -> Event {
    let mut capture = Capture {
        transaction: transaction.to_owned(),
        amount: Amount::exact(dollars(4000)),
        authorised: None,
        purpose: Some("membership".to_owned()),
        category: Some("NA".to_owned()),
        email: Some(ADA.to_owned()),
        name: Some("Ada Example".to_owned()),
        points_group: None,
    };
    change(&mut capture);
    event(EventKey::captured(transaction), at, Fact::PaymentCaptured(capture))
}

pub fn paid(transaction: &str, at: &str) -> Event {
    captured(transaction, at, |_| {})
}

/// `cumulative`: all refunds so far, in cents.
pub fn refunded(transaction: &str, at: &str, cumulative: i64) -> Event {
    let refund = Refund { transaction: transaction.to_owned(), cumulative: dollars(cumulative) };
    event(EventKey::refunded(transaction, cumulative), at, Fact::PaymentRefunded(refund))
}

pub fn disputed(transaction: &str, at: &str, dispute: &str, phase: DisputePhase) -> Event {
    let key = match phase {
        DisputePhase::Opened => EventKey::dispute_opened(dispute),
        DisputePhase::Won => EventKey::dispute_won(dispute),
        DisputePhase::Lost => EventKey::dispute_lost(dispute),
    };
    let fact = Dispute { transaction: transaction.to_owned(), dispute: dispute.to_owned(), phase };
    event(key, at, Fact::PaymentDisputed(fact))
}

/// The membership processor over records in memory.
pub struct World {
    pub membership: Membership,
    pub state: State,
}

impl World {
    pub fn new() -> Self {
        Self::of(club())
    }

    pub fn of(rules: Rules) -> Self {
        assert_eq!(rules.check(), Ok(()));
        Self { membership: Membership::new(rules), state: State::default() }
    }

    pub fn give(&mut self, event: &Event) -> Verdict {
        plan(&self.membership, &[(event.clone(), false)], &mut self.state).remove(0)
    }

    pub fn apply(&mut self, event: &Event) -> Vec<Change> {
        match self.give(event) {
            Verdict::Decided { decision: Decision::Apply(changes), .. } => changes,
            other => panic!("not applied: {other:?}"),
        }
    }

    pub fn apply_all(&mut self, events: &[&Event]) {
        for event in events {
            self.apply(event);
        }
    }

    pub fn refused(&mut self, event: &Event) -> Fault {
        let before = self.state.clone();
        match self.give(event) {
            Verdict::Decided { decision: Decision::Fail(fault) | Decision::Defer(fault), .. } => {
                assert_eq!(self.state, before, "a refused event changes nothing");
                fault
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    pub fn ignored(&mut self, event: &Event) -> Reason {
        match self.give(event) {
            Verdict::Decided { decision: Decision::Ignore(reason), .. } => reason,
            other => panic!("not ignored: {other:?}"),
        }
    }

    /// Start, last day and end of every term, in order of payment.
    pub fn terms(&self) -> Vec<(String, String, Option<String>)> {
        let people = self.state.people.keys().flat_map(|person| fold(&self.state, *person));
        let terms: Vec<_> = people.map(|term| self.state.terms[&term.payment].clone()).collect();
        assert_eq!(terms.len(), self.state.terms.len(), "one term a payment");
        let ended =
            |term: &rollbook_domain::Term| term.ended.map(|ending| format!("{} {}", ending.reason.as_str(), ending.on));
        terms.iter().map(|term| (term.starts.to_string(), term.expires.to_string(), ended(term))).collect()
    }

    pub fn starts(&self) -> Vec<String> {
        self.terms().into_iter().map(|(starts, ..)| starts).collect()
    }

    pub fn person(&self, email: &str) -> &Person {
        let email = Email::parse(email).expect("an address");
        self.state.person(&email).expect("a known person")
    }
}
