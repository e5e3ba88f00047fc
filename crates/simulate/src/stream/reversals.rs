//! Stories of money that goes back: refunds, also before their payments, and disputes.

use jiff::Timestamp;
use rollbook_domain::{DisputePhase, EventKey, FactKind, Money};

use super::payments::Sale;
use super::teller::{DAY_S, Draft, STRIPE, Teller, dead, facts, genuine, ignored, later};
use crate::bodies::standard;
use crate::bodies::stripe::{self, DisputeEvent};
use crate::{Callback, Effect, Key, Kind, MEMBERSHIP, Verdict};

impl Teller<'_> {
    /// A sale through a source that tells of refunds and disputes.
    fn refundable(&mut self) -> Option<Sale> {
        let source = self.source_for(FactKind::PaymentRefunded)?;
        self.sale_through(source)
    }

    /// `minor` is the sum of all refunds so far.
    fn refunded(&mut self, sale: &Sale, kind: Kind, minor: i64, at: Timestamp, verdict: Verdict) -> Callback {
        let id = self.request_id(&sale.source);
        let currency = sale.price.currency.as_str();
        let body = if sale.source.provider.name() == STRIPE {
            let event = stripe::Event { id: &id, created: at };
            let currency = currency.to_ascii_lowercase();
            stripe::charge_refunded(&event, &sale.transaction, sale.price.minor, minor, &currency, sale.at)
        } else {
            let refunded = Money { minor, currency: sale.price.currency }.decimal();
            standard::payment_refunded(&sale.transaction, &refunded, currency, at)
        };
        let key = Key::Named(EventKey::refunded(&sale.transaction, minor));
        genuine(kind, &sale.source, id, body, facts(&sale.source, MEMBERSHIP, &key, vec![verdict]))
    }

    fn disputed(&mut self, sale: &Sale, dispute: &str, phase: DisputePhase, at: Timestamp) -> Callback {
        let id = self.request_id(&sale.source);
        let (kind, key, event) = match phase {
            DisputePhase::Opened => (Kind::DisputeOpened, EventKey::dispute_opened(dispute), DisputeEvent::Created),
            DisputePhase::Won => (Kind::DisputeWon, EventKey::dispute_won(dispute), DisputeEvent::Won),
            DisputePhase::Lost => (Kind::DisputeLost, EventKey::dispute_lost(dispute), DisputeEvent::Lost),
        };
        let body = if sale.source.provider.name() == STRIPE {
            let currency = sale.price.currency.as_str().to_ascii_lowercase();
            let told = stripe::Event { id: &id, created: at };
            stripe::dispute(&told, event, dispute, &sale.transaction, sale.price.minor, &currency)
        } else {
            standard::payment_disputed(&sale.transaction, dispute, phase, at)
        };
        let effect = Effect::Dispute { transaction: sale.transaction.clone(), dispute: dispute.to_owned(), phase };
        let facts = facts(&sale.source, MEMBERSHIP, &Key::Named(key), vec![Verdict::Applied(effect)]);
        genuine(kind, &sale.source, id, body, facts)
    }
}

fn applied(sale: &Sale, cumulative_minor: i64) -> Verdict {
    Verdict::Applied(Effect::Refund { transaction: sale.transaction.clone(), cumulative_minor })
}

pub fn refund(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(sale) = teller.refundable() else { return Vec::new() };
    let at = later(sale.at, teller.rng.i64(3600..60 * DAY_S));
    let minor = sale.price.minor;
    let mut drafts = teller.paid(&sale, Kind::Payment);
    drafts.push(Draft::at(at, teller.refunded(&sale, Kind::Refund, minor, at, applied(&sale, minor))));
    drafts
}

/// A part, then more of it, sometimes the rest; now and then in the wrong order.
pub fn partial_refunds(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(sale) = teller.refundable() else { return Vec::new() };
    let mut drafts = teller.paid(&sale, Kind::Payment);
    let whole = sale.price.minor;
    let mut totals = vec![whole / 3, whole / 2];
    if teller.chance(50) {
        totals.push(whole);
    }
    let mut at = sale.at;
    for minor in totals {
        at = later(at, teller.rng.i64(DAY_S..20 * DAY_S));
        let kind = if minor == whole { Kind::Refund } else { Kind::PartialRefund };
        let moved_s = if teller.chance(30) { -25 * DAY_S } else { 0 };
        let callback = teller.refunded(&sale, kind, minor, at, applied(&sale, minor));
        drafts.push(Draft::at(at, callback).moved(moved_s));
    }
    drafts
}

pub fn refund_before_payment(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(sale) = teller.refundable() else { return Vec::new() };
    let at = later(sale.at, teller.rng.i64(60..3600));
    let minor = sale.price.minor;
    let mut drafts = teller.paid(&sale, Kind::Payment);
    let refund = teller.refunded(&sale, Kind::RefundBeforePayment, minor, at, applied(&sale, minor));
    drafts.push(Draft::at(sale.at, refund).moved(-5 * DAY_S));
    drafts
}

/// Its payment was for something else, so the refund is, too.
pub fn refund_of_rental(teller: &mut Teller<'_>) -> Vec<Draft> {
    let Some(mut sale) = teller.refundable() else { return Vec::new() };
    sale.purpose = "rental";
    let at = later(sale.at, teller.rng.i64(DAY_S..20 * DAY_S));
    let rental = teller.captured(&sale, Kind::Rental, vec![ignored("not_membership")]);
    let refund = teller.refunded(&sale, Kind::RefundOfRental, sale.price.minor, at, ignored("payment_not_ours"));
    vec![Draft::at(sale.at, rental), Draft::at(at, refund)]
}

/// Only where asked for: the service gives up on it when its retry schedule is over.
pub fn refund_of_nothing(teller: &mut Teller<'_>) -> Vec<Draft> {
    if !teller.options.orphans {
        return Vec::new();
    }
    let Some(sale) = teller.refundable() else { return Vec::new() };
    let refund = teller.refunded(&sale, Kind::RefundOfNothing, sale.price.minor, sale.at, dead("payment_unknown"));
    vec![Draft::at(sale.at, refund)]
}

pub fn dispute_lost(teller: &mut Teller<'_>) -> Vec<Draft> {
    dispute(teller, DisputePhase::Lost)
}

pub fn dispute_won(teller: &mut Teller<'_>) -> Vec<Draft> {
    dispute(teller, DisputePhase::Won)
}

fn dispute(teller: &mut Teller<'_>, end: DisputePhase) -> Vec<Draft> {
    let Some(sale) = teller.refundable() else { return Vec::new() };
    let dispute = teller.id("dp_");
    let opened_at = later(sale.at, teller.rng.i64(5 * DAY_S..60 * DAY_S));
    let closed_at = later(opened_at, teller.rng.i64(10 * DAY_S..60 * DAY_S));
    let mut drafts = teller.paid(&sale, Kind::Payment);
    let opened = teller.disputed(&sale, &dispute, DisputePhase::Opened, opened_at);
    let closed = teller.disputed(&sale, &dispute, end, closed_at);
    drafts.extend([Draft::at(opened_at, opened), Draft::at(closed_at, closed)]);
    drafts
}
