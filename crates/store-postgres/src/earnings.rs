//! What facts earned: loaded by whole scopes under the lock of whoever earned it, written once.

use std::collections::BTreeSet;

use jiff_sqlx::ToSqlx;
use rollbook_domain::{Earning, Owner, Paid, ProcessorName, Reads, Scope, State};
use rollbook_ledger::TransactionId;
use rollbook_store::{StoreError, read};
use sqlx::PgConnection;
use uuid::Uuid;

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
            state.add_earning(read::earning(&row)?);
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
    fetch(connection, query).await?.iter().map(read::earning).collect()
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
        let (member, left_at) = read::membership(&row)?;
        state.group_members.insert(member, left_at);
    }
    Ok(())
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
        .bind(column(earnings, |earning| earning.rate.per_10000()))
        .bind(column(earnings, |earning| earning.rate.award()))
}

fn amounts(query: Query, earnings: &[&Earning]) -> Query {
    query
        .bind(column(earnings, |earning| earning.capped.map(|capped| capped.period.first.to_sqlx())))
        .bind(column(earnings, |earning| earning.capped.map(|capped| capped.period.last.to_sqlx())))
        .bind(column(earnings, |earning| earning.capped.map(|capped| capped.points)))
        .bind(column(earnings, |earning| earning.earned))
        .bind(column(earnings, |earning| earning.moved))
        .bind(column(earnings, |earning| TransactionId::posting(earning).map(|posting| posting.0)))
        .bind(column(earnings, |earning| earning.at.to_sqlx()))
        .bind(column(earnings, |earning| earning.expires_at.map(ToSqlx::to_sqlx)))
}
