//! Writing a batch: a constant number of statements a table, the tables in one order for all.
//!
//! A scalar sub-select finds the row that another one refers to, where a join would read better: a
//! join that finds nothing drops the row in silence, a sub-select gives a null that is refused.

use std::collections::BTreeSet;

use jiff_sqlx::ToSqlx;
use rollbook_domain::{Adjustment, Detail, DetailField, Document, DocumentRef, PersonId, Term};
use rollbook_store::rows::{DocumentLine, Registered, Rows, TermLine};
use rollbook_store::{Batch, SettledEvent, StoreError};
use sqlx::PgConnection;

use crate::fault::{Complaint, store_error};
use crate::statements::{Query, column, execute, many, sql};
use crate::store::DEAD_LETTERS;
use crate::{earnings, envelopes, ledger};

/// Parents come before what refers to them. Envelopes come late, because the workers of two
/// processors bring the same ones, and the second waits for the first from here on.
pub async fn batch(
    connection: &mut PgConnection,
    batch: &Batch,
    absent: &BTreeSet<DocumentRef>,
) -> Result<(), StoreError> {
    let rows = Rows::of(batch);
    execute(connection, sqlx::query(sql!("dead_letters_shared")).bind(DEAD_LETTERS)).await?;
    outcomes(connection, batch, &rows).await?;
    people(connection, batch, &rows).await?;
    payments(connection, batch, &rows).await?;
    documents(connection, batch, &rows, absent).await?;
    let outgoing = batch.outgoing.iter().map(|outgoing| &outgoing.envelope);
    envelopes::keep(connection, batch.envelopes.iter().chain(outgoing)).await?;
    many(connection, &batch.outgoing, |outgoing| {
        sqlx::query(sql!("outbox_insert"))
            .bind(column(outgoing, |outgoing| outgoing.envelope.id.0))
            .bind(column(outgoing, |outgoing| outgoing.to.as_str()))
    })
    .await?;
    resolve(connection, batch).await?;
    // Last of what waits for anybody, because the accounts are the last that anybody locks. What refers
    // to the transactions of the ledger comes behind, and waits for nobody.
    Batch::accept(ledger::run(connection, &batch.commands, batch.processed_at).await?)?;
    many(connection, &rows.earnings, |rows| earnings::insert(&batch.processor, rows)).await?;
    Ok(())
}

async fn outcomes(connection: &mut PgConnection, batch: &Batch, rows: &Rows<'_>) -> Result<(), StoreError> {
    many(connection, &rows.fresh, |events| processed(sql!("processed_insert"), batch, events)).await?;
    let replaced =
        many(connection, &rows.redecided, |events| processed(sql!("processed_redecide"), batch, events)).await?;
    if replaced < rows.redecided.len() {
        return Err(StoreError::Conflict(Complaint::NotIgnored.into()));
    }
    Ok(())
}

fn processed(sql: &'static str, batch: &Batch, events: &[&SettledEvent]) -> Query {
    sqlx::query(sql)
        .bind(batch.processor.as_str())
        .bind(batch.rules.as_str())
        .bind(batch.processed_at.to_sqlx())
        .bind(column(events, |event| event.fact.account.as_str()))
        .bind(column(events, |event| event.fact.key.as_str()))
        .bind(column(events, |event| event.outcome.as_str()))
        .bind(column(events, |event| event.reason.as_ref().map(rollbook_domain::Reason::as_str)))
        .bind(column(events, |event| event.kind.as_str()))
        .bind(column(events, |event| event.source.as_str()))
        .bind(column(events, |event| event.envelope.0))
        .bind(column(events, |event| event.digest.as_str()))
        .bind(column(events, |event| event.occurred_at.to_sqlx()))
}

