//! `rollbook verify`: recompute every invariant from one snapshot of the records.

use std::process::ExitCode;

use rollbook_domain::{PersonId, State};
use rollbook_store::{Check, Database, Snapshot, StoreError};
use serde::Serialize;

use super::Session;
use crate::exit::{Done, PROBLEMS};
use crate::output;

/// People read at a time; bounds the memory, whatever the size of the club.
const PAGE: u32 = 1000;

#[derive(Serialize)]
pub struct Report {
    pub ok: bool,
    pub checks: Vec<Check>,
}

pub async fn run(session: &Session) -> Done {
    let store = session.store().await?;
    let report = verify(store.as_ref()).await?;
    if session.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

pub fn print(report: &Report) {
    let mut table = output::table(&["INVARIANT", "CHECKED", "BROKEN", ""]);
    for check in &report.checks {
        let mark = if check.broken == 0 { "ok" } else { "BROKEN" };
        table.add_row([check.name.clone(), check.checked.to_string(), check.broken.to_string(), mark.to_owned()]);
    }
    output::line(table);
    output::line(if report.ok {
        "every invariant holds"
    } else {
        "the records are broken: see the lines marked BROKEN"
    });
}

/// The store checks what is a relation between rows; what is a rule is recomputed here.
pub async fn verify(store: &dyn Database) -> Result<Report, StoreError> {
    let mut snapshot = store.snapshot().await?;
    let mut checks = snapshot.checks().await?;
    checks.extend(rule_checks(snapshot.as_mut()).await?);
    Ok(Report { ok: checks.iter().all(|check| check.broken == 0), checks })
}

async fn rule_checks(snapshot: &mut dyn Snapshot) -> Result<[Check; 2], StoreError> {
    let check = |name: &str| Check { name: name.to_owned(), checked: 0, broken: 0 };
    let mut folds = check("terms_equal_the_fold_of_payments");
    let mut ids = check("person_ids_come_from_the_first_address");
    let mut after: Option<PersonId> = None;
    loop {
        let page = snapshot.people(after, PAGE).await?;
        let Some(last) = page.people.keys().max() else { return Ok([folds, ids]) };
        after = Some(*last);
        for person in page.people.keys() {
            count(&mut folds, fold_matches(&page, *person));
            count(&mut ids, id_matches(&page, *person));
        }
    }
}

fn count(check: &mut Check, holds: bool) {
    check.checked += 1;
    check.broken += u64::from(!holds);
}

fn fold_matches(page: &State, person: PersonId) -> bool {
    let folded = rollbook_membership::fold(page, person);
    folded.len() == page.payments_of(person).count()
        && folded.iter().all(|term| page.terms.get(&term.payment) == Some(term))
}

fn id_matches(page: &State, person: PersonId) -> bool {
    let emails = page.people.get(&person).map(|person| person.emails.as_slice()).unwrap_or_default();
    emails.iter().any(|email| PersonId::of_first_address(email) == person)
}
