//! Planning a batch: events in, verdicts out, nothing touched but memory.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Decision, Event, EventDigest, FactRef, Fault, Outcome, Processor, Reads, Seen, State, reasons};

/// What is to become of one event of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Settled before, with the same contents: nothing to do.
    Duplicate,
    Decided {
        decision: Decision,
        digest: EventDigest,
    },
}

/// Everything a batch of events must read, in one set.
pub fn reads(processor: &dyn Processor, events: &[Event]) -> Reads {
    let mut all = Reads::default();
    for event in events.iter().filter(|event| processor.wants().contains(&event.fact.kind())) {
        all.merge(processor.reads(event));
    }
    all
}

/// Whether an event that was settled as `seen` says now what it said then.
///
/// Only applied and rejected rows are held against it: an ignored fact had no effect that could
/// contradict anything.
pub fn compare(seen: &Seen, digest: &EventDigest) -> Result<(), Fault> {
    let binding = matches!(seen.outcome, Outcome::Applied | Outcome::Rejected);
    if binding && seen.digest.contradicts(digest) {
        return Err(Fault {
            reason: reasons::CONFLICTING_DUPLICATE,
            detail: format!("this fact was already {} with other contents", seen.outcome.as_str()),
            amount: None,
        });
    }
    Ok(())
}

/// Decides on `events` one after another; each sees the changes of those before it.
///
/// `state.outcomes` must hold what is already settled of these events. An event with `redecide`
/// set (an operator's replay) is decided again if it was merely ignored.
pub fn plan(processor: &dyn Processor, events: &[(Event, bool)], state: &mut State) -> Vec<Verdict> {
    events.iter().map(|(event, redecide)| plan_one(processor, event, *redecide, state)).collect()
}

fn plan_one(processor: &dyn Processor, event: &Event, redecide: bool, state: &mut State) -> Verdict {
    let fact = FactRef { account: event.account.clone(), key: event.key.clone() };
    let digest = EventDigest::of(event);
    if let Some(seen) = state.outcomes.get(&fact) {
        if let Err(fault) = compare(seen, &digest) {
            return Verdict::Decided { decision: Decision::Fail(fault), digest };
        }
        if !(redecide && seen.outcome == Outcome::Ignored) {
            return Verdict::Duplicate;
        }
    }
    let decision = decide(processor, event, state);
    if let Some(outcome) = outcome(&decision) {
        state.outcomes.insert(fact, Seen { outcome, digest: digest.clone() });
    }
    if let Decision::Apply(changes) = &decision {
        for change in changes {
            state.apply(change);
        }
    }
    Verdict::Decided { decision, digest }
}

/// The row that a decision leaves behind, if it is final.
pub fn outcome(decision: &Decision) -> Option<Outcome> {
    match decision {
        Decision::Apply(_) => Some(Outcome::Applied),
        Decision::Ignore(_) => Some(Outcome::Ignored),
        Decision::Reject(_) => Some(Outcome::Rejected),
        Decision::Defer(_) | Decision::Fail(_) => None,
    }
}

/// A processor that panics fails this event alone. `state` is only lent to it, so nothing is left
/// half-changed.
fn decide(processor: &dyn Processor, event: &Event, state: &State) -> Decision {
    if !processor.wants().contains(&event.fact.kind()) {
        return Decision::Ignore(reasons::UNWANTED_TYPE);
    }
    catch_unwind(AssertUnwindSafe(|| processor.decide(event, state))).unwrap_or_else(|_| {
        Decision::Fail(Fault {
            reason: reasons::PANICKED,
            detail: "the processor panicked; this is a fault in Rollbook, please report it".to_owned(),
            amount: None,
        })
    })
}

#[cfg(test)]
mod tests;
