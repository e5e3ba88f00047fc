//! Decides on payments, refunds and disputes.

use std::iter::once;

use rollbook_domain::{
    Adjustment, AdjustmentKind, Amount, Capture, Change, Decision, DisputePhase, Email, Event, EventKey, Fact,
    FactKind, FactRef, Fault, Money, Outcome, Payment, PaymentRef, Processor, Reads, Reason, Said, Stamp, State, Term,
    date_in, introduce,
};

use crate::dues::{self, Dues};
use crate::fold::fold_payments;
use crate::reasons::{
    DECLINED, NOT_MEMBERSHIP, PAYMENT_NOT_OURS, PAYMENT_UNKNOWN, PENDING, WRONG_AMOUNT, WRONG_CURRENCY,
};
use crate::rules::Rules;

/// The processor's name: its queue, and part of every permanent key.
pub const NAME: &str = "membership";

#[derive(Clone, Debug)]
pub struct Membership {
    rules: Rules,
}

impl Membership {
    /// `rules` have passed [`Rules::check`]; where plans overlap, the first one would be the price.
    pub fn new(rules: Rules) -> Self {
        Self { rules }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }
}

impl Processor for Membership {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self) -> &'static [FactKind] {
        &[
            FactKind::PaymentCaptured,
            FactKind::PaymentDeclined,
            FactKind::PaymentPending,
            FactKind::PaymentRefunded,
            FactKind::PaymentDisputed,
        ]
    }

    fn reads(&self, event: &Event) -> Reads {
        let mut reads = Reads::default();
        match &event.fact {
            Fact::PaymentCaptured(capture) if self.rules.is_membership(capture.purpose.as_deref()) => {
                reads.people.extend(capture.email.as_deref().and_then(Email::parse));
            }
            Fact::PaymentRefunded(refund) => read_payment(&mut reads, event, &refund.transaction),
            Fact::PaymentDisputed(dispute) => read_payment(&mut reads, event, &dispute.transaction),
            _ => {}
        }
        reads
    }

    fn decide(&self, event: &Event, state: &State) -> Decision {
        match &event.fact {
            Fact::PaymentCaptured(capture) => self.decide_capture(event, capture, state),
            Fact::PaymentRefunded(refund) => self.decide_refund(event, &refund.transaction, refund.cumulative, state),
            Fact::PaymentDisputed(dispute) => {
                self.decide_dispute(event, &dispute.transaction, adjustment_kind(dispute.phase), state)
            }
            Fact::PaymentPending => Decision::Ignore(PENDING),
            Fact::PaymentDeclined => Decision::Ignore(DECLINED),
            _ => Decision::Ignore(rollbook_domain::reasons::UNWANTED_TYPE),
        }
    }
}

impl Membership {
    fn decide_capture(&self, event: &Event, capture: &Capture, state: &State) -> Decision {
        if !self.rules.is_membership(capture.purpose.as_deref()) {
            return Decision::Ignore(NOT_MEMBERSHIP);
        }
        match dues::check(&self.rules, capture, event.occurred_at) {
            Ok(dues) => Decision::Apply(self.capture(event, capture, dues, state)),
            Err(fault) => Decision::Fail(fault),
        }
    }

    fn capture(&self, event: &Event, capture: &Capture, dues: Dues<'_>, state: &State) -> Vec<Change> {
        let stamp = Stamp { at: event.occurred_at, key: event.key.clone() };
        let introduction = introduce(
            state,
            &Said {
                email: &dues.email,
                written: dues.written,
                name: capture.name.as_deref(),
                category: Some(&dues.category),
                stamp: &stamp,
            },
        );
        let payment = Payment {
            reference: payment_ref(event, &capture.transaction),
            event_key: event.key.clone(),
            person: introduction.person,
            paid_at: event.occurred_at,
            paid_on: dues.paid_on,
            amount: dues.amount,
            category: dues.category,
            renewal_window_days: self.rules.renewal_window_days,
        };
        let mut changes = introduction.changes;
        let terms = refold(state, &payment, None);
        changes.push(Change::RecordPayment(payment));
        changes.extend(terms);
        changes
    }

