//! Outcomes: what became of the events of a delivery, and the one settlement that follows.

use std::time::Duration;

use jiff::Timestamp;
use rollbook_domain::{Amount, FactKind, FactRef, Fault, ProcessorName};
use rollbook_queue::{Delivery, Failure, Retry, Settlement};

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Applied,
    Ignored,
    Rejected,
    Duplicate,
    /// Costs an attempt and comes again by the schedule: what it needs has not arrived, or the
    /// store would not take its effect.
    Deferred(Fault),
    /// Can never be settled as it is.
    Failed(Fault),
}

/// One event at the end of an attempt.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub fact: FactRef,
    /// `None` if nobody could read it.
    pub kind: Option<FactKind>,
    pub fate: Fate,
}

/// What a settlement depends on beside the events.
pub(crate) struct Terms<'a> {
    pub processor: &'a ProcessorName,
    /// The delay before the next attempt; `None` if this was the last.
    pub next: Option<Duration>,
    pub now: Timestamp,
}

/// Folds the ends of all events of a delivery. Its attempt is counted once, however many of its
/// events must come again.
pub(crate) fn settlement(delivery: &Delivery, ends: &[End], terms: &Terms<'_>) -> Settlement {
    let attempts = delivery.attempts + 1;
    let mut settlement = Settlement::ack();
    for end in ends {
        match (&end.fate, terms.next) {
            (Fate::Applied | Fate::Ignored | Fate::Rejected | Fate::Duplicate, _) => {}
            (Fate::Deferred(_), Some(after)) => settlement.retry = Some(Retry { after, attempts }),
            (Fate::Deferred(fault), None) | (Fate::Failed(fault), _) => {
                add(&mut settlement.dead_letters, failure(end, fault, attempts, terms));
            }
        }
    }
    settlement
}

/// Whether this event ends here as a dead letter.
pub(crate) fn is_dead(fate: &Fate, next: Option<Duration>) -> bool {
    match fate {
        Fate::Applied | Fate::Ignored | Fate::Rejected | Fate::Duplicate => false,
        Fate::Deferred(_) => next.is_none(),
        Fate::Failed(_) => true,
    }
}

/// One letter a fact: the same fact twice in one envelope is one thing to look at.
fn add(letters: &mut Vec<Failure>, new: Failure) {
    if !letters.iter().any(|old| old.account == new.account && old.event_key == new.event_key) {
        letters.push(new);
    }
}

fn failure(end: &End, fault: &Fault, attempts: u32, terms: &Terms<'_>) -> Failure {
    let (amount, currency) = fault.amount.as_ref().map_or((None, None), at_stake);
    Failure {
        processor: terms.processor.clone(),
        account: end.fact.account.clone(),
        event_key: end.fact.key.clone(),
        reason: fault.reason.clone(),
        detail: fault.detail.clone(),
        amount,
        currency,
        attempts,
        failed_at: terms.now,
    }
}

/// The exact amount where there is one, else what the provider wrote.
fn at_stake(amount: &Amount) -> (Option<String>, Option<String>) {
    let written = || Some(amount.text.clone()).filter(|text| !text.is_empty());
    match amount.money {
        Ok(money) => (Some(money.decimal()), Some(money.currency.to_string())),
        Err(_) => (written(), amount.currency.clone()),
    }
}

#[cfg(test)]
mod tests {
    use rollbook_domain::{Currency, Money, Reason};

    use super::*;
    use crate::fakes;

    fn fault(reason: &'static str) -> Fault {
        Fault { reason: Reason::new(reason), detail: String::new(), amount: None }
    }

    fn end(key: &str, fate: Fate) -> End {
        let event = fakes::event(key);
        End { fact: FactRef { account: event.account, key: event.key }, kind: None, fate }
    }

    fn settle(ends: &[End], next: Option<Duration>) -> (Vec<String>, Option<Retry>) {
        let delivery = Delivery { attempts: 2, ..fakes::delivery(1, "a") };
        let terms = Terms { processor: &"membership".into(), next, now: fakes::noon() };
        let settlement = settlement(&delivery, ends, &terms);
        let reasons = settlement.dead_letters.iter().map(|letter| format!("{} {}", letter.reason, letter.attempts));
        (reasons.collect(), settlement.retry)
    }

    const SOON: Option<Duration> = Some(Duration::from_secs(5));
    const THIRD: Option<Retry> = Some(Retry { after: Duration::from_secs(5), attempts: 3 });

    #[test]
    fn one_settlement_for_every_mixture() {
        let deferred = || Fate::Deferred(fault("payment_unknown"));
        let failed = || Fate::Failed(fault("wrong_amount"));
        for (fates, next, letters, retry) in [
            (vec![Fate::Applied, Fate::Ignored, Fate::Rejected, Fate::Duplicate], SOON, vec![], None),
            (vec![deferred()], SOON, vec![], THIRD),
            (vec![deferred(), deferred(), Fate::Applied], SOON, vec![], THIRD),
            (vec![deferred()], None, vec!["payment_unknown 3"], None),
            (vec![failed()], SOON, vec!["wrong_amount 3"], None),
            (vec![failed(), deferred()], SOON, vec!["wrong_amount 3"], THIRD),
            (vec![failed(), deferred()], None, vec!["wrong_amount 3", "payment_unknown 3"], None),
        ] {
            let ends: Vec<End> = fates.iter().enumerate().map(|(n, fate)| end(&n.to_string(), fate.clone())).collect();
            let (got, again) = settle(&ends, next);
            assert_eq!((got, again), (letters.into_iter().map(str::to_owned).collect(), retry), "{fates:?}");
        }
    }

    #[test]
    fn one_fact_twice_is_one_letter() {
        let twice = [end("a", Fate::Failed(fault("wrong_amount"))), end("a", Fate::Failed(fault("wrong_amount")))];
        assert_eq!(settle(&twice, SOON).0.len(), 1);
    }

    #[test]
    fn the_money_at_stake_is_named() {
        let usd = Currency::parse("USD").unwrap();
        let exact = Amount::exact(Money { minor: 1500, currency: usd });
        assert_eq!(at_stake(&exact), (Some("15.00".to_owned()), Some("USD".to_owned())));
        let odd = Amount::decimal(Some("15.001"), Some("USD"));
        assert_eq!(at_stake(&odd), (Some("15.001".to_owned()), Some("USD".to_owned())));
        assert_eq!(at_stake(&Amount::decimal(None, None)), (None, None));
    }
}
