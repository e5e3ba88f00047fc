//! Loading: a constant number of statements, however much is asked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rollbook_domain::{
    Account, Adjustment, AdjustmentKind, Currency, Detail, DetailField, Document, DocumentRef, Email, EndReason,
    Ending, EventDigest, FactRef, Money, Outcome, Payment, PaymentRef, Person, PersonId, ProcessorName, Reads, Seen,
    Stamp, State, Term, Waiver,
};
use rollbook_store::StoreError;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::cells::Cells;
use crate::earnings;
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
    fetch(connection, query).await?.iter().map(seen_row).collect()
}

fn seen_row(row: &PgRow) -> Result<(FactRef, Seen), StoreError> {
    let cells = Cells::of("processed", row);
    let fact = FactRef { account: account(&cells)?, key: cells.event_key()? };
    Ok((fact, outcome(&cells)?))
}

pub fn outcome(cells: &Cells<'_>) -> Result<Seen, StoreError> {
    Ok(Seen { outcome: cells.read("outcome", Outcome::parse)?, digest: EventDigest::read(cells.get("digest")?) })
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
            state.add_document(document(&row)?);
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

/// People by their number in this store; nothing outside of it knows that number.
pub type Known = BTreeMap<i64, PersonId>;

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
    numbered(&fetch(connection, sqlx::query(sql).bind(emails).bind(accounts).bind(transactions)).await?)
}

/// At most `limit` people after this one, in order of id.
pub async fn known_after(
    connection: &mut PgConnection,
    after: Option<PersonId>,
    limit: u32,
) -> Result<Known, StoreError> {
    let query = sqlx::query(sql!("person_ids_after")).bind(after.map(|person| person.0)).bind(i64::from(limit));
    numbered(&fetch(connection, query).await?)
}

fn numbered(rows: &[PgRow]) -> Result<Known, StoreError> {
    let read = |row| {
        let cells = Cells::of("person", row);
        Ok((cells.get("number")?, PersonId(cells.get("id")?)))
    };
    rows.iter().map(read).collect()
}

/// These people with all that is theirs, except documents.
pub async fn people(connection: &mut PgConnection, known: &Known) -> Result<State, StoreError> {
    let mut state = State::default();
    if known.is_empty() {
        return Ok(state);
    }
    let wanted: Vec<i64> = known.keys().copied().collect();
    for person in persons(connection, known, &wanted).await?.into_values() {
        state.add_person(person);
    }
    for row in rows(connection, sql!("person_payments"), &wanted).await? {
        state.add_payment(payment(&row, known)?);
    }
    // Both hang on payments; a new person has none.
    if !state.payments.is_empty() {
        for row in rows(connection, sql!("person_adjustments"), &wanted).await? {
            state.add_adjustment(adjustment(&row)?);
        }
        for row in rows(connection, sql!("person_terms"), &wanted).await? {
            state.add_term(term(&row, known)?);
        }
    }
    Ok(state)
}

/// The documents whose waiver is one of theirs.
pub async fn documents_of(connection: &mut PgConnection, known: &Known) -> Result<Vec<Document>, StoreError> {
    let wanted: Vec<i64> = known.keys().copied().collect();
    rows(connection, sql!("person_documents"), &wanted).await?.iter().map(document).collect()
}

async fn persons(
    connection: &mut PgConnection,
    known: &Known,
    wanted: &[i64],
) -> Result<BTreeMap<PersonId, Person>, StoreError> {
    let empty = |id: PersonId| Person { id, emails: Vec::new(), name: None, address: None, category: None };
    let mut persons: BTreeMap<_, _> = known.values().map(|id| (*id, empty(*id))).collect();
    for row in rows(connection, sql!("person_emails"), wanted).await? {
        let cells = Cells::of("person_email", &row);
        let email = cells.read("email", Email::parse)?;
        if let Some(person) = persons.get_mut(&owner(&cells, known)?) {
            person.emails.push(email);
        }
    }
    for row in rows(connection, sql!("person_details"), wanted).await? {
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

async fn rows(connection: &mut PgConnection, sql: &'static str, wanted: &[i64]) -> Result<Vec<PgRow>, StoreError> {
    fetch(connection, sqlx::query(sql).bind(wanted)).await
}

fn account(cells: &Cells<'_>) -> Result<Account, StoreError> {
    cells.text("account").map(Account::new)
}

fn payment_ref(cells: &Cells<'_>) -> Result<PaymentRef, StoreError> {
    Ok(PaymentRef { account: account(cells)?, transaction: cells.get("transaction_id")? })
}

fn payment(row: &PgRow, known: &Known) -> Result<Payment, StoreError> {
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

fn adjustment(row: &PgRow) -> Result<Adjustment, StoreError> {
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

fn term(row: &PgRow, known: &Known) -> Result<Term, StoreError> {
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

fn document(row: &PgRow) -> Result<Document, StoreError> {
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
