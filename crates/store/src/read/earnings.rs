//! What facts earned, and for whom.

use jiff::Timestamp;
use rollbook_domain::{
    Capped, Currency, Earning, FactRef, GroupId, Money, Owner, Paid, PaymentRef, Period, PersonId, Rate,
};

use crate::StoreError;
use crate::cells::{Cells, Columns};

pub fn earning(row: &impl Columns) -> Result<Earning, StoreError> {
    let cells = Cells::of("earning", row);
    Ok(Earning {
        fact: FactRef { account: cells.get("fact_account")?, key: cells.get("fact_key")? },
        rule: cells.get("rule")?,
        of: FactRef { account: cells.get("award_account")?, key: cells.get("award_key")? },
        owner: owner(&cells)?,
        paid: paid(&cells)?,
        rate: rate(&cells)?,
        capped: capped(&cells)?,
        earned: cells.get("earned")?,
        moved: cells.get("moved")?,
        at: cells.get("happened_at")?,
        expires_at: cells.get("expires_at")?,
    })
}

fn owner(cells: &Cells<'_, impl Columns>) -> Result<Owner, StoreError> {
    let id = cells.get("owner")?;
    cells.read("owner_kind", |kind| Owner::read(kind, id))
}

fn paid(cells: &Cells<'_, impl Columns>) -> Result<Option<Paid>, StoreError> {
    let Some(account) = cells.get("account")? else { return Ok(None) };
    let payment = PaymentRef { account, transaction: cells.get("transaction_id")? };
    let amount = Money { minor: cells.get("amount_minor")?, currency: cells.read("currency", Currency::parse)? };
    Ok(Some(Paid { payment, amount, returned_minor: cells.get("returned_minor")? }))
}

fn rate(cells: &Cells<'_, impl Columns>) -> Result<Rate, StoreError> {
    let (per_10000, award) = (cells.get::<Option<i64>>("per_10000")?, cells.get::<Option<i64>>("award")?);
    let per_unit = per_10000.map(|per_10000| Rate::PerUnit { per_10000 });
    per_unit.or(award.map(|points| Rate::Award { points })).ok_or_else(|| cells.corrupt("award"))
}

fn capped(cells: &Cells<'_, impl Columns>) -> Result<Option<Capped>, StoreError> {
    let Some(points) = cells.get("cap")? else { return Ok(None) };
    let period = Period { first: cells.get("period_first")?, last: cells.get("period_last")? };
    Ok(Some(Capped { period, points }))
}

/// When they left; none: they are a member.
pub fn membership(row: &impl Columns) -> Result<((GroupId, PersonId), Option<Timestamp>), StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(((cells.get("group_id")?, cells.get("person")?), cells.get("left_at")?))
}
