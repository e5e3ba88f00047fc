//! Writing a batch: a constant number of statements a table.

use std::sync::LazyLock;

use rollbook_domain::{
    Account, Adjustment, Detail, DetailField, Document, EventKey, Payment, PaymentRef, PersonId, ProcessorName, Term,
};
use rollbook_sqlite::{Bulk, BulkQuery, to_micros};
use rollbook_store::rows::{DocumentLine, Registered, Rows, TermLine};
use rollbook_store::{Batch, Outgoing, SettledEvent, StoreError};
use sqlx::SqliteConnection;

use crate::fault::{Complaint, store_error};
use crate::statements::{bulk, execute, sql};
use crate::{earnings, envelopes, json, ledger};

static PROCESSED: LazyLock<Bulk> = bulk!("processed_insert");
static REDECIDED: LazyLock<Bulk> = bulk!("processed_redecide");
static PEOPLE: LazyLock<Bulk> = bulk!("person_insert");
static EMAILS: LazyLock<Bulk> = bulk!("person_email_insert");
static DETAILS: LazyLock<Bulk> = bulk!("person_detail_upsert");
static PAYMENTS: LazyLock<Bulk> = bulk!("payment_insert");
static ADJUSTMENTS: LazyLock<Bulk> = bulk!("adjustment_insert");
static TERMS: LazyLock<Bulk> = bulk!("term_upsert");
static TERM_LINES: LazyLock<Bulk> = bulk!("term_journal_insert");
static DOCUMENTS: LazyLock<Bulk> = bulk!("document_upsert");
static DOCUMENT_LINES: LazyLock<Bulk> = bulk!("document_journal_insert");
static EARNINGS: LazyLock<Bulk> = bulk!("earning_insert");
static OUTBOX: LazyLock<Bulk> = bulk!("outbox_insert");

/// Parents come before what refers to them, as the transactions of the ledger before what was earned.
pub async fn batch(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    let rows = Rows::of(batch);
    let outgoing = batch.outgoing.iter().map(|outgoing| &outgoing.envelope);
    envelopes::keep(connection, batch.envelopes.iter().chain(outgoing)).await?;
    outcomes(connection, batch, &rows).await?;
    people(connection, &batch.processor, &rows).await?;
    payments(connection, batch, &rows).await?;
    documents(connection, batch, &rows).await?;
    many(connection, &OUTBOX, &batch.outgoing, outbox_row).await?;
    resolve(connection, batch).await?;
    Batch::accept(ledger::execute(connection, &batch.commands, batch.processed_at).await?)?;
    every(connection, &EARNINGS, &rows.earnings, |query, earning| earnings::bind(query, &batch.processor, earning))
        .await
}

async fn outcomes(connection: &mut SqliteConnection, batch: &Batch, rows: &Rows<'_>) -> Result<(), StoreError> {
    let bind = |query, event: &&SettledEvent| processed_row(query, batch, event);
    many(connection, &PROCESSED, &rows.fresh, bind).await?;
    let replaced = many(connection, &REDECIDED, &rows.redecided, bind).await?;
    if replaced < rows.redecided.len() {
        return Err(StoreError::Conflict(Complaint::NotIgnored.into()));
    }
    Ok(())
}

async fn people(
    connection: &mut SqliteConnection,
    processor: &ProcessorName,
    rows: &Rows<'_>,
) -> Result<(), StoreError> {
    every(connection, &PEOPLE, &rows.people, |query, row| person_row(query, processor, row)).await?;
    every(connection, &EMAILS, &rows.people, email_row).await?;
    let details: Vec<_> = rows.details.iter().collect();
    many(connection, &DETAILS, &details, detail_row).await?;
    Ok(())
}

async fn payments(connection: &mut SqliteConnection, batch: &Batch, rows: &Rows<'_>) -> Result<(), StoreError> {
    let processor = &batch.processor;
    every(connection, &PAYMENTS, &rows.payments, |query, row| payment_row(query, processor, row)).await?;
    every(connection, &ADJUSTMENTS, &rows.adjustments, |query, row| adjustment_row(query, processor, row)).await?;
    let terms: Vec<_> = rows.terms.iter().collect();
    every(connection, &TERMS, &terms, term_row).await?;
    let lines = in_order(&rows.term_lines);
    every(connection, &TERM_LINES, &lines, |query, row| term_line(query, batch, row)).await
}

