//! Payments, what happened to them, and the terms that they bought.

use rollbook_domain::{Adjustment, AdjustmentKind, Currency, EndReason, Ending, Money, Payment, PaymentRef, Term};

use super::people::{Known, whose};
use crate::StoreError;
use crate::cells::{Cells, Columns};

pub fn payment(row: &impl Columns, known: &Known) -> Result<Payment, StoreError> {
    let cells = Cells::of("payment", row);
    Ok(Payment {
        reference: reference(&cells)?,
        event_key: cells.get("event_key")?,
        person: whose(&cells, known)?,
        paid_at: cells.get("paid_at")?,
        paid_on: cells.get("paid_on")?,
        amount: Money { minor: cells.get("amount_minor")?, currency: cells.read("currency", Currency::parse)? },
        category: cells.get("category")?,
        renewal_window_days: cells.count("renewal_window_days")?,
    })
}

fn reference(cells: &Cells<'_, impl Columns>) -> Result<PaymentRef, StoreError> {
    Ok(PaymentRef { account: cells.get("account")?, transaction: cells.get("transaction_id")? })
}

pub fn adjustment(row: &impl Columns) -> Result<Adjustment, StoreError> {
    let cells = Cells::of("adjustment", row);
    let cumulative_minor: Option<i64> = cells.get("cumulative_minor")?;
    Ok(Adjustment {
        payment: reference(&cells)?,
        event_key: cells.get("event_key")?,
        kind: cells.read("kind", |kind| AdjustmentKind::parse(kind, cumulative_minor.unwrap_or_default()))?,
        at: cells.get("happened_at")?,
        on: cells.get("happened_on")?,
    })
}

pub fn term(row: &impl Columns, known: &Known) -> Result<Term, StoreError> {
    let cells = Cells::of("term", row);
    let ended = match cells.get("ended_on")? {
        Some(on) => Some(Ending { on, reason: cells.read("end_reason", EndReason::parse)? }),
        None => None,
    };
    Ok(Term {
        payment: reference(&cells)?,
        person: whose(&cells, known)?,
        starts: cells.get("starts")?,
        expires: cells.get("expires")?,
        ended,
    })
}
