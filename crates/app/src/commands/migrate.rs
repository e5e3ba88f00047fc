//! `rollbook migrate`: brings the store's schema up to date. Ten at once migrate once.

use std::process::ExitCode;

use serde_json::json;

use super::Session;
use crate::cli::MigrateArgs;
use crate::exit::{Done, Failure, PROBLEMS};
use crate::output;
use crate::wiring::places::Opened;

pub async fn run(session: &Session, args: &MigrateArgs) -> Done {
    let opened =
        if args.check { Opened::unchecked(&session.config).await } else { Opened::open(&session.config).await };
    let opened = opened.map_err(Failure::failed)?;
    let pending = opened.pending().await?;
    if !args.check {
        opened.migrate().await?;
    }
    if session.json {
        output::json(
            &json!({ "pending": if args.check { &*pending } else { &[] }, "applied": if args.check { &[] } else { &*pending } }),
        )?;
    } else {
        say(&pending, args.check);
    }
    let found = args.check && !pending.is_empty();
    Ok(if found { ExitCode::from(PROBLEMS) } else { ExitCode::SUCCESS })
}

fn say(pending: &[&str], check: bool) {
    let done = if check { "missing" } else { "applied" };
    for name in pending {
        output::line(format!("{done} {name}"));
    }
    match (pending.is_empty(), check) {
        (true, _) => output::line("the schema is up to date"),
        (false, true) => output::line("run `rollbook migrate`"),
        (false, false) => {}
    }
}
