//! The sender's record by fact: several callbacks may state one.

use std::collections::BTreeMap;

use rollbook_domain::{Account, EventKey, ProcessorName};

use crate::{Effect, Expect, Expected, Fate, Key, Kind, Record, Sent, Verdict};

/// One fact as one processor sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FactId {
    pub processor: ProcessorName,
    pub account: Account,
    pub key: Key,
}

impl FactId {
    pub fn of(expected: &Expected) -> Self {
        Self { processor: expected.processor.clone(), account: expected.account.clone(), key: expected.key.clone() }
    }

    pub fn named(&self, key: EventKey) -> Self {
        Self { key: Key::Named(key), ..self.clone() }
    }

    /// The payment that a refund is of, by the name of the refund.
    pub fn refunded_payment(&self) -> Option<EventKey> {
        let Key::Named(key) = &self.key else { return None };
        let (transaction, _) = key.as_str().strip_prefix("payment:")?.rsplit_once(":refunded:")?;
        Some(EventKey::captured(transaction))
    }
}

impl std::fmt::Display for FactId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.key {
            Key::Named(key) => write!(f, "{key} in {}/{}", self.processor, self.account),
            Key::Unnamed(number) => write!(f, "unreadable body {number} in {}/{}", self.processor, self.account),
        }
    }
}

/// What the sender claims of one fact.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claim {
    pub kind: Option<Kind>,
    /// Callbacks with a 2xx.
    pub acked: u32,
    /// Callbacks that the service may hold without having said so.
    pub uncertain: u32,
    /// Callbacks that were refused for certain.
    pub refused: u32,
    /// What may become of it, by the callbacks that the service may hold.
    pub allowed: Vec<Verdict>,
    /// What each callback with a 2xx says.
    pub said: Vec<Effect>,
}

impl Claim {
    /// Whether the service may know of this fact at all.
    pub fn may_stand(&self) -> bool {
        self.acked + self.uncertain > 0
    }

    /// The effects that may stand.
    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.allowed.iter().filter_map(|verdict| match verdict {
            Verdict::Applied(effect) => Some(effect),
            _ => None,
        })
    }

    /// Whether acknowledged messages of it contradict each other, so that one must be a dead letter.
    pub fn contradicted(&self) -> bool {
        self.said.iter().enumerate().any(|(at, one)| self.said[..at].iter().any(|other| one.contradicts(other)))
    }

    fn add(&mut self, sent: &Sent, expected: &Expected, mended: bool) {
        self.kind.get_or_insert(sent.kind);
        let acked = sent.answer.acked();
        let forged = matches!(sent.expect, Expect::Refused { .. });
        // Silence excuses nothing that must never be believed.
        let uncertain = !forged && sent.answer.uncertain();
        self.acked += u32::from(acked);
        self.uncertain += u32::from(uncertain);
        self.refused += u32::from(forged || matches!(sent.answer.fate, Fate::Refused(_)) && !uncertain);
        if forged || !(acked || uncertain) {
            return;
        }
        for verdict in expected.any_of.iter().map(|verdict| verdict.when(mended)) {
            if let (true, Verdict::Applied(effect)) = (acked, &verdict) {
                self.said.push(effect.clone());
            }
            if !self.allowed.contains(&verdict) {
                self.allowed.push(verdict);
            }
        }
    }
}

/// All facts of a record, in order.
pub(crate) struct Facts(pub BTreeMap<FactId, Claim>);

impl Facts {
    pub fn of(record: &Record, mended: bool) -> Self {
        let mut facts = BTreeMap::<FactId, Claim>::new();
        for sent in &record.sent {
            for expected in sent.expect.facts() {
                facts.entry(FactId::of(expected)).or_default().add(sent, expected, mended);
            }
        }
        Self(facts)
    }

    pub fn get(&self, id: &FactId) -> Option<&Claim> {
        self.0.get(id)
    }

    /// Whether what this fact needs, if anything, is certain to be there.
    pub fn founded(&self, id: &FactId, needed: Option<EventKey>) -> bool {
        needed.is_none_or(|needed| self.get(&id.named(needed)).is_some_and(|claim| claim.acked > 0))
    }
}
