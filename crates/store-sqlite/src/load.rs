//! Loading: a constant number of statements, however much is asked for.

use std::collections::{BTreeSet, HashMap};

use rollbook_domain::{Document, Email, FactRef, PaymentRef, PersonId, ProcessorName, Reads, Seen, State};
use rollbook_store::StoreError;
use rollbook_store::read::{self, Known};
use sqlx::SqliteConnection;

use crate::row::Row;
use crate::statements::{fetch, sql};
use crate::{earnings, json};

pub async fn seen(
    connection: &mut SqliteConnection,
    processor: &ProcessorName,
    facts: &BTreeSet<FactRef>,
) -> Result<HashMap<FactRef, Seen>, StoreError> {
    if facts.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(sql!("seen")).bind(processor.as_str().to_owned()).bind(json::facts(facts));
    fetch(connection, query).await?.iter().map(read::seen).collect()
}

/// What `reads` asks for.
pub async fn state(
    connection: &mut SqliteConnection,
    processor: &ProcessorName,
    reads: &Reads,
) -> Result<State, StoreError> {
    let known = known(connection, &reads.people, &reads.payments).await?;
    let mut state = people(connection, &known).await?;
    if !reads.documents.is_empty() {
        for row in rows(connection, sql!("documents"), json::documents(&reads.documents)).await? {
            state.add_document(read::document(&row)?);
        }
    }
    earnings::load(connection, reads, &mut state).await?;
    state.outcomes = seen(connection, processor, &reads.outcomes).await?;
    Ok(state)
}

/// Whoever has one of these addresses or made one of these payments.
pub async fn known(
    connection: &mut SqliteConnection,
    emails: &BTreeSet<Email>,
    payments: &BTreeSet<PaymentRef>,
) -> Result<Known, StoreError> {
    if emails.is_empty() && payments.is_empty() {
        return Ok(Known::new());
    }
    let query = sqlx::query(sql!("person_ids")).bind(json::list(emails)).bind(json::payments(payments));
    fetch(connection, query).await?.iter().map(read::number).collect()
}

/// At most `limit` people after this one, in order of id.
pub async fn known_after(
    connection: &mut SqliteConnection,
    after: Option<PersonId>,
    limit: u32,
) -> Result<Known, StoreError> {
    let after = after.map_or_else(Vec::new, |person| person.0.as_bytes().to_vec());
    let query = sqlx::query(sql!("person_ids_after")).bind(after).bind(limit);
    fetch(connection, query).await?.iter().map(read::number).collect()
}

/// These people with all that is theirs, except documents.
pub async fn people(connection: &mut SqliteConnection, known: &Known) -> Result<State, StoreError> {
    if known.is_empty() {
        return Ok(State::default());
    }
    let wanted = json::list(known.keys());
    let emails = rows(connection, sql!("person_emails"), wanted.clone()).await?;
    let details = rows(connection, sql!("person_details"), wanted.clone()).await?;
    let mut state = read::people(known, &emails, &details)?;
    for row in rows(connection, sql!("person_payments"), wanted.clone()).await? {
        state.add_payment(read::payment(&row, known)?);
    }
    // Both hang on payments; a new person has none.
    if !state.payments.is_empty() {
        for row in rows(connection, sql!("person_adjustments"), wanted.clone()).await? {
            state.add_adjustment(read::adjustment(&row)?);
        }
        for row in rows(connection, sql!("person_terms"), wanted).await? {
            state.add_term(read::term(&row, known)?);
        }
    }
    Ok(state)
}

/// The documents whose waiver is one of theirs.
pub async fn documents_of(connection: &mut SqliteConnection, known: &Known) -> Result<Vec<Document>, StoreError> {
    rows(connection, sql!("person_documents"), json::list(known.keys())).await?.iter().map(read::document).collect()
}

pub async fn rows(
    connection: &mut SqliteConnection,
    sql: &'static str,
    wanted: String,
) -> Result<Vec<Row>, StoreError> {
    fetch(connection, sqlx::query(sql).bind(wanted)).await
}
