//! What owners have, and what moved.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rollbook_domain::PersonId;
use rollbook_ledger::{Asset, Hold, LARGEST, Lot, LotId, Owner};
use rollbook_store::{Counterpart, Database, HistoryFilter, HistoryRow, Standing};
use serde::Serialize;

use super::due;
use super::who::{self, Named};
use crate::cli::SpanArgs;
use crate::commands::Session;
use crate::exit::{Done, FAILED, Failure};
use crate::output;

/// On a terminal nobody reads more.
const SCREENFUL: u32 = 100;

/// Lots read at a time; bounds the memory, whatever the size of the club.
const PAGE: u32 = 1000;

/// What `points balance --json` prints.
#[derive(Serialize)]
pub struct Balance {
    owner: String,
    posted: i64,
    held: i64,
    available: i64,
    owed: i64,
}

impl Balance {
    pub fn of(owner: &str, standing: Standing) -> Self {
        let Standing { sums, owed } = standing;
        Self { owner: owner.to_owned(), posted: sums.posted, held: sums.held, available: sums.available(), owed }
    }

    pub fn print(&self) {
        let Self { owner, posted, held, available, owed } = self;
        output::line(format!("{owner}: {available} points available ({posted} posted, {held} held)"));
        if *owed > 0 {
            output::line(format!("{owed} points are owed; what is earned next pays them first"));
        }
    }
}

/// Says so and fails when nobody is there.
pub async fn somebody(store: &dyn Database, owner: &str) -> Result<Option<Named>, Failure> {
    let named = Named::parse(owner)?;
    match who::standing(store, &named).await? {
        who::Standing::Known => Ok(Some(named)),
        standing => {
            eprintln!("rollbook: {}", who::missing(standing, &named));
            Ok(None)
        }
    }
}