    fn decide_refund(&self, event: &Event, transaction: &str, cumulative: Money, state: &State) -> Decision {
        let amount = Some(Amount::exact(cumulative));
        let reference = payment_ref(event, transaction);
        let Some(payment) = state.payments.get(&reference) else {
            return without_payment(event, transaction, amount, state);
        };
        let fault = |reason: Reason, detail: String| Decision::Fail(Fault { reason, detail, amount: amount.clone() });
        if cumulative.currency != payment.amount.currency {
            let (refunded, paid) = (cumulative.currency, payment.amount.currency);
            return fault(WRONG_CURRENCY, format!("refunded in {refunded}, but paid in {paid}; look the payment up"));
        }
        if cumulative.minor <= 0 {
            return fault(WRONG_AMOUNT, "a refund must be more than zero; look the payment up".to_owned());
        }
        let kind = AdjustmentKind::Refunded { cumulative_minor: cumulative.minor };
        Decision::Apply(self.adjust(event, payment, kind, state))
    }

    fn decide_dispute(&self, event: &Event, transaction: &str, kind: AdjustmentKind, state: &State) -> Decision {
        match state.payments.get(&payment_ref(event, transaction)) {
            Some(payment) => Decision::Apply(self.adjust(event, payment, kind, state)),
            None => without_payment(event, transaction, None, state),
        }
    }

    fn adjust(&self, event: &Event, payment: &Payment, kind: AdjustmentKind, state: &State) -> Vec<Change> {
        let adjustment = Adjustment {
            payment: payment.reference.clone(),
            event_key: event.key.clone(),
            kind,
            at: event.occurred_at,
            on: date_in(&self.rules.zone, event.occurred_at),
        };
        let terms = refold(state, payment, Some(&adjustment));
        once(Change::AdjustPayment(adjustment)).chain(terms).collect()
    }
}

/// The terms of the payment's person that change once `payment` and `adjustment` are recorded.
fn refold(state: &State, payment: &Payment, adjustment: Option<&Adjustment>) -> Vec<Change> {
    let recorded = || state.payments_of(payment.person);
    let is_new = !state.payments.contains_key(&payment.reference);
    let payments = recorded().chain(is_new.then_some(payment));
    let adjustments = recorded().flat_map(|payment| state.adjustments_of(&payment.reference)).chain(adjustment);
    let terms = fold_payments(payments, adjustments);
    terms.into_iter().filter_map(|term| set_term(state, term)).collect()
}

fn set_term(state: &State, term: Term) -> Option<Change> {
    let was = state.terms.get(&term.payment);
    (was != Some(&term)).then(|| Change::SetTerm { was: was.cloned(), term })
}

fn payment_ref(event: &Event, transaction: &str) -> PaymentRef {
    PaymentRef { account: event.account.clone(), transaction: transaction.to_owned() }
}

fn captured(event: &Event, transaction: &str) -> FactRef {
    FactRef { account: event.account.clone(), key: EventKey::captured(transaction) }
}

fn read_payment(reads: &mut Reads, event: &Event, transaction: &str) {
    reads.payments.insert(payment_ref(event, transaction));
    reads.outcomes.insert(captured(event, transaction));
}

/// A refund or dispute whose payment is not recorded: of a payment that was not for us, or early.
fn without_payment(event: &Event, transaction: &str, amount: Option<Amount>, state: &State) -> Decision {
    let outcome = state.outcomes.get(&captured(event, transaction)).map(|seen| seen.outcome);
    if matches!(outcome, Some(Outcome::Ignored | Outcome::Rejected)) {
        return Decision::Ignore(PAYMENT_NOT_OURS);
    }
    let detail = "its payment is not recorded; find the payment among the dead letters or at the provider, \
                  replay that, then this";
    Decision::Defer(Fault { reason: PAYMENT_UNKNOWN, detail: detail.to_owned(), amount })
}

fn adjustment_kind(phase: DisputePhase) -> AdjustmentKind {
    match phase {
        DisputePhase::Opened => AdjustmentKind::DisputeOpened,
        DisputePhase::Won => AdjustmentKind::DisputeWon,
        DisputePhase::Lost => AdjustmentKind::DisputeLost,
    }
}
