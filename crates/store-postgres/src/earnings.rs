//! What facts earned: loaded by whole scopes under the lock of whoever earned it, written once.

use std::collections::BTreeSet;

use jiff_sqlx::ToSqlx;
use rollbook_domain::{
    Capped, Currency, Earning, FactRef, GroupId, Money, Owner, Paid, PaymentRef, Period, PersonId, ProcessorName, Rate,
    Reads, Scope, State,
};
use rollbook_ledger::TransactionId;
use rollbook_store::StoreError;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::cells::Cells;
use crate::statements::{Query, column, execute, fetch, sql};

/// The earnings that `reads` asks for, and who is a member of which group.
///
/// Whose a payment's earnings are never changes, so that is read first. What they earned is read once
/// they are locked, in statements of their own: only those see what the last holder committed. A
/// payment that was recorded in between is known with everything that counts with it, if its owner
/// is locked, and else not at all: half of it would be taken for all that it earned.
pub async fn load(connection: &mut PgConnection, reads: &Reads, state: &mut State) -> Result<(), StoreError> {
    let mut scopes = reads.scopes.clone();
    let mut locked: BTreeSet<Owner> = scopes.iter().map(|scope| scope.owner).collect();
    locked.extend(of_payments(connection, reads).await?.iter().map(|earning| earning.owner));
    lock(connection, &locked).await?;
    if !locked.is_empty() {
        for earning in of_payments(connection, reads).await?.into_iter().filter(|one| locked.contains(&one.owner)) {
            scopes.extend(earning.scope());
            state.add_earning(earning);
        }
    }
    if !scopes.is_empty() {
        for row in fetch(connection, in_scopes(&scopes.iter().collect::<Vec<_>>())).await? {
            state.add_earning(earning(&row)?);
        }
    }
    members(connection, reads, state).await
}

async fn of_payments(connection: &mut PgConnection, reads: &Reads) -> Result<Vec<Earning>, StoreError> {
    if reads.earned_by.is_empty() {
        return Ok(Vec::new());
    }
    let names = reads.earned_by.iter().map(|payment| (payment.account.as_str(), payment.transaction.as_str()));
    let (accounts, transactions) = names.collect::<(Vec<_>, Vec<_>)>();
    let query = sqlx::query(sql!("earnings_of_payments")).bind(accounts).bind(transactions);
    fetch(connection, query).await?.iter().map(earning).collect()
}

/// In the order of their ids. An owner of neither a cap nor a payment never waits.
async fn lock(connection: &mut PgConnection, owners: &BTreeSet<Owner>) -> Result<(), StoreError> {
    let ids: BTreeSet<Uuid> = owners.iter().map(|owner| owner.uuid()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    execute(connection, sqlx::query(sql!("earner_insert")).bind(ids.clone())).await?;
    fetch(connection, sqlx::query(sql!("earners_lock")).bind(ids)).await?;
    Ok(())
}

fn in_scopes(scopes: &[&Scope]) -> Query {
    sqlx::query(sql!("earnings_in_scopes"))
        .bind(column(scopes, |scope| scope.owner.kind()))
        .bind(column(scopes, |scope| scope.owner.uuid()))
        .bind(column(scopes, |scope| scope.rule.as_str()))
        .bind(column(scopes, |scope| scope.period.first.to_sqlx()))
        .bind(column(scopes, |scope| scope.period.last.to_sqlx()))
}

async fn members(connection: &mut PgConnection, reads: &Reads, state: &mut State) -> Result<(), StoreError> {
    if reads.group_members.is_empty() {
        return Ok(());
    }
    let (groups, persons) =
        reads.group_members.iter().map(|(group, person)| (group.0, person.0)).collect::<(Vec<_>, Vec<_>)>();
    let query = sqlx::query(sql!("group_memberships")).bind(groups).bind(persons);
    for row in fetch(connection, query).await? {
        let cells = Cells::of("group_member", &row);
        let member = (GroupId(cells.get("group_id")?), PersonId(cells.get("person")?));
        state.group_members.insert(member, cells.maybe_instant("left_at")?);
    }
    Ok(())
}

fn earning(row: &PgRow) -> Result<Earning, StoreError> {
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
    let id = cells.get("owner")?;
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

pub fn insert(processor: &ProcessorName, earnings: &[&Earning]) -> Query {
    let facts = sqlx::query(sql!("earning_insert"))
        .bind(processor.as_str())
        .bind(column(earnings, |earning| earning.fact.account.as_str()))
        .bind(column(earnings, |earning| earning.fact.key.as_str()))
        .bind(column(earnings, |earning| earning.of.account.as_str()))
        .bind(column(earnings, |earning| earning.of.key.as_str()))
        .bind(column(earnings, |earning| earning.rule.as_str()))
        .bind(column(earnings, |earning| earning.owner.kind()))
        .bind(column(earnings, |earning| earning.owner.uuid()));
    amounts(payments(facts, earnings), earnings)
}

fn payments(query: Query, earnings: &[&Earning]) -> Query {
    let paid: Vec<Option<&Paid>> = earnings.iter().map(|earning| earning.paid.as_ref()).collect();
    query
        .bind(column(&paid, |paid| paid.map(|paid| paid.payment.account.as_str())))
        .bind(column(&paid, |paid| paid.map(|paid| paid.payment.transaction.as_str())))
        .bind(column(&paid, |paid| paid.map(|paid| paid.amount.minor)))
        .bind(column(&paid, |paid| paid.map(|paid| paid.amount.currency.as_str().to_owned())))
        .bind(column(&paid, |paid| paid.map(|paid| paid.returned_minor)))
        .bind(column(earnings, |earning| per_10000(earning)))
        .bind(column(earnings, |earning| award(earning)))
}

fn amounts(query: Query, earnings: &[&Earning]) -> Query {
    query
        .bind(column(earnings, |earning| earning.capped.map(|capped| capped.period.first.to_sqlx())))
        .bind(column(earnings, |earning| earning.capped.map(|capped| capped.period.last.to_sqlx())))
        .bind(column(earnings, |earning| earning.capped.map(|capped| capped.points)))
        .bind(column(earnings, |earning| earning.earned))
        .bind(column(earnings, |earning| earning.moved))
        .bind(column(earnings, |earning| posted_by(earning)))
        .bind(column(earnings, |earning| earning.at.to_sqlx()))
        .bind(column(earnings, |earning| earning.expires_at.map(ToSqlx::to_sqlx)))
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
