//! What every story needs: people, ids, moments, and callbacks with their expectations.

use std::sync::Arc;

use bytes::Bytes;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{FactKind, ProcessorName, Reason, reasons};

use super::{PlanPrice, StreamOptions};
use crate::bodies::Person;
use crate::{Callback, Expect, Expected, Key, Kind, Signing, Source, Verdict};

pub const CYBERSOURCE: &str = "cybersource-secure-acceptance";
pub const DOCUSIGN: &str = "docusign-connect";
pub const STRIPE: &str = "stripe";
pub const STANDARD: &str = "standard-webhooks";

pub const DAY_S: i64 = 86_400;

/// A callback and its place in the stream, as seconds of the invented time.
pub struct Draft {
    pub position_s: i64,
    pub callback: Callback,
}

impl Draft {
    pub fn at(at: Timestamp, callback: Callback) -> Self {
        Self { position_s: at.as_second(), callback }
    }

    /// Sent so much later than it happened; earlier if negative.
    pub fn moved(mut self, by_s: i64) -> Self {
        self.position_s += by_s;
        self
    }
}

pub struct Teller<'o> {
    pub options: &'o StreamOptions,
    pub rng: Rng,
    tag: String,
    people: usize,
    serial: u64,
}

impl<'o> Teller<'o> {
    pub fn new(options: &'o StreamOptions) -> Self {
        // Runs over one store must not share ids, so the start is part of them.
        let mixed = options.seed ^ options.start.as_second().unsigned_abs().rotate_left(32);
        let mut rng = Rng::with_seed(mixed);
        let tag = rng.u32(10_000_000..100_000_000).to_string();
        Self { options, rng, tag, people: 0, serial: 0 }
    }

    pub fn tag(&self) -> &str {
        &self.tag
    }

    pub fn chance(&mut self, percent: u8) -> bool {
        self.rng.u8(..100) < percent
    }

    pub fn person(&mut self) -> Person {
        self.people += 1;
        Person::invent(&mut self.rng, &self.tag, self.people)
    }

    /// A moment of the invented time, in whole seconds.
    pub fn moment(&mut self) -> Timestamp {
        let span_s = i64::from(self.options.span_days.max(1)) * DAY_S;
        let start = Timestamp::from_second(self.options.start.as_second()).unwrap_or(self.options.start);
        later(start, self.rng.i64(0..span_s))
    }

    /// Whether the invented time has reached this moment by its end.
    pub fn is_over(&self, at: Timestamp) -> bool {
        at > later(self.options.start, i64::from(self.options.span_days.max(1)) * DAY_S)
    }

    pub fn plan(&mut self) -> Option<PlanPrice> {
        self.rng.choice(&self.options.plans).cloned()
    }

    /// One of the sources that can tell facts of this kind.
    pub fn source_for(&mut self, kind: FactKind) -> Option<Arc<Source>> {
        self.any_source(|source| source.provider.yields().contains(&kind))
    }

    pub fn any_source(&mut self, fits: impl Fn(&Source) -> bool) -> Option<Arc<Source>> {
        self.rng.choice(self.options.sources.iter().filter(|source| fits(source)).collect::<Vec<_>>()).cloned()
    }

    pub fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// An id such as `pi_…`: prefix, tag, running number, noise.
    pub fn id(&mut self, prefix: &str) -> String {
        let serial = self.serial();
        let noise: String = (0..8).map(|_| self.rng.alphanumeric()).collect();
        format!("{prefix}{}{serial:06}{noise}", self.tag)
    }

    /// 22 digits, as CyberSource's `transaction_id`.
    pub fn digits(&mut self) -> String {
        let serial = self.serial();
        format!("{}{serial:06}{:08}", self.tag, self.rng.u32(..100_000_000))
    }

    /// In the form of a UUID, as DocuSign's envelope ids.
    pub fn document(&mut self) -> String {
        let (a, b, c) = (self.rng.u16(..), self.rng.u16(..0x1000), self.rng.u16(..0x1000));
        let serial = self.serial();
        format!("{}-{a:04x}-4{b:03x}-8{c:03x}-{serial:012x}", self.tag)
    }

    /// The id of one request, where its scheme has one.
    pub fn request_id(&mut self, source: &Source) -> String {
        match source.provider.name() {
            STRIPE => self.id("evt_"),
            STANDARD => self.id("msg_"),
            _ => self.id("req_"),
        }
    }

    /// Adds plain duplicates of some of them, soon after or days later.
    pub fn with_duplicates(&mut self, drafts: Vec<Draft>) -> Vec<Draft> {
        let mut all = Vec::with_capacity(drafts.len() + 2);
        for draft in drafts {
            let genuine = draft.callback.signing == Signing::Genuine && draft.callback.kind != Kind::Contradiction;
            let copies = if genuine && self.chance(12) { 1 + usize::from(self.chance(25)) } else { 0 };
            for _ in 0..copies {
                let callback = Callback { again: true, ..draft.callback.clone() };
                let after_s = if self.chance(50) { 0 } else { self.rng.i64(0..5 * DAY_S) };
                all.push(Draft { position_s: draft.position_s + after_s, callback });
            }
            all.push(draft);
        }
        all
    }
}

/// A callback that is signed as it should be.
pub fn genuine(kind: Kind, source: &Arc<Source>, id: String, body: Vec<u8>, facts: Vec<Expected>) -> Callback {
    Callback {
        kind,
        again: false,
        source: Arc::clone(source),
        id,
        body: Bytes::from(body),
        signing: Signing::Genuine,
        expect: Expect::Accepted(facts),
    }
}

/// What `processor` makes of a fact; whoever else hears of it does not want it.
pub fn facts(source: &Source, processor: &str, key: &Key, any_of: Vec<Verdict>) -> Vec<Expected> {
    let mut all = vec![expected(source, ProcessorName::from(processor), key, any_of)];
    let others = source.subscribers().into_iter().filter(|name| name.as_str() != processor);
    all.extend(others.map(|name| expected(source, name, key, vec![Verdict::Ignored(reasons::UNWANTED_TYPE)])));
    all
}

/// What every processor that hears of it makes of it.
pub fn facts_for_all(source: &Source, key: &Key, verdict: &Verdict) -> Vec<Expected> {
    source.subscribers().into_iter().map(|name| expected(source, name, key, vec![verdict.clone()])).collect()
}

fn expected(source: &Source, processor: ProcessorName, key: &Key, any_of: Vec<Verdict>) -> Expected {
    Expected { processor, account: source.account.clone(), key: key.clone(), any_of }
}

pub fn ignored(reason: &'static str) -> Verdict {
    Verdict::Ignored(Reason::new(reason))
}

pub fn dead(reason: &'static str) -> Verdict {
    Verdict::DeadLetter(Reason::new(reason))
}

pub fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(at)
}
