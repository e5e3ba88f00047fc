//! What facts earned: loaded by whole scopes, written once.

use std::collections::BTreeSet;

use rollbook_domain::{Earning, ProcessorName, Reads, Scope, State};
use rollbook_ledger::TransactionId;
use rollbook_sqlite::{BulkQuery, to_micros};
use rollbook_store::{StoreError, read};
use sqlx::SqliteConnection;

use crate::json;
use crate::load::rows;
use crate::row::Row;
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
            let (member, left_at) = read::membership(&row)?;
            state.group_members.insert(member, left_at);
        }
    }
    Ok(())
}

/// Tells the scopes that they are in.
fn add(rows: &[Row], state: &mut State) -> Result<BTreeSet<Scope>, StoreError> {
    let mut scopes = BTreeSet::new();
    for row in rows {
        let earning = read::earning(row)?;
        scopes.extend(earning.scope());
        state.add_earning(earning);
    }
    Ok(scopes)
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
        .bind(earning.rate.per_10000())
        .bind(earning.rate.award())
        .bind(capped.map(|capped| capped.period.first.to_string()))
        .bind(capped.map(|capped| capped.period.last.to_string()))
        .bind(capped.map(|capped| capped.points))
        .bind(earning.earned)
        .bind(earning.moved)
        .bind(TransactionId::posting(earning).map(|posting| posting.0))
        .bind(to_micros(earning.at))
        .bind(earning.expires_at.map(to_micros))
}
