//! What an operator wants to know of the server. Looks and changes nothing.
//!
//! It has a connection of its own beside the pool: a pool that cannot connect says only that it waited.

use std::str::FromStr as _;
use std::time::Duration;

use jiff::SignedDuration;
use rollbook_domain::Clock;
use rollbook_store::StoreError;
use rollbook_store::cells::Cells;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::time::timeout;

use crate::fault::{Complaint, store_error};
use crate::migrate;
use crate::options::Options;
use crate::row::Row;
use crate::statements::{fetch, sql};
use crate::store::{PostgresStore, set_up};

/// For a connection, and again for all questions together.
const PATIENCE: Duration = Duration::from_secs(3);

/// What the statements in `sql/` do to each table.
const NEEDED: [(&str, &[&str]); 30] = [
    ("adjustment", &["SELECT", "INSERT"]),
    ("dead_letter", &["SELECT", "INSERT", "UPDATE"]),
    ("dead_letter_failure", &["SELECT", "INSERT"]),
    ("document", &["SELECT", "INSERT", "UPDATE"]),
    ("document_journal", &["SELECT", "INSERT"]),
    ("earner", &["SELECT", "INSERT", "UPDATE"]),
    ("earning", &["SELECT", "INSERT"]),
    ("envelope", &["SELECT", "INSERT", "DELETE"]),
    ("group_change", &["SELECT", "INSERT"]),
    ("group_invitation", &["SELECT", "INSERT", "UPDATE"]),
    ("group_member", &["SELECT", "INSERT", "UPDATE"]),
    ("hold", &["SELECT", "INSERT", "UPDATE"]),
    ("hold_pin", &["SELECT", "INSERT"]),
    ("ledger_account", &["SELECT", "INSERT", "UPDATE"]),
    ("ledger_group", &["SELECT", "INSERT", "UPDATE"]),
    ("ledger_transaction", &["SELECT", "INSERT"]),
    ("leg", &["SELECT", "INSERT"]),
    ("lot", &["SELECT", "INSERT", "UPDATE"]),
    ("lot_movement", &["SELECT", "INSERT"]),
    ("outbox", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
    ("payment", &["SELECT", "INSERT"]),
    ("person", &["SELECT", "INSERT", "UPDATE"]),
    ("person_detail", &["SELECT", "INSERT", "UPDATE"]),
    ("person_email", &["SELECT", "INSERT"]),
    ("probe", &["SELECT", "UPDATE"]),
    ("processed", &["SELECT", "INSERT", "UPDATE"]),
    ("schema_migration", &["SELECT"]),
    ("term", &["SELECT", "INSERT", "UPDATE"]),
    ("term_journal", &["SELECT", "INSERT"]),
    ("worker", &["SELECT", "INSERT", "UPDATE", "DELETE"]),
];

/// What was found out about the server. Holds no password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub struct Examination {
    /// 150004 is 15.4.
    pub version_number: i32,
    pub version: String,
    /// What `migrate` would apply, or what is wrong with the schema.
    pub pending: Result<Vec<&'static str>, String>,
    pub encoding: String,
    /// Whether commits and pages survive the loss of power.
    pub syncs: bool,
    pub writes_full_pages: bool,
    /// As our sessions have it.
    pub synchronous_commit: String,
    pub standby: bool,
    pub read_only: bool,
    /// Connections for ordinary roles, and those in use now, this one included.
    pub room: i64,
    pub taken: i64,
    /// The most that the role itself may have, when limited.
    pub role_limit: Option<i64>,
    /// What one process of ours opens at most.
    pub wanted: u32,
    pub superuser: bool,
    /// Quoted as SQL wants it.
    pub role: String,
    pub schema: String,
    /// Whether the role may make tables there, as `migrate` must.
    pub may_create: bool,
    /// Such as `INSERT on envelope`.
    pub lacking: Vec<String>,
    pub size_bytes: i64,
    pub clock: Skew,
}

/// How far the server's clock is ahead of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    pub ahead: SignedDuration,
    /// The true figure lies at most so far from it: half the time that the answer took.
    pub give_or_take: SignedDuration,
}