/// New people in the order of their ids: that is how two workers meet, if they meet.
async fn people(connection: &mut PgConnection, batch: &Batch, rows: &Rows<'_>) -> Result<(), StoreError> {
    let mut people: Vec<_> = rows.people.iter().collect();
    people.sort_by_key(|row| row.person);
    many(connection, &people, |people| person(batch, people)).await?;
    people.sort_by_key(|row| row.email);
    many(connection, &people, |people| {
        sqlx::query(sql!("person_email_insert"))
            .bind(column(people, |row| row.email.as_str()))
            .bind(column(people, |row| row.person.0))
    })
    .await?;
    let details: Vec<_> = rows.details.iter().map(|(key, detail)| (*key, *detail)).collect();
    many(connection, &details, detail).await?;
    Ok(())
}

fn person(batch: &Batch, people: &[&Registered<'_>]) -> Query {
    sqlx::query(sql!("person_insert"))
        .bind(batch.processor.as_str())
        .bind(column(people, |row| row.person.0))
        .bind(column(people, |row| row.by.account.as_str()))
        .bind(column(people, |row| row.by.key.as_str()))
}

fn detail(details: &[((PersonId, DetailField), &Detail)]) -> Query {
    sqlx::query(sql!("person_detail_upsert"))
        .bind(column(details, |((person, _), _)| person.0))
        .bind(column(details, |((_, field), _)| field.as_str()))
        .bind(column(details, |(_, detail)| detail.value.as_str()))
        .bind(column(details, |(_, detail)| detail.stamp.at.to_sqlx()))
        .bind(column(details, |(_, detail)| detail.stamp.key.as_str()))
}

async fn payments(connection: &mut PgConnection, batch: &Batch, rows: &Rows<'_>) -> Result<(), StoreError> {
    let mut payments = rows.payments.clone();
    payments.sort_by_key(|payment| &payment.reference);
    many(connection, &payments, |payments| {
        sqlx::query(sql!("payment_insert"))
            .bind(batch.processor.as_str())
            .bind(column(payments, |payment| payment.reference.account.as_str()))
            .bind(column(payments, |payment| payment.reference.transaction.as_str()))
            .bind(column(payments, |payment| payment.event_key.as_str()))
            .bind(column(payments, |payment| payment.person.0))
            .bind(column(payments, |payment| payment.paid_at.to_sqlx()))
            .bind(column(payments, |payment| payment.paid_on.to_sqlx()))
            .bind(column(payments, |payment| payment.amount.minor))
            .bind(column(payments, |payment| payment.amount.currency.as_str()))
            .bind(column(payments, |payment| payment.category.as_str()))
            .bind(column(payments, |payment| i64::from(payment.renewal_window_days)))
    })
    .await?;
    many(connection, &rows.adjustments, |adjustments| adjustment(batch, adjustments)).await?;
    let terms: Vec<_> = rows.terms.values().copied().collect();
    many(connection, &terms, |terms| dates(term_refs(sqlx::query(sql!("term_upsert")), terms), terms)).await?;
    many(connection, &rows.term_lines, |lines| term_line(batch, lines)).await?;
    Ok(())
}

fn adjustment(batch: &Batch, adjustments: &[&Adjustment]) -> Query {
    sqlx::query(sql!("adjustment_insert"))
        .bind(batch.processor.as_str())
        .bind(column(adjustments, |adjustment| adjustment.payment.account.as_str()))
        .bind(column(adjustments, |adjustment| adjustment.event_key.as_str()))
        .bind(column(adjustments, |adjustment| adjustment.payment.transaction.as_str()))
        .bind(column(adjustments, |adjustment| adjustment.kind.as_str()))
        .bind(column(adjustments, |adjustment| adjustment.kind.cumulative_minor()))
        .bind(column(adjustments, |adjustment| adjustment.at.to_sqlx()))
        .bind(column(adjustments, |adjustment| adjustment.on.to_sqlx()))
}

fn term_refs(query: Query, terms: &[&Term]) -> Query {
    query
        .bind(column(terms, |term| term.payment.account.as_str()))
        .bind(column(terms, |term| term.payment.transaction.as_str()))
}

fn dates<'t, T: Copy + Into<Option<&'t Term>>>(query: Query, terms: &[T]) -> Query {
    let of = |term: &T| -> Option<&'t Term> { (*term).into() };
    let ended = |term: &T| of(term).and_then(|term| term.ended);
    query
        .bind(column(terms, |term| of(term).map(|term| term.starts.to_sqlx())))
        .bind(column(terms, |term| of(term).map(|term| term.expires.to_sqlx())))
        .bind(column(terms, |term| ended(term).map(|ended| ended.on.to_sqlx())))
        .bind(column(terms, |term| ended(term).map(|ended| ended.reason.as_str())))
}

fn term_line(batch: &Batch, lines: &[TermLine<'_>]) -> Query {
    let (terms, before) = (column(lines, |line| line.term), column(lines, |line| line.was));
    let query = term_refs(sqlx::query(sql!("term_journal_insert")), &terms);
    dates(dates(query, &terms), &before)
        .bind(batch.processor.as_str())
        .bind(column(lines, |line| line.by.account.as_str()))
        .bind(column(lines, |line| line.by.key.as_str()))
        .bind(batch.processed_at.to_sqlx())
}

async fn documents(
    connection: &mut PgConnection,
    batch: &Batch,
    rows: &Rows<'_>,
    absent: &BTreeSet<DocumentRef>,
) -> Result<(), StoreError> {
    let documents = rows.documents.values().copied();
    let (new, others): (Vec<_>, Vec<_>) = documents.partition(|document| absent.contains(&document.reference));
    many(connection, &new, |new| document(sqlx::query(sql!("document_insert")), new)).await?;
    many(connection, &others, |others| document(sqlx::query(sql!("document_upsert")), others)).await?;
    many(connection, &rows.document_lines, |lines| document_line(batch, lines)).await?;
    Ok(())
}

fn document(query: Query, documents: &[&Document]) -> Query {
    query
        .bind(column(documents, |document| document.reference.account.as_str()))
        .bind(column(documents, |document| document.reference.document.as_str()))
        .bind(column(documents, |document| document.waiver.as_ref().map(|waiver| waiver.person.0)))
        .bind(column(documents, |document| document.waiver.as_ref().map(|waiver| waiver.signed_at.to_sqlx())))
        .bind(column(documents, |document| document.waiver.as_ref().map(|waiver| waiver.expires.to_sqlx())))
        .bind(column(documents, |document| document.waiver.as_ref().and_then(|waiver| waiver.category.as_deref())))
        .bind(column(documents, |document| document.voided_at.map(ToSqlx::to_sqlx)))
}

fn document_line(batch: &Batch, lines: &[DocumentLine<'_>]) -> Query {
    document(sqlx::query(sql!("document_journal_insert")), &column(lines, |line| line.document))
        .bind(batch.processor.as_str())
        .bind(column(lines, |line| line.by.account.as_str()))
        .bind(column(lines, |line| line.by.key.as_str()))
        .bind(batch.processed_at.to_sqlx())
}

/// Dead letters that stand for facts or requests which are settled now, or were before.
async fn resolve(connection: &mut PgConnection, batch: &Batch) -> Result<(), StoreError> {
    let fresh = batch.settled.iter().map(|event| (&event.fact, false));
    let settled: Vec<_> = fresh.chain(batch.duplicates.iter().map(|fact| (fact, true))).collect();
    let any = sqlx::query_scalar(sql!("dead_letter_any_unsettled")).fetch_one(&mut *connection).await;
    if (settled.is_empty() && batch.settled_envelopes.is_empty()) || !any.map_err(store_error)? {
        return Ok(());
    }
    many(connection, &settled, |settled| {
        sqlx::query(sql!("dead_letter_resolve"))
            .bind(batch.processor.as_str())
            .bind(column(settled, |(fact, _)| fact.account.as_str()))
            .bind(column(settled, |(fact, _)| fact.key.as_str()))
            .bind(column(settled, |(_, duplicate)| *duplicate))
    })
    .await?;
    many(connection, &batch.settled_envelopes, |envelopes| {
        sqlx::query(sql!("dead_letter_resolve_envelopes"))
            .bind(batch.processor.as_str())
            .bind(column(envelopes, |envelope| envelope.0))
    })
    .await?;
    Ok(())
}
