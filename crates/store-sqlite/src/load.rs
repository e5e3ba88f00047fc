//! Loading: a constant number of statements, however much is asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollbook_domain::{
    Account, Adjustment, AdjustmentKind, Currency, Detail, DetailField, Document, DocumentRef, Email, EndReason,
    Ending, EventDigest, FactRef, Money, Outcome, Payment, PaymentRef, Person, PersonId, ProcessorName, Reads, Seen,
    Stamp, State, Term, Waiver,
};
use rollbook_store::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::cells::Cells;
use crate::earnings;
use crate::fault::store_error;
use crate::json;
use crate::statements::sql;

pub async fn seen(
    connection: &mut SqliteConnection,
    processor: &ProcessorName,
    facts: &BTreeSet<FactRef>,
) -> Result<HashMap<FactRef, Seen>, StoreError> {
    if facts.is_empty() {
        return Ok(HashMap::new());
    }
    let query = sqlx::query(sql!("seen")).bind(processor.as_str().to_owned()).bind(json::facts(facts));
    query.fetch_all(connection).await.map_err(store_error)?.iter().map(seen_row).collect()
}

fn seen_row(row: &SqliteRow) -> Result<(FactRef, Seen), StoreError> {
    let cells = Cells::of("processed", row);
    let fact = FactRef { account: account(&cells)?, key: cells.event_key()? };
    Ok((fact, outcome(&cells)?))
}

pub fn outcome(cells: &Cells<'_>) -> Result<Seen, StoreError> {
    Ok(Seen { outcome: cells.read("outcome", Outcome::parse)?, digest: EventDigest::read(cells.get("digest")?) })
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
            state.add_document(document(&row)?);
        }
    }
    earnings::load(connection, reads, &mut state).await?;
    state.outcomes = seen(connection, processor, &reads.outcomes).await?;
    Ok(state)
}

/// People by their number in this store; nothing outside of it knows that number.
pub type Known = BTreeMap<i64, PersonId>;

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
    numbered(&query.fetch_all(connection).await.map_err(store_error)?)
}

/// At most `limit` people after this one, in order of id.
pub async fn known_after(
    connection: &mut SqliteConnection,
    after: Option<PersonId>,
    limit: u32,
) -> Result<Known, StoreError> {
    let after = after.map_or_else(Vec::new, |person| person.0.as_bytes().to_vec());
    let query = sqlx::query(sql!("person_ids_after")).bind(after).bind(limit);
    numbered(&query.fetch_all(connection).await.map_err(store_error)?)
}

fn numbered(rows: &[SqliteRow]) -> Result<Known, StoreError> {
    let read = |row| {
        let cells = Cells::of("person", row);
        Ok((cells.get("number")?, PersonId(cells.uuid("id")?)))
    };
    rows.iter().map(read).collect()
}

/// These people with all that is theirs, except documents.
pub async fn people(connection: &mut SqliteConnection, known: &Known) -> Result<State, StoreError> {
    let mut state = State::default();
    if known.is_empty() {
        return Ok(state);
    }
    let wanted = json::list(known.keys());
    for person in persons(connection, known, &wanted).await?.into_values() {
        state.add_person(person);
    }
    for row in rows(connection, sql!("person_payments"), wanted.clone()).await? {
        state.add_payment(payment(&row, known)?);
    }
    // Both hang on payments; a new person has none.
    if !state.payments.is_empty() {
        for row in rows(connection, sql!("person_adjustments"), wanted.clone()).await? {
            state.add_adjustment(adjustment(&row)?);
        }
        for row in rows(connection, sql!("person_terms"), wanted).await? {
            state.add_term(term(&row, known)?);
        }
    }
    Ok(state)
}

/// The documents whose waiver is one of theirs.
pub async fn documents_of(connection: &mut SqliteConnection, known: &Known) -> Result<Vec<Document>, StoreError> {
    rows(connection, sql!("person_documents"), json::list(known.keys())).await?.iter().map(document).collect()
}