impl PostgresStore {
    /// Asks the server of these options. Takes seven seconds at most. A server that cannot be reached
    /// is an error, in the server's or the system's own words.
    pub async fn examine(options: &Options, clock: &Clock) -> Result<Examination, StoreError> {
        let server = PgConnectOptions::from_str(&options.url)
            .map_err(|error| StoreError::Schema(format!("store.url is no PostgreSQL URL: {error}")))?
            .application_name("rollbook doctor")
            .disable_statement_logging();
        let mut connection = patiently(async { server.connect().await.map_err(store_error) }).await?;
        let examined = patiently(ask(&mut connection, options, clock)).await;
        drop(timeout(PATIENCE / 6, connection.close()).await);
        examined
    }
}

async fn patiently<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let answer = timeout(PATIENCE, call).await;
    answer.unwrap_or_else(|_| Err(StoreError::Unavailable(Complaint::Silent(PATIENCE).into())))
}

async fn ask(connection: &mut PgConnection, options: &Options, clock: &Clock) -> Result<Examination, StoreError> {
    set_up(connection, options.statement_timeout, options.lock_timeout).await.map_err(store_error)?;
    let rows = fetch(connection, sqlx::query(sql!("examine"))).await?;
    let row = rows.first().ok_or_else(|| store_error(sqlx::Error::RowNotFound))?;
    let mut examination = read(&Cells::of("examine", row), options)?;
    examination.lacking = lacking(connection).await?;
    examination.clock = skew(connection, clock).await?;
    examination.pending = match migrate::pending(connection).await {
        Ok(pending) => Ok(pending),
        Err(StoreError::Schema(sentence)) => Err(sentence),
        Err(other) => return Err(other),
    };
    Ok(examination)
}

fn read(cells: &Cells<'_, Row>, options: &Options) -> Result<Examination, StoreError> {
    Ok(Examination {
        version_number: cells.count("version_number")?,
        version: cells.get("version")?,
        pending: Ok(Vec::new()),
        encoding: cells.get("encoding")?,
        syncs: cells.get("syncs")?,
        writes_full_pages: cells.get("writes_full_pages")?,
        synchronous_commit: cells.get("synchronous_commit")?,
        standby: cells.get("standby")?,
        read_only: cells.get("read_only")?,
        room: cells.get("room")?,
        taken: cells.get("taken")?,
        role_limit: cells.get::<Option<i64>>("role_limit")?.filter(|limit| *limit >= 0),
        wanted: options.max_connections,
        superuser: cells.get("superuser")?,
        role: cells.get("role")?,
        schema: cells.get("schema")?,
        may_create: cells.get("may_create")?,
        lacking: Vec::new(),
        size_bytes: cells.get("size_bytes")?,
        clock: Skew { ahead: SignedDuration::ZERO, give_or_take: SignedDuration::ZERO },
    })
}

async fn lacking(connection: &mut PgConnection) -> Result<Vec<String>, StoreError> {
    let needed = NEEDED.iter().flat_map(|(table, privileges)| privileges.iter().map(move |one| (*table, *one)));
    let (tables, privileges): (Vec<&str>, Vec<&str>) = needed.unzip();
    let query = sqlx::query(sql!("examine_privileges")).bind(tables).bind(privileges);
    let name = |row: &Row| Cells::of("examine_privileges", row).get("lacking");
    fetch(connection, query).await?.iter().map(name).collect()
}

/// The server's answer was true somewhere between our question and its arrival.
async fn skew(connection: &mut PgConnection, clock: &Clock) -> Result<Skew, StoreError> {
    let asked = clock();
    let rows = fetch(connection, sqlx::query(sql!("examine_clock"))).await?;
    let took = clock().duration_since(asked);
    let row = rows.first().ok_or_else(|| store_error(sqlx::Error::RowNotFound))?;
    let theirs = Cells::of("examine_clock", row).get::<jiff::Timestamp>("now")?;
    Ok(Skew { ahead: theirs.duration_since(asked) - took / 2, give_or_take: took.abs() / 2 })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::migrate::MIGRATIONS;

    #[test]
    fn every_table_is_asked_for() {
        let made = MIGRATIONS.iter().flat_map(|migration| migration.sql.split("CREATE TABLE ").skip(1));
        let mut tables: BTreeSet<&str> = made.filter_map(|rest| rest.split_whitespace().next()).collect();
        tables.insert("schema_migration");
        assert_eq!(tables, NEEDED.iter().map(|(table, _)| *table).collect::<BTreeSet<_>>());
    }
}
