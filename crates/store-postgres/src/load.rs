//! Loading: a constant number of statements, however much is asked for.

use std::collections::{BTreeSet, HashMap};

use rollbook_domain::{Document, DocumentRef, Email, FactRef, PaymentRef, PersonId, ProcessorName, Reads, Seen, State};
use rollbook_store::StoreError;
use rollbook_store::read::{self, Known};
use sqlx::PgConnection;

use crate::earnings;
use crate::row::Row;
use crate::statements::{Query, fetch, sql};

pub async fn seen(
    connection: &mut PgConnection,
    processor: &ProcessorName,
    facts: &BTreeSet<FactRef>,
) -> Result<HashMap<FactRef, Seen>, StoreError> {
    if facts.is_empty() {
        return Ok(HashMap::new());
    }
    let (accounts, keys) =
        facts.iter().map(|fact| (fact.account.as_str(), fact.key.as_str())).collect::<(Vec<_>, Vec<_>)>();
    let query = sqlx::query(sql!("seen")).bind(processor.as_str()).bind(accounts).bind(keys);
    fetch(connection, query).await?.iter().map(read::seen).collect()
}

/// What `reads` asks for, locked until the end of the transaction. The locks come first and by
/// themselves: only a later statement sees what their last holder committed.
pub async fn state(
    connection: &mut PgConnection,
    processor: &ProcessorName,
    reads: &Reads,
) -> Result<State, StoreError> {
    let known = known(connection, sql!("person_ids_lock"), &reads.people, &reads.payments).await?;
    if !reads.documents.is_empty() {
        fetch(connection, named_documents(sql!("documents_lock"), &reads.documents)).await?;
    }
    let mut state = people(connection, &known).await?;
    if !reads.documents.is_empty() {
        for row in fetch(connection, named_documents(sql!("documents"), &reads.documents)).await? {
            state.add_document(read::document(&row)?);
        }
    }
    earnings::load(connection, reads, &mut state).await?;
    state.outcomes = seen(connection, processor, &reads.outcomes).await?;
    Ok(state)
}

fn named_documents(sql: &'static str, documents: &BTreeSet<DocumentRef>) -> Query {
    let names = documents.iter().map(|document| (document.account.as_str(), document.document.as_str()));
    let (accounts, documents) = names.collect::<(Vec<_>, Vec<_>)>();
    sqlx::query(sql).bind(accounts).bind(documents)
}

/// Whoever has one of these addresses or made one of these payments. The statement is `person_ids`,
/// or `person_ids_lock` for whoever is going to write.
pub async fn known(
    connection: &mut PgConnection,
    sql: &'static str,
    emails: &BTreeSet<Email>,
    payments: &BTreeSet<PaymentRef>,
) -> Result<Known, StoreError> {
    if emails.is_empty() && payments.is_empty() {
        return Ok(Known::new());
    }
    let emails: Vec<_> = emails.iter().map(Email::as_str).collect();
    let names = payments.iter().map(|payment| (payment.account.as_str(), payment.transaction.as_str()));
    let (accounts, transactions) = names.collect::<(Vec<_>, Vec<_>)>();
    let query = sqlx::query(sql).bind(emails).bind(accounts).bind(transactions);
    fetch(connection, query).await?.iter().map(read::number).collect()
}

/// At most `limit` people after this one, in order of id.
pub async fn known_after(
    connection: &mut PgConnection,
    after: Option<PersonId>,
    limit: u32,
) -> Result<Known, StoreError> {
    let query = sqlx::query(sql!("person_ids_after")).bind(after.map(|person| person.0)).bind(i64::from(limit));
    fetch(connection, query).await?.iter().map(read::number).collect()
}

/// These people with all that is theirs, except documents.
pub async fn people(connection: &mut PgConnection, known: &Known) -> Result<State, StoreError> {
    if known.is_empty() {
        return Ok(State::default());
    }
    let wanted: Vec<i64> = known.keys().copied().collect();
    let emails = rows(connection, sql!("person_emails"), &wanted).await?;
    let details = rows(connection, sql!("person_details"), &wanted).await?;
    let mut state = read::people(known, &emails, &details)?;
    for row in rows(connection, sql!("person_payments"), &wanted).await? {
        state.add_payment(read::payment(&row, known)?);
    }
    // Both hang on payments; a new person has none.
    if !state.payments.is_empty() {
        for row in rows(connection, sql!("person_adjustments"), &wanted).await? {
            state.add_adjustment(read::adjustment(&row)?);
        }
        for row in rows(connection, sql!("person_terms"), &wanted).await? {
            state.add_term(read::term(&row, known)?);
        }
    }
    Ok(state)
}

/// The documents whose waiver is one of theirs.
pub async fn documents_of(connection: &mut PgConnection, known: &Known) -> Result<Vec<Document>, StoreError> {
    let wanted: Vec<i64> = known.keys().copied().collect();
    rows(connection, sql!("person_documents"), &wanted).await?.iter().map(read::document).collect()
}

async fn rows(connection: &mut PgConnection, sql: &'static str, wanted: &[i64]) -> Result<Vec<Row>, StoreError> {
    fetch(connection, sqlx::query(sql).bind(wanted)).await
}