async fn persons(
    connection: &mut SqliteConnection,
    known: &Known,
    wanted: &str,
) -> Result<BTreeMap<PersonId, Person>, StoreError> {
    let empty = |id: PersonId| Person { id, emails: Vec::new(), name: None, address: None, category: None };
    let mut persons: BTreeMap<_, _> = known.values().map(|id| (*id, empty(*id))).collect();
    for row in rows(connection, sql!("person_emails"), wanted.to_owned()).await? {
        let cells = Cells::of("person_email", &row);
        let email = cells.read("email", Email::parse)?;
        if let Some(person) = persons.get_mut(&owner(&cells, known)?) {
            person.emails.push(email);
        }
    }
    for row in rows(connection, sql!("person_details"), wanted.to_owned()).await? {
        let cells = Cells::of("person_detail", &row);
        let stamp = Stamp { at: cells.instant("said_at")?, key: cells.text("said_by")?.into() };
        if let Some(person) = persons.get_mut(&owner(&cells, known)?) {
            let field = cells.read("field", DetailField::parse)?;
            person.set(field, Detail { value: cells.get("value")?, stamp });
        }
    }
    Ok(persons)
}

fn owner(cells: &Cells<'_>, known: &Known) -> Result<PersonId, StoreError> {
    known.get(&cells.get("person")?).copied().ok_or_else(|| cells.corrupt("person"))
}

pub async fn rows(
    connection: &mut SqliteConnection,
    sql: &'static str,
    wanted: String,
) -> Result<Vec<SqliteRow>, StoreError> {
    sqlx::query(sql).bind(wanted).fetch_all(connection).await.map_err(store_error)
}

fn account(cells: &Cells<'_>) -> Result<Account, StoreError> {
    cells.text("account").map(Account::new)
}

fn payment_ref(cells: &Cells<'_>) -> Result<PaymentRef, StoreError> {
    Ok(PaymentRef { account: account(cells)?, transaction: cells.get("transaction_id")? })
}

fn payment(row: &SqliteRow, known: &Known) -> Result<Payment, StoreError> {
    let cells = Cells::of("payment", row);
    Ok(Payment {
        reference: payment_ref(&cells)?,
        event_key: cells.event_key()?,
        person: owner(&cells, known)?,
        paid_at: cells.instant("paid_at")?,
        paid_on: cells.date("paid_on")?,
        amount: Money { minor: cells.get("amount_minor")?, currency: cells.read("currency", Currency::parse)? },
        category: cells.get("category")?,
        renewal_window_days: cells.count("renewal_window_days")?,
    })
}

fn adjustment(row: &SqliteRow) -> Result<Adjustment, StoreError> {
    let cells = Cells::of("adjustment", row);
    let cumulative_minor: Option<i64> = cells.get("cumulative_minor")?;
    Ok(Adjustment {
        payment: payment_ref(&cells)?,
        event_key: cells.event_key()?,
        kind: cells.read("kind", |kind| AdjustmentKind::parse(kind, cumulative_minor.unwrap_or_default()))?,
        at: cells.instant("happened_at")?,
        on: cells.date("happened_on")?,
    })
}

fn term(row: &SqliteRow, known: &Known) -> Result<Term, StoreError> {
    let cells = Cells::of("term", row);
    let ended = match cells.maybe_date("ended_on")? {
        Some(on) => Some(Ending { on, reason: cells.read("end_reason", EndReason::parse)? }),
        None => None,
    };
    Ok(Term {
        payment: payment_ref(&cells)?,
        person: owner(&cells, known)?,
        starts: cells.date("starts")?,
        expires: cells.date("expires")?,
        ended,
    })
}

fn document(row: &SqliteRow) -> Result<Document, StoreError> {
    let cells = Cells::of("document", row);
    let waiver = match cells.maybe_person("person")? {
        Some(person) => Some(Waiver {
            person,
            signed_at: cells.instant("signed_at")?,
            expires: cells.date("expires")?,
            category: cells.maybe_text("category")?,
        }),
        None => None,
    };
    Ok(Document {
        reference: DocumentRef { account: account(&cells)?, document: cells.get("document_id")? },
        waiver,
        voided_at: cells.maybe_instant("voided_at")?,
    })
}
