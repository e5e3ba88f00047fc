//! A small world: one club in Boston, its rules, records and a ledger in memory.
//!
//! It does what a store must: it loads what was asked for and no more, and writes the changes of a
//! batch and the commands that they come to together.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rollbook_domain::{
    Account, Amount, Capture, Change, Completion, Currency, Decision, Dispute, DisputePhase, Earning, Email, Event,
    EventKey, Fact, FactRef, Fault, GroupId, Money, Owner, PersonId, Processor, Rate, Reads, Reason, Refund, Scope,
    Seen, SourceName, State, Verdict, outcome, plan, reads,
};
use rollbook_ledger::model::Tables;
use rollbook_ledger::{Command, Place, Verdict as Posted};
use rollbook_points::{Every, Lifetime, Most, Points, Rule, Rules, Trigger};

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

pub fn owner(email: &str) -> Owner {
    Owner::Person(person(email))
}

pub fn person(email: &str) -> PersonId {
    PersonId::of_first_address(&Email::parse(email).expect("an address"))
}

/// Gives a point a dollar for everything.
pub fn rule(on: Trigger) -> Rule {
    let rate = if on == Trigger::PaymentCaptured { PER_DOLLAR } else { Rate::Award { points: 10 } };
    Rule {
        name: None,
        on,
        purpose: None,
        category: None,
        source: None,
        rate,
        most: None,
        valid_from: None,
        valid_until: None,
    }
}

pub const PER_DOLLAR: Rate = Rate::PerUnit { per_10000: 10_000 };

pub fn payments(change: impl FnOnce(&mut Rule)) -> Rule {
    let mut rule = rule(Trigger::PaymentCaptured);
    change(&mut rule);
    rule
}

/// At most so many points a month.
pub fn monthly(points: i64) -> Most {
    Most { points, every: Every::Months(1) }
}

pub fn rules(earn: Vec<Rule>) -> Rules {
    let zone = TimeZone::get("America/New_York").expect("a zone");
    Rules { zone, currency: usd(), expire_after: Some(Lifetime::Months(24)), earn }
}

fn named(name: &str, change: impl FnOnce(&mut Rule)) -> Rule {
    let mut rule = payments(change);
    rule.name = Some(name.to_owned());
    rule
}

/// With and without caps, by the unit and fixed, for some and for all.
pub fn every_kind() -> Points {
    let week = Some(Most { points: 15, every: Every::Week });
    Points::new(rules(vec![
        named("dues", |rule| (rule.purpose, rule.most) = (Some("membership".to_owned()), Some(monthly(60)))),
        named("half", |rule| rule.rate = Rate::PerUnit { per_10000: 5000 }),
        named("welcome", |rule| {
            rule.source = Some("shop".to_owned());
            rule.rate = Rate::Award { points: 25 };
            rule.most = Some(Most { points: 60, every: Every::Months(12) });
        }),
        rule(Trigger::MemberRegistered),
        Rule { most: week, ..rule(Trigger::DocumentCompleted) },
    ]))
}

pub fn event(key: EventKey, at: &str, fact: Fact) -> Event {
    Event { key, account: Account::from("club"), source: SourceName::from("shop"), occurred_at: instant(at), fact }
}

/// A membership payment of Ada's of 40 dollars, as `change` would have it.
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

/// `minor`: in cents.
pub fn paid(transaction: &str, at: &str, minor: i64) -> Event {
    captured(transaction, at, |capture| capture.amount = Amount::exact(dollars(minor)))
}

/// `cumulative`: all refunds so far, in cents.
pub fn refunded(transaction: &str, at: &str, cumulative: i64) -> Event {
    let refund = Refund { transaction: transaction.to_owned(), cumulative: dollars(cumulative) };
    event(EventKey::refunded(transaction, cumulative), at, Fact::PaymentRefunded(refund))
}

pub fn disputed(transaction: &str, at: &str, phase: DisputePhase) -> Event {
    let dispute = format!("of {transaction}");
    let key = match phase {
        DisputePhase::Opened => EventKey::dispute_opened(&dispute),
        DisputePhase::Won => EventKey::dispute_won(&dispute),
        DisputePhase::Lost => EventKey::dispute_lost(&dispute),
    };
    event(key, at, Fact::PaymentDisputed(Dispute { transaction: transaction.to_owned(), dispute, phase }))
}

pub fn registered(email: &str, at: &str) -> Event {
    let person = person(email);
    event(EventKey::member_registered(person), at, Fact::MemberRegistered { person })
}

pub fn signed(document: &str, at: &str, email: Option<&str>) -> Event {
    let completion =
        Completion { document: document.to_owned(), email: email.map(str::to_owned), name: None, category: None };
    event(EventKey::document_completed(document), at, Fact::DocumentCompleted(completion))
}

#[derive(Clone, Debug, PartialEq)]
pub struct World {
    pub records: State,
    pub ledger: Tables,
}

/// What owners have in the end: by date of expiry, and what they owe.
pub type Holdings = BTreeMap<Owner, (BTreeMap<Option<Timestamp>, i64>, i64)>;

/// What was earned and what was moved.
pub type Sums = BTreeMap<(Owner, String, Option<Scope>), (i64, i64)>;

impl World {
    pub fn new() -> Self {
        Self { records: State::default(), ledger: Tables::default() }
    }

    pub fn deliver(&mut self, points: &Points, batch: &[(Event, bool)]) -> Vec<Verdict> {
        let events: Vec<Event> = batch.iter().map(|(event, _)| event.clone()).collect();
        let mut asked = reads(points, &events);
        asked.outcomes.extend(events.iter().map(fact_of));
        let mut loaded = self.load(&asked);
        let verdicts = plan(points, batch, &mut loaded);
        let mut commands = Vec::new();
        for (event, verdict) in events.iter().zip(&verdicts) {
            commands.extend(self.write(event, verdict));
        }
        for answer in self.ledger.run(&commands) {
            assert_eq!((answer.verdict, answer.repeated), (Posted::Applied, false));
        }
        verdicts
    }