async fn documents(connection: &mut SqliteConnection, batch: &Batch, rows: &Rows<'_>) -> Result<(), StoreError> {
    let documents: Vec<_> = rows.documents.values().copied().collect();
    every(connection, &DOCUMENTS, &documents, |query, document| document_row(query, document)).await?;
    let lines = in_order(&rows.document_lines);
    every(connection, &DOCUMENT_LINES, &lines, |query, row| document_line(query, batch, row)).await
}

/// Dead letters that stand for facts or requests which are settled now, or were before.
async fn resolve(connection: &mut SqliteConnection, batch: &Batch) -> Result<(), StoreError> {
    let fresh = batch.settled.iter().map(|event| (event.fact.account.as_str(), event.fact.key.as_str(), false));
    let before = batch.duplicates.iter().map(|fact| (fact.account.as_str(), fact.key.as_str(), true));
    let settled: Vec<_> = fresh.chain(before).collect();
    let any = sqlx::query_scalar(sql!("dead_letter_any_unsettled")).fetch_one(&mut *connection).await;
    if (settled.is_empty() && batch.settled_envelopes.is_empty()) || !any.map_err(store_error)? {
        return Ok(());
    }
    let processor = text(batch.processor.as_str());
    let by_fact = sqlx::query(sql!("dead_letter_resolve")).bind(processor.clone()).bind(json::list(settled));
    execute(&mut *connection, by_fact).await?;
    let envelopes = json::envelopes(&batch.settled_envelopes);
    let by_envelope = sqlx::query(sql!("dead_letter_resolve_envelopes")).bind(processor).bind(envelopes);
    execute(connection, by_envelope).await.map(drop)
}

/// Rows of which none may be skipped. A statement finds what a row refers to by joins, and a join
/// that finds nothing writes nothing.
pub async fn every<R: Sync>(
    connection: &mut SqliteConnection,
    statement: &Bulk,
    rows: &[R],
    bind: impl Fn(BulkQuery, &R) -> BulkQuery + Send,
) -> Result<(), StoreError> {
    if many(connection, statement, rows, bind).await? != rows.len() {
        return Err(StoreError::Refused(Complaint::RefersToNothing.into()));
    }
    Ok(())
}

/// With their ordinals: the last line of a journal tells what stands, so that no plan of a
/// statement may choose their order.
fn in_order<L>(lines: &[L]) -> Vec<(i64, &L)> {
    (0..).zip(lines).collect()
}

