//! `rollbook doctor`: looks for what is wrong, or soon will be, and says what to do.
//!
//! Facts are gathered first, by whoever can know them; what a fact means is decided by functions that
//! see nothing else, so that each finding can be tested without the server that would cause it.
//! Changes nothing, anywhere. Takes ten seconds at most with every server away.
//!
//! A warning is a finding like a problem is: exit 3 for either, because a warning that no script
//! notices is noticed when it has become a problem. What asks nothing of anybody is `ok`.

mod broker;
mod configuration;
mod disk;
mod files;
mod finding;
mod queue_file;
mod server;
mod sources;
mod store;

use std::process::ExitCode;

use rollbook_domain::Clock;
use serde::Serialize;

use self::finding::{Check, Status};
use super::Session;
use crate::cli::Common;
use crate::config::QueuePlace;
use crate::exit::{Done, Failure, PROBLEMS};
use crate::output;
use crate::wiring::{self, places};

#[derive(Debug, Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Check>,
}

impl Report {
    fn of(checks: Vec<Check>) -> Self {
        Self { ok: checks.iter().all(|check| check.status == Status::Ok), checks }
    }
}

pub async fn run(common: &Common) -> Done {
    let session = Session::open(common)?;
    let report = Report::of(examine(common, &session).await?);
    if common.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

async fn examine(common: &Common, session: &Session) -> Result<Vec<Check>, Failure> {
    let config = &session.config;
    let mut checks = configuration::checks(common)?;
    checks.extend(files::checks(common, config)?);
    checks.extend(disk::checks(config));
    let clock = wiring::clock();
    let (queue, store) = tokio::join!(queue(session, &clock), store::checks(config, &clock));
    checks.extend(queue?);
    checks.extend(store);
    Ok(checks)
}

async fn queue(session: &Session, clock: &Clock) -> Result<Vec<Check>, Failure> {
    let config = &session.config;
    let queues = wiring::queue_names(config);
    match &config.queue {
        QueuePlace::Sqlite(file) => Ok(queue_file::checks(file, &queues, clock).await),
        QueuePlace::Rabbit { .. } => {
            let options = places::broker(config)?;
            let found = rollbook_queue_rabbitmq::examine(&options, &queues).await.map_err(Failure::usage)?;
            Ok(broker::findings(&found, clock()))
        }
    }
}

fn print(report: &Report) {
    let mut table = output::table(&["", "CHECK", "RESULT", "WHAT TO DO"]);
    for check in &report.checks {
        let mark = match check.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Problem => "PROBLEM",
        };
        table.add_row([mark, check.name, &check.detail, check.todo.as_deref().unwrap_or_default()]);
    }
    output::line(table);
    let count = |status| report.checks.iter().filter(|check| check.status == status).count() as u64;
    output::line(match (count(Status::Problem), count(Status::Warning)) {
        (0, 0) => "nothing is wrong".to_owned(),
        (problems, warnings) => format!(
            "{}, {}",
            output::count(problems, "problem", "problems"),
            output::count(warnings, "warning", "warnings")
        ),
    });
}
