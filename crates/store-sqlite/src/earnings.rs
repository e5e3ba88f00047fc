//! What facts earned: loaded by whole scopes, written once.

use std::collections::BTreeSet;

use rollbook_domain::{
    Capped, Currency, Earning, FactRef, GroupId, Money, Owner, Paid, PaymentRef, Period, ProcessorName, Rate, Reads,
    Scope, State,
};
use rollbook_ledger::TransactionId;
use rollbook_sqlite::{BulkQuery, to_micros};
use rollbook_store::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use crate::cells::Cells;
use crate::json;
use crate::load::rows;
use crate::statements::sql;

/// The earnings that `reads` asks for, and who is a member of which group.
pub async fn load(connection: &mut SqliteConnection, reads: &Reads, state: &mut State) -> Result<(), StoreError> {
    let mut scopes = reads.scopes.clone();
    if !reads.earned_by.is_empty() {
        let of_payments = rows(connection, sql!("earnings_of_payments"), json::payments(&reads.earned_by)).await?;
        scopes.extend(add(&of_payments, state)?);
    }
    if !scopes.is_empty() {
        let in_scopes = rows(connection, sql!("earnings_in_scopes"), json::scopes(&scopes)).await?;
        add(&in_scopes, state)?;
    }
    if !reads.group_members.is_empty() {
        let wanted = json::group_members(&reads.group_members);
        for row in rows(connection, sql!("group_memberships"), wanted).await? {
            let cells = Cells::of("group_member", &row);
            let member = (GroupId(cells.uuid("group_id")?), rollbook_domain::PersonId(cells.uuid("person")?));
            state.group_members.insert(member, cells.maybe_instant("left_at")?);
        }
    }
    Ok(())
}

/// Tells the scopes that they are in.
fn add(rows: &[SqliteRow], state: &mut State) -> Result<BTreeSet<Scope>, StoreError> {
    let mut scopes = BTreeSet::new();
    for row in rows {
        let earning = earning(row)?;
        scopes.extend(earning.scope());
        state.add_earning(earning);
    }
    Ok(scopes)
}

fn earning(row: &SqliteRow) -> Result<Earning, StoreError> {
    let cells = Cells::of("earning", row);
    Ok(Earning {
        fact: fact(&cells, "fact_account", "fact_key")?,
        rule: cells.get("rule")?,
        of: fact(&cells, "award_account", "award_key")?,
        owner: owner(&cells)?,
        paid: paid(&cells)?,
        rate: rate(&cells)?,
        capped: capped(&cells)?,
        earned: cells.get("earned")?,
        moved: cells.get("moved")?,
        at: cells.instant("happened_at")?,
        expires_at: cells.maybe_instant("expires_at")?,
    })
}

fn fact(cells: &Cells<'_>, account: &'static str, key: &'static str) -> Result<FactRef, StoreError> {
    Ok(FactRef { account: cells.text(account)?.into(), key: cells.text(key)?.into() })
}

fn owner(cells: &Cells<'_>) -> Result<Owner, StoreError> {
    let id = cells.uuid("owner")?;
    cells.read("owner_kind", |kind| Owner::read(kind, id))
}

fn paid(cells: &Cells<'_>) -> Result<Option<Paid>, StoreError> {
    let Some(account) = cells.maybe_text("account")? else { return Ok(None) };
    let payment = PaymentRef { account: account.into(), transaction: cells.get("transaction_id")? };
    let amount = Money { minor: cells.get("amount_minor")?, currency: cells.read("currency", Currency::parse)? };
    Ok(Some(Paid { payment, amount, returned_minor: cells.get("returned_minor")? }))
}

fn rate(cells: &Cells<'_>) -> Result<Rate, StoreError> {
    let (per_10000, award): (Option<i64>, Option<i64>) = (cells.get("per_10000")?, cells.get("award")?);
    let per_unit = per_10000.map(|per_10000| Rate::PerUnit { per_10000 });
    per_unit.or(award.map(|points| Rate::Award { points })).ok_or_else(|| cells.corrupt("award"))
}

fn capped(cells: &Cells<'_>) -> Result<Option<Capped>, StoreError> {
    let Some(points) = cells.get("cap")? else { return Ok(None) };
    let period = Period { first: cells.date("period_first")?, last: cells.date("period_last")? };
    Ok(Some(Capped { period, points }))
}

pub fn bind(query: BulkQuery, processor: &ProcessorName, earning: &Earning) -> BulkQuery {
    let paid = earning.paid.as_ref();
    let capped = earning.capped.as_ref();
    query
        .bind(processor.as_str().to_owned())
        .bind(earning.fact.account.as_str().to_owned())
        .bind(earning.fact.key.as_str().to_owned())
        .bind(earning.of.account.as_str().to_owned())
        .bind(earning.of.key.as_str().to_owned())
        .bind(earning.rule.clone())
        .bind(earning.owner.kind())
        .bind(earning.owner.uuid())
        .bind(paid.map(|paid| paid.payment.account.as_str().to_owned()))
        .bind(paid.map(|paid| paid.payment.transaction.clone()))
        .bind(paid.map(|paid| paid.amount.minor))
        .bind(paid.map(|paid| paid.amount.currency.as_str().to_owned()))
        .bind(paid.map(|paid| paid.returned_minor))
        .bind(per_10000(earning))
        .bind(award(earning))
        .bind(capped.map(|capped| capped.period.first.to_string()))
        .bind(capped.map(|capped| capped.period.last.to_string()))
        .bind(capped.map(|capped| capped.points))
        .bind(earning.earned)
        .bind(earning.moved)
        .bind(posted_by(earning))
        .bind(to_micros(earning.at))
        .bind(earning.expires_at.map(to_micros))
}

fn per_10000(earning: &Earning) -> Option<i64> {
    match earning.rate {
        Rate::PerUnit { per_10000 } => Some(per_10000),
        Rate::Award { .. } => None,
    }
}

fn award(earning: &Earning) -> Option<i64> {
    match earning.rate {
        Rate::PerUnit { .. } => None,
        Rate::Award { points } => Some(points),
    }
}

/// The transaction that [`rollbook_ledger::Command::earning`] makes of the fact.
fn posted_by(earning: &Earning) -> Option<Uuid> {
    (earning.moved != 0).then(|| TransactionId::earned_by(&earning.fact).0)
}