async fn many<R: Sync>(
    connection: &mut SqliteConnection,
    statement: &Bulk,
    rows: &[R],
    bind: impl Fn(BulkQuery, &R) -> BulkQuery + Send,
) -> Result<usize, StoreError> {
    let changed = statement.execute(connection, rows, bind).await.map_err(store_error)?;
    Ok(usize::try_from(changed).unwrap_or(usize::MAX))
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn processed_row(query: BulkQuery, batch: &Batch, event: &SettledEvent) -> BulkQuery {
    query
        .bind(text(batch.processor.as_str()))
        .bind(text(event.fact.account.as_str()))
        .bind(text(event.fact.key.as_str()))
        .bind(event.outcome.as_str())
        .bind(event.reason.as_ref().map(|reason| text(reason.as_str())))
        .bind(event.kind.as_str())
        .bind(text(event.source.as_str()))
        .bind(event.envelope.0)
        .bind(batch.rules.clone())
        .bind(text(event.digest.as_str()))
        .bind(to_micros(event.occurred_at))
        .bind(to_micros(batch.processed_at))
}

/// The three parts that name a fact; the statement finds its row.
fn fact(query: BulkQuery, processor: &ProcessorName, account: &Account, key: &EventKey) -> BulkQuery {
    query.bind(text(processor.as_str())).bind(text(account.as_str())).bind(text(key.as_str()))
}

fn payment_ref(query: BulkQuery, payment: &PaymentRef) -> BulkQuery {
    query.bind(text(payment.account.as_str())).bind(payment.transaction.clone())
}

fn person_row(query: BulkQuery, processor: &ProcessorName, row: &Registered<'_>) -> BulkQuery {
    fact(query.bind(row.person.0), processor, &row.by.account, &row.by.key)
}

fn email_row(query: BulkQuery, row: &Registered<'_>) -> BulkQuery {
    query.bind(text(row.email.as_str())).bind(row.person.0)
}

fn detail_row(query: BulkQuery, row: &(&(PersonId, DetailField), &&Detail)) -> BulkQuery {
    let ((person, field), detail) = row;
    query
        .bind(person.0)
        .bind(field.as_str())
        .bind(detail.value.clone())
        .bind(to_micros(detail.stamp.at))
        .bind(text(detail.stamp.key.as_str()))
}

fn payment_row(query: BulkQuery, processor: &ProcessorName, payment: &Payment) -> BulkQuery {
    payment_ref(query, &payment.reference)
        .bind(text(processor.as_str()))
        .bind(text(payment.event_key.as_str()))
        .bind(payment.person.0)
        .bind(to_micros(payment.paid_at))
        .bind(payment.paid_on.to_string())
        .bind(payment.amount.minor)
        .bind(text(payment.amount.currency.as_str()))
        .bind(payment.category.clone())
        .bind(payment.renewal_window_days)
}

fn adjustment_row(query: BulkQuery, processor: &ProcessorName, adjustment: &Adjustment) -> BulkQuery {
    fact(query, processor, &adjustment.payment.account, &adjustment.event_key)
        .bind(adjustment.payment.transaction.clone())
        .bind(adjustment.kind.as_str())
        .bind(adjustment.kind.cumulative_minor())
        .bind(to_micros(adjustment.at))
        .bind(adjustment.on.to_string())
}

fn term_row(query: BulkQuery, row: &(&&PaymentRef, &&Term)) -> BulkQuery {
    dates(payment_ref(query, row.0), Some(row.1))
}

fn dates(query: BulkQuery, term: Option<&Term>) -> BulkQuery {
    let ended = term.and_then(|term| term.ended);
    query
        .bind(term.map(|term| term.starts.to_string()))
        .bind(term.map(|term| term.expires.to_string()))
        .bind(ended.map(|ended| ended.on.to_string()))
        .bind(ended.map(|ended| ended.reason.as_str()))
}

fn term_line(query: BulkQuery, batch: &Batch, (ordinal, line): &(i64, &TermLine<'_>)) -> BulkQuery {
    let query = dates(dates(payment_ref(query.bind(*ordinal), &line.term.payment), Some(line.term)), line.was);
    fact(query, &batch.processor, &line.by.account, &line.by.key).bind(to_micros(batch.processed_at))
}

fn document_row(query: BulkQuery, document: &Document) -> BulkQuery {
    let waiver = document.waiver.as_ref();
    query
        .bind(text(document.reference.account.as_str()))
        .bind(document.reference.document.clone())
        .bind(waiver.map(|waiver| waiver.person.0))
        .bind(waiver.map(|waiver| to_micros(waiver.signed_at)))
        .bind(waiver.map(|waiver| waiver.expires.to_string()))
        .bind(waiver.and_then(|waiver| waiver.category.clone()))
        .bind(document.voided_at.map(to_micros))
}

fn document_line(query: BulkQuery, batch: &Batch, (ordinal, line): &(i64, &DocumentLine<'_>)) -> BulkQuery {
    let query = document_row(query.bind(*ordinal), line.document);
    fact(query, &batch.processor, &line.by.account, &line.by.key).bind(to_micros(batch.processed_at))
}

fn outbox_row(query: BulkQuery, outgoing: &Outgoing) -> BulkQuery {
    query.bind(outgoing.envelope.id.0).bind(text(outgoing.to.as_str()))
}