pub async fn balance(session: &Session, owner: &str) -> Done {
    let store = session.store().await?;
    let Some(named) = somebody(store.as_ref(), owner).await? else { return Ok(ExitCode::from(FAILED)) };
    let balance = Balance::of(&named.name, store.standing(Asset::Points, named.owner).await?);
    if session.json {
        output::json(&balance)?;
    } else {
        balance.print();
        for Hold { id, amount, expires_at, .. } in store.open_holds(Asset::Points, named.owner).await? {
            let expires = due::told(expires_at, &session.config.zone);
            output::line(format!("hold {id}: {amount}, expires {expires}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// One line of `points history --json`.
#[derive(Serialize)]
pub struct Moved {
    pub transaction: String,
    pub kind: &'static str,
    pub at: Timestamp,
    pub recorded_at: Timestamp,
    pub amount: i64,
    pub owed: i64,
    /// What was posted after it.
    pub posted: Option<i64>,
    /// The hold that it placed or resolved.
    pub hold: Option<String>,
    /// Added to what is held; below zero: returned from it.
    pub held: i64,
    /// What could be spent after it: posted less held.
    pub available: i64,
    /// `issued`, `redeemed`, `expired`, or the other owner.
    pub other: Option<String>,
    /// The address of the other owner, if that is a member.
    pub other_email: Option<String>,
    pub actor: Option<String>,
    pub actor_email: Option<String>,
    pub memo: Option<String>,
    pub outcome: &'static str,
    pub reason: Option<String>,
    /// One sentence about the reason.
    pub detail: Option<String>,
}

impl Moved {
    fn of(row: &HistoryRow, addresses: &BTreeMap<PersonId, String>) -> Self {
        let email = |person: PersonId| addresses.get(&person).cloned();
        Self {
            transaction: row.transaction.to_string(),
            kind: row.kind.as_str(),
            at: row.at,
            recorded_at: row.recorded_at,
            amount: row.amount,
            owed: row.owed,
            posted: row.posted,
            hold: row.hold.map(|hold| hold.to_string()),
            held: row.held,
            available: row.available,
            other: row.other.map(counterpart),
            other_email: row.other.and_then(somebody_else).and_then(email),
            actor_email: row.actor.and_then(email),
            actor: row.actor.map(|person| person.to_string()),
            memo: row.memo.clone(),
            outcome: if row.reason.is_none() { "applied" } else { "rejected" },
            reason: row.reason.as_ref().map(ToString::to_string),
            detail: row.detail.clone(),
        }
    }
}

fn counterpart(other: Counterpart) -> String {
    match other {
        Counterpart::Issued => "issued".to_owned(),
        Counterpart::Redeemed => "redeemed".to_owned(),
        Counterpart::Expired => "expired".to_owned(),
        Counterpart::Owner(Owner::Person(person)) => format!("person:{person}"),
        Counterpart::Owner(Owner::Group(group)) => format!("group:{group}"),
    }
}

fn somebody_else(other: Counterpart) -> Option<PersonId> {
    if let Counterpart::Owner(Owner::Person(person)) = other { Some(person) } else { None }
}

pub async fn moved(
    store: &dyn Database,
    owner: Owner,
    (since, until): (Option<Timestamp>, Option<Timestamp>),
    limit: Option<u32>,
) -> Result<Vec<Moved>, Failure> {
    let filter = HistoryFilter { asset: Asset::Points, owner, since, until, limit };
    let rows = store.history(&filter).await?;
    let people: BTreeSet<_> =
        rows.iter().flat_map(|row| row.other.and_then(somebody_else).into_iter().chain(row.actor)).collect();
    let addresses = store.addresses(&people.into_iter().collect::<Vec<_>>()).await?;
    Ok(rows.iter().map(|row| Moved::of(row, &addresses)).collect())
}

pub async fn history(session: &Session, owner: &str, span: &SpanArgs, limit: Option<u32>) -> Done {
    let store = session.store().await?;
    let Some(named) = somebody(store.as_ref(), owner).await? else { return Ok(ExitCode::from(FAILED)) };
    let shown = limit.or((!session.json).then_some(SCREENFUL));
    let rows = moved(store.as_ref(), named.owner, span.within(&session.config.zone), shown).await?;
    if session.json {
        output::json(&rows)?;
    } else {
        print(&rows, limit.is_none(), &session.config.zone);
    }
    Ok(ExitCode::SUCCESS)
}

const HEADINGS: [&str; 9] = ["WHEN", "WHAT", "POINTS", "HELD", "BALANCE", "AVAILABLE", "WITH", "TRANSACTION", "WHY"];

fn print(rows: &[Moved], cut: bool, zone: &TimeZone) {
    let mut table = output::table(&HEADINGS);
    for row in rows {
        table.add_row([
            row.at.to_zoned(zone.clone()).strftime("%F %T").to_string(),
            if row.outcome == "applied" { row.kind.to_owned() } else { format!("{} (rejected)", row.kind) },
            change(row.amount),
            change(row.held),
            row.posted.map_or_else(String::new, |posted| posted.to_string()),
            row.available.to_string(),
            row.with(),
            row.transaction.clone(),
            row.detail.clone().or_else(|| row.memo.clone()).unwrap_or_default(),
        ]);
    }
    output::line(table);
    let more = if cut && rows.len() == SCREENFUL as usize { " (the newest; --limit shows more)" } else { "" };
    output::line(format!("{}{more}", output::count(rows.len() as u64, "line", "lines")));
}

/// Nothing where nothing changed, so that what did stands out.
pub fn change(amount: i64) -> String {
    if amount == 0 { String::new() } else { format!("{amount:+}") }
}

impl Moved {
    /// Where units came from or went, and whose hold was resolved. A hold has the id of its transaction.
    fn with(&self) -> String {
        let hold = self.hold.as_ref().filter(|hold| **hold != self.transaction).map(|hold| format!("hold {hold}"));
        let other = self.other_email.as_ref().or(self.other.as_ref());
        let parts: Vec<_> = other.cloned().into_iter().chain(hold).collect();
        parts.join(", ")
    }
}

/// What `points liability --json` prints.
#[derive(Serialize)]
struct Liability {
    posted: i64,
    held: i64,
    /// What owners owe; not part of `posted`.
    owed: i64,
    /// By the month in which they expire, in the organisation's zone.
    expiring: Vec<Expiring>,
    /// What never expires.
    undated: i64,
}

#[derive(Serialize)]
struct Expiring {
    /// The year and the last month in which they can be spent.
    month: String,
    points: i64,
    lots: u64,
}

pub async fn liability(session: &Session) -> Done {
    let store = session.store().await?;
    let months = months(store.as_ref(), &session.config.zone).await?;
    let Standing { sums, owed } = store.outstanding(Asset::Points).await?;
    let dated: i64 = months.iter().map(|month| month.points).sum();
    let report =
        Liability { posted: sums.posted, held: sums.held, owed, expiring: months, undated: sums.posted - dated };
    if session.json {
        output::json(&report)?;
    } else {
        print_liability(&report);
    }
    Ok(ExitCode::SUCCESS)
}

async fn months(store: &dyn Database, zone: &TimeZone) -> Result<Vec<Expiring>, Failure> {
    let mut sums: BTreeMap<String, (i64, u64)> = BTreeMap::new();
    let mut after: Option<LotId> = None;
    loop {
        let page = store.open_lots(Asset::Points, None, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for lot in &page {
            let month = last_month(lot, zone);
            let sum = sums.entry(month).or_default();
            *sum = (sum.0.saturating_add(lot.remaining).min(LARGEST), sum.1 + 1);
        }
    }
    Ok(sums.into_iter().map(|(month, (points, lots))| Expiring { month, points, lots }).collect())
}

/// The last one in which they can be spent: what is good until midnight of New Year's Eve is December's.
fn last_month(lot: &Lot, zone: &TimeZone) -> String {
    let last = lot.expires_at.saturating_sub(1.microsecond()).unwrap_or(lot.expires_at);
    last.to_zoned(zone.clone()).strftime("%Y-%m").to_string()
}

fn print_liability(report: &Liability) {
    let mut table = output::table(&["EXPIRES IN", "POINTS", "LOTS"]);
    for month in &report.expiring {
        table.add_row([month.month.clone(), month.points.to_string(), month.lots.to_string()]);
    }
    table.add_row(["never".to_owned(), report.undated.to_string(), String::new()]);
    output::line(table);
    let Liability { posted, held, owed, .. } = report;
    output::line(format!("{posted} points outstanding, of which {held} are held; {owed} are owed by their owners"));
}
