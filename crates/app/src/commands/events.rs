//! `rollbook events`: what became of each callback.

use std::process::ExitCode;

use jiff::tz::TimeZone;
use rollbook_domain::{Envelope, EnvelopeId, Outcome, ProcessorName};
use rollbook_store::{DeadLetter, DeadLetterFilter, EventFilter, EventRow};
use serde::Serialize;

use super::Session;
use crate::cli::{EventsCommand, EventsListArgs};
use crate::exit::{Done, FAILED, Failure};
use crate::{output, wiring};

/// On a terminal nobody reads more.
const SCREENFUL: u32 = 100;

pub async fn run(session: &Session, command: EventsCommand) -> Done {
    match command {
        EventsCommand::List(args) => list(session, args).await,
        EventsCommand::Show { id, body } => show(session, EnvelopeId(id), body).await,
        EventsCommand::Replay { args, to, redecide, dry_run } => {
            let to = to.map(|to| running(session, &to)).transpose()?;
            replay(session, args, to, redecide, dry_run).await
        }
    }
}

fn filter(args: EventsListArgs, zone: &TimeZone) -> Result<EventFilter, Failure> {
    if let Some(outcome) = args.outcome.as_deref()
        && Outcome::parse(outcome).is_none()
    {
        let error = anyhow::anyhow!("`{outcome}` is no outcome; it is applied, ignored or rejected");
        return Err(Failure::usage(error));
    }
    let (since, until) = args.span.within(zone);
    Ok(EventFilter {
        envelope: None,
        source: args.source,
        processor: args.processor,
        outcome: args.outcome,
        reason: args.reason,
        kind: args.kind,
        event_key: args.event_key,
        since,
        until,
        limit: args.limit,
    })
}

async fn list(session: &Session, args: EventsListArgs) -> Done {
    let unlimited = args.limit.is_none();
    let mut filter = filter(args, &session.config.zone)?;
    filter.limit = filter.limit.or((!session.json).then_some(SCREENFUL));
    let rows = session.store().await?.events(&filter).await?;
    if session.json {
        output::json(&rows)?;
    } else {
        print(&rows);
        let cut = unlimited && rows.len() == SCREENFUL as usize;
        let more = if cut { " (the newest; --limit shows more)" } else { "" };
        output::line(format!("{}{more}", output::count(rows.len() as u64, "event", "events")));
    }
    Ok(ExitCode::SUCCESS)
}

fn print(rows: &[EventRow]) {
    let mut table = output::table(&["PROCESSED", "SOURCE", "PROCESSOR", "EVENT KEY", "OUTCOME", "REASON", "ENVELOPE"]);
    for row in rows {
        table.add_row([
            row.processed_at.strftime("%F %T").to_string(),
            row.source.clone(),
            row.processor.clone(),
            row.event_key.clone(),
            row.outcome.clone(),
            row.reason.clone().unwrap_or_default(),
            row.envelope.to_string(),
        ]);
    }
    output::line(table);
}

/// Sends what matches through its processors once more, with the same keys: what was applied or
/// rejected stays as it is. With `redecide`, what was ignored is decided anew. With `to`, a processor
/// that came later is sent what others saw.
async fn replay(
    session: &Session,
    args: EventsListArgs,
    to: Option<ProcessorName>,
    redecide: bool,
    dry_run: bool,
) -> Done {
    let filter = filter(args, &session.config.zone)?;
    if filter == EventFilter::default() {
        let error = anyhow::anyhow!("say which: --reason, --processor, --source, --kind, --event-key, --since, …");
        return Err(Failure::usage(error));
    }
    let store = session.store().await?;
    let matching = store.events(&filter).await?.len() as u64;
    let done = if dry_run { 0 } else { store.replay_events(&filter, to.as_ref(), redecide).await? };
    if session.json {
        output::json(&serde_json::json!({ "matching": matching, "done": done, "dry_run": dry_run }))?;
    } else if dry_run {
        output::line(format!("would replay {}", output::count(matching, "event", "events")));
    } else {
        output::line(format!("{} on the way", output::count(done, "envelope", "envelopes")));
    }
    Ok(ExitCode::SUCCESS)
}

/// A processor that this configuration runs: nobody would work on what another is sent.
fn running(session: &Session, written: &str) -> Result<ProcessorName, Failure> {
    let names: Vec<&str> = wiring::processors(&session.config).iter().map(|processor| processor.name()).collect();
    if names.contains(&written) {
        return Ok(written.into());
    }
    let names = names.join(", ");
    Err(Failure::usage(anyhow::anyhow!("no processor `{written}` runs with this configuration; it has {names}")))
}

/// What `events show --json` prints.
#[derive(Serialize)]
struct Shown {
    envelope: EnvelopeId,
    source: String,
    delivery_key: String,
    received_at: jiff::Timestamp,
    body_bytes: usize,
    /// Only with `--body`, and only if it is text.
    body: Option<String>,
    outcomes: Vec<EventRow>,
    dead_letters: Vec<DeadLetter>,
}

async fn show(session: &Session, id: EnvelopeId, with_body: bool) -> Done {
    let store = session.store().await?;
    let Some(envelope) = store.envelope(id).await? else {
        eprintln!(
            "rollbook: no envelope {id}; `rollbook events list` shows ids (envelopes are kept for a limited time)"
        );
        return Ok(ExitCode::from(FAILED));
    };
    let outcomes = store.events(&EventFilter { envelope: Some(id), ..EventFilter::default() }).await?;
    let all = store.dead_letters(&DeadLetterFilter { envelope: Some(id), ..DeadLetterFilter::default() }).await?;
    let shown = shown(&envelope, with_body, outcomes, all);
    if session.json {
        output::json(&shown)?;
    } else {
        print_one(&shown);
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(envelope: &Envelope, with_body: bool, outcomes: Vec<EventRow>, dead_letters: Vec<DeadLetter>) -> Shown {
    Shown {
        envelope: envelope.id,
        source: envelope.source.to_string(),
        delivery_key: envelope.delivery_key.to_string(),
        received_at: envelope.received_at,
        body_bytes: envelope.body.len(),
        body: with_body.then(|| String::from_utf8_lossy(&envelope.body).into_owned()),
        outcomes,
        dead_letters,
    }
}

fn print_one(shown: &Shown) {
    output::line(format!("envelope      {}", shown.envelope));
    output::line(format!("source        {}", shown.source));
    output::line(format!("delivery key  {}", shown.delivery_key));
    output::line(format!("received      {}", shown.received_at));
    output::line(format!("body          {} bytes (--body prints it)", shown.body_bytes));
    if !shown.outcomes.is_empty() {
        print(&shown.outcomes);
    }
    for letter in &shown.dead_letters {
        output::line(format!(
            "dead letter {} ({}): {} – {}",
            letter.id,
            letter.state.as_str(),
            letter.reason,
            letter.detail
        ));
    }
    if let Some(body) = &shown.body {
        output::line(format!("\n{body}"));
    }
}
