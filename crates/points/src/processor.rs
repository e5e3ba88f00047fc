//! Decides on what earns and on what takes back.

use rollbook_domain::{
    Amount, Capture, Change, Decision, DisputePhase, Event, EventKey, Fact, FactKind, FactRef, Fault, Outcome, Owner,
    PaymentRef, PersonId, Processor, Reads, State,
};

use crate::adjust::{Returned, adjust, awards};
use crate::earn::{Earner, money, paid, said, signer};
use crate::payee::{Payee, not_a_member, payee};
use crate::reasons::{DISPUTE_NOT_LOST, EARNED_NOTHING, NO_RULE, OTHER_CURRENCY, PAYMENT_UNKNOWN};
use crate::rules::Rules;

/// The processor's name: its queue, and part of every permanent key.
pub const NAME: &str = "points";

#[derive(Clone, Debug)]
pub struct Points {
    rules: Rules,
}

impl Points {
    /// `rules` have passed [`Rules::check`].
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

impl Processor for Points {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self) -> &'static [FactKind] {
        &[
            FactKind::PaymentCaptured,
            FactKind::PaymentRefunded,
            FactKind::PaymentDisputed,
            FactKind::MemberRegistered,
            FactKind::DocumentCompleted,
        ]
    }

    fn reads(&self, event: &Event) -> Reads {
        let mut reads = Reads::default();
        match &event.fact {
            Fact::PaymentRefunded(refund) => read_payment(&mut reads, event, &refund.transaction),
            Fact::PaymentDisputed(dispute) if dispute.phase == DisputePhase::Lost => {
                read_payment(&mut reads, event, &dispute.transaction);
            }
            _ => {
                if let (Some(earner), Some(payee)) = (self.earner(event), payee_of(event)) {
                    earner.read(payee.owner(), &mut reads);
                    reads.group_members.extend(payee.group.map(|group| (group, payee.person)));
                }
            }
        }
        reads
    }

    fn decide(&self, event: &Event, state: &State) -> Decision {
        match &event.fact {
            Fact::PaymentCaptured(capture) => self.decide_capture(event, capture, state),
            Fact::MemberRegistered { person } => self.decide_award(event, Ok(*person), state),
            Fact::DocumentCompleted(completion) => self.decide_award(event, signer(completion), state),
            Fact::PaymentRefunded(refund) => {
                take_back(event, &refund.transaction, Returned::Refunded(refund.cumulative), state)
            }
            Fact::PaymentDisputed(dispute) if dispute.phase == DisputePhase::Lost => {
                take_back(event, &dispute.transaction, Returned::All, state)
            }
            Fact::PaymentDisputed(_) => Decision::Ignore(DISPUTE_NOT_LOST),
            _ => Decision::Ignore(rollbook_domain::reasons::UNWANTED_TYPE),
        }
    }
}

impl Points {
    fn earner<'a>(&'a self, event: &'a Event) -> Option<Earner<'a>> {
        let matching = self.rules.matching(event, said(event));
        (!matching.is_empty()).then_some(Earner { event, rules: &self.rules, matching })
    }

    fn decide_capture(&self, event: &Event, capture: &Capture, state: &State) -> Decision {
        let Some(earner) = self.earner(event) else { return Decision::Ignore(NO_RULE) };
        let money = match money(&capture.amount) {
            Ok(money) if money.currency == self.rules.currency => money,
            Ok(_) => return Decision::Ignore(OTHER_CURRENCY),
            Err(fault) => return Decision::Fail(fault),
        };
        let (owner, paid) = match payee(capture).and_then(|payee| Ok((payee, paid(event, capture, money)?))) {
            Ok((payee, _)) if !payee.may_earn(event, state) => return Decision::Defer(not_a_member(capture)),
            Ok((payee, paid)) => (payee.owner(), paid),
            Err(fault) => return Decision::Fail(fault),
        };
        decision(earner.earn(owner, Some(&paid), state))
    }

    fn decide_award(&self, event: &Event, person: Result<PersonId, Fault>, state: &State) -> Decision {
        let Some(earner) = self.earner(event) else { return Decision::Ignore(NO_RULE) };
        decision(person.and_then(|person| earner.earn(Owner::Person(person), None, state)))
    }
}

/// Who would be given points; none where nobody can be.
fn payee_of(event: &Event) -> Option<Payee> {
    match &event.fact {
        Fact::PaymentCaptured(capture) => payee(capture).ok(),
        Fact::DocumentCompleted(completion) => signer(completion).ok().map(Payee::alone),
        Fact::MemberRegistered { person } => Some(Payee::alone(*person)),
        _ => None,
    }
}

fn decision(changes: Result<Vec<Change>, Fault>) -> Decision {
    changes.map_or_else(Decision::Fail, Decision::Apply)
}

fn take_back(event: &Event, transaction: &str, returned: Returned, state: &State) -> Decision {
    let awards = awards(state, &payment_ref(event, transaction));
    if awards.is_empty() {
        return without_award(event, transaction, returned, state);
    }
    decision(adjust(event, &awards, returned, state))
}

/// Its payment earned nothing, or is not known yet.
fn without_award(event: &Event, transaction: &str, returned: Returned, state: &State) -> Decision {
    let outcome = state.outcomes.get(&captured(event, transaction)).map(|seen| seen.outcome);
    if matches!(outcome, Some(Outcome::Ignored | Outcome::Rejected)) {
        return Decision::Ignore(EARNED_NOTHING);
    }
    let amount = match returned {
        Returned::Refunded(cumulative) => Some(Amount::exact(cumulative)),
        Returned::All => None,
    };
    let detail = "its payment is not known here; find it among the dead letters or at the provider, replay that, \
                  then this, or discard this if it was paid before points were given";
    Decision::Defer(Fault { reason: PAYMENT_UNKNOWN, detail: detail.to_owned(), amount })
}

fn payment_ref(event: &Event, transaction: &str) -> PaymentRef {
    PaymentRef { account: event.account.clone(), transaction: transaction.to_owned() }
}

fn captured(event: &Event, transaction: &str) -> FactRef {
    FactRef { account: event.account.clone(), key: EventKey::captured(transaction) }
}

fn read_payment(reads: &mut Reads, event: &Event, transaction: &str) {
    reads.earned_by.insert(payment_ref(event, transaction));
    reads.outcomes.insert(captured(event, transaction));
}
