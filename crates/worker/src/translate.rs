//! Translation: an envelope becomes events, before any transaction is open.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rollbook_domain::{Account, Envelope, Event, EventKey, Fact, FactRef, Fault, SourceName, reasons};
use rollbook_providers::{Fields, Provider};

use crate::announce::{self, INTERNAL_SOURCE};

/// One configured source, as far as translation needs it.
pub struct Source {
    pub provider: &'static dyn Provider,
    pub account: Account,
    pub fields: Fields,
}

/// The configured sources by name.
pub struct Sources(HashMap<SourceName, Source>);

impl Sources {
    pub fn new(sources: HashMap<SourceName, Source>) -> Self {
        Self(sources)
    }

    /// At least one event, or why there is none. A translator that panics faults this envelope
    /// alone.
    pub(crate) fn translate(&self, envelope: &Envelope) -> Result<Vec<Event>, Fault> {
        rollbook_crash::payload(&envelope.body);
        let read = || self.read(envelope);
        let events = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(panicked("translator")))?;
        Ok(if events.is_empty() { vec![self.nothing(envelope)] } else { events })
    }

    /// The name of an envelope that could not be read as a fact.
    pub(crate) fn unread(&self, envelope: &Envelope) -> FactRef {
        FactRef { account: self.account(&envelope.source), key: EventKey::other(&envelope.delivery_key) }
    }

    fn read(&self, envelope: &Envelope) -> Result<Vec<Event>, Fault> {
        if let Some(source) = self.0.get(&envelope.source) {
            return Ok(source.provider.translate(&source.fields, &source.account, envelope)?);
        }
        if envelope.source.as_str() == INTERNAL_SOURCE {
            return Ok(vec![announce::event(envelope)?]);
        }
        let detail = format!("the configuration has no source `{}`", envelope.source);
        Err(Fault { reason: reasons::UNKNOWN_SOURCE, detail, amount: None })
    }

    /// A request that states no fact is still recorded: nothing that was verified vanishes.
    fn nothing(&self, envelope: &Envelope) -> Event {
        let FactRef { account, key } = self.unread(envelope);
        let (source, occurred_at) = (envelope.source.clone(), envelope.received_at);
        Event { key, account, source, occurred_at, fact: Fact::Other { name: "empty".to_owned() } }
    }

    fn account(&self, source: &SourceName) -> Account {
        self.0.get(source).map_or_else(|| Account::new(source.as_str()), |source| source.account.clone())
    }
}

/// The fault of an event on which `what` panicked.
pub(crate) fn panicked(what: &str) -> Fault {
    let detail = format!("the {what} panicked; this is a fault in Rollbook, please report it");
    Fault { reason: reasons::PANICKED, detail, amount: None }
}

#[cfg(test)]
mod tests {
    use crate::fakes;

    fn reason_of(source: &str, body: &str) -> Result<usize, String> {
        let envelope = fakes::envelope(source, body);
        fakes::sources().translate(&envelope).map(|events| events.len()).map_err(|fault| fault.reason.to_string())
    }

    #[test]
    fn every_envelope_becomes_events_or_a_fault() {
        assert_eq!(reason_of("shop", "a"), Ok(1));
        assert_eq!(reason_of("shop", "a b c"), Ok(3));
        assert_eq!(reason_of("shop", "garbage"), Err("unparseable".to_owned()));
        assert_eq!(reason_of("shop", "translator-panic"), Err("panicked".to_owned()));
        assert_eq!(reason_of("gone", "a"), Err("unknown_source".to_owned()));
        assert_eq!(reason_of("rollbook", "garbage"), Err("unparseable".to_owned()));
    }

    #[test]
    fn a_request_without_a_fact_is_not_dropped() {
        let events = fakes::sources().translate(&fakes::envelope("shop", "")).unwrap();
        assert_eq!(events[0].fact.kind().as_str(), "other");
        assert_eq!(events[0].key.as_str(), "other:delivery ");
    }

    #[test]
    fn the_unread_are_named_by_account_and_delivery_key() {
        let name = |source| fakes::sources().unread(&fakes::envelope(source, "x"));
        assert_eq!(name("shop").account.as_str(), "merchant");
        assert_eq!(name("gone").account.as_str(), "gone");
        assert_eq!(name("gone").key.as_str(), "other:delivery x");
    }
}