    fn load(&self, asked: &Reads) -> State {
        let mut part = State::default();
        let of_payments = || asked.earned_by.iter().flat_map(|payment| self.records.earned_by(payment));
        let scopes: BTreeSet<Scope> = of_payments().filter_map(Earning::scope).chain(asked.scopes.clone()).collect();
        let in_scopes = scopes.iter().flat_map(|scope| self.records.earned_in(scope));
        of_payments().chain(in_scopes).for_each(|earning| part.add_earning(earning.clone()));
        let member = |key: &(GroupId, PersonId)| Some((*key, *self.records.group_members.get(key)?));
        part.group_members = asked.group_members.iter().filter_map(member).collect();
        let settled = |fact: &FactRef| Some((fact.clone(), self.records.outcomes.get(fact)?.clone()));
        part.outcomes = asked.outcomes.iter().filter_map(settled).collect();
        part
    }

    fn write(&mut self, event: &Event, verdict: &Verdict) -> Option<Command> {
        let Verdict::Decided { decision, digest } = verdict else { return None };
        if let Some(outcome) = outcome(decision) {
            self.records.outcomes.insert(fact_of(event), Seen { outcome, digest: digest.clone() });
        }
        let Decision::Apply(changes) = decision else { return None };
        assert!(!changes.is_empty(), "what is applied has an effect");
        for change in changes {
            let Change::Earn(earning) = change else { panic!("another effect: {change:?}") };
            assert_eq!(earning.fact, fact_of(event));
            assert!(!self.records.earnings.contains_key(&earning.key()), "a row is written once");
            self.records.apply(change);
        }
        let earnings = changes.iter().filter_map(|change| match change {
            Change::Earn(earning) => Some(&**earning),
            _ => None,
        });
        Command::earning(earnings, Timestamp::MAX).expect("what is decided can be moved")
    }

    pub fn sums(&self) -> Sums {
        let mut sums = Sums::new();
        for earning in self.records.earnings.values() {
            let sum = sums.entry((earning.owner, earning.rule.clone(), earning.scope())).or_default();
            *sum = (sum.0 + earning.earned, sum.1 + earning.moved);
        }
        sums
    }

    pub fn holdings(&self) -> Holdings {
        let mut holdings = Holdings::new();
        for balance in &self.ledger.rows.balances {
            let Some(owner) = balance.account.place.owner() else { continue };
            let holding = holdings.entry(owner).or_default();
            if let Place::Owed(_) = balance.account.place {
                holding.1 = -balance.sums.posted;
                continue;
            }
            let lots = self.ledger.rows.lots.iter().filter(|lot| lot.account == balance.account && lot.remaining > 0);
            let mut undated = balance.sums.posted;
            for lot in lots {
                *holding.0.entry(Some(lot.expires_at)).or_default() += lot.remaining;
                undated -= lot.remaining;
            }
            if undated != 0 {
                holding.0.insert(None, undated);
            }
        }
        holdings.retain(|_, holding| *holding != Default::default());
        holdings
    }
}

pub fn fact_of(event: &Event) -> FactRef {
    FactRef { account: event.account.clone(), key: event.key.clone() }
}

/// The processor over a world, one event after another.
pub struct Club {
    pub points: Points,
    pub world: World,
}

impl Club {
    pub fn of(earn: Vec<Rule>) -> Self {
        let mut club = Self { points: Points::new(rules(vec![])), world: World::new() };
        club.configure(rules(earn));
        club
    }

    pub fn configure(&mut self, rules: Rules) {
        assert_eq!(rules.check(), Ok(()));
        self.points = Points::new(rules);
    }

    fn give(&mut self, event: &Event) -> Decision {
        match self.world.deliver(&self.points, &[(event.clone(), false)]).remove(0) {
            Verdict::Decided { decision, .. } => decision,
            Verdict::Duplicate => panic!("a duplicate"),
        }
    }

    /// What each rule earned and moved, in order of rule.
    pub fn apply(&mut self, event: &Event) -> Vec<(i64, i64)> {
        let Decision::Apply(changes) = self.give(event) else { panic!("not applied: {event:?}") };
        let rows = changes.iter().map(|change| match change {
            Change::Earn(earning) => (earning.earned, earning.moved),
            other => panic!("another effect: {other:?}"),
        });
        rows.collect()
    }

    pub fn refused(&mut self, event: &Event) -> Fault {
        match self.give(event) {
            Decision::Fail(fault) | Decision::Defer(fault) => fault,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub fn ignored(&mut self, event: &Event) -> Reason {
        match self.give(event) {
            Decision::Ignore(reason) => reason,
            other => panic!("not ignored: {other:?}"),
        }
    }

    /// What an owner has, and what they owe.
    pub fn balance(&self, owner: Owner) -> (i64, i64) {
        let holdings = self.world.holdings();
        holdings.get(&owner).map_or((0, 0), |(lots, owed)| (lots.values().sum(), *owed))
    }

    /// By date of expiry.
    pub fn lots(&self, owner: Owner) -> Vec<(String, i64)> {
        let holdings = self.world.holdings();
        let lots = holdings.get(&owner).into_iter().flat_map(|(lots, _)| lots);
        lots.map(|(date, left)| (date.map_or("never".to_owned(), |date| date.to_string()), *left)).collect()
    }

    pub fn wants(&self, event: &Event) -> bool {
        self.points.wants().contains(&event.fact.kind())
    }
}
