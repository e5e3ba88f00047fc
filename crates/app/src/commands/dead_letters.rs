//! `rollbook dead-letters`: find what failed, see why, send it again or give it up.

use std::io::{IsTerminal as _, Write as _, stderr, stdin};
use std::process::ExitCode;

use jiff::tz::TimeZone;
use rollbook_store::{DeadLetter, DeadLetterFailure, DeadLetterFilter, DeadLetterGroup, DeadLetterState};
use serde::Serialize;
use serde_json::json;

use super::Session;
use crate::cli::{ActArgs, DeadLettersCommand, PickArgs};
use crate::exit::{Done, FAILED, Failure};
use crate::output;

pub async fn run(session: &Session, command: DeadLettersCommand) -> Done {
    match command {
        DeadLettersCommand::List { pick, all } => list(session, pick, all).await,
        DeadLettersCommand::Show { id, body } => show(session, id, body).await,
        DeadLettersCommand::Replay { pick, act, redecide } => {
            act_on(session, pick, &act, Action::Replay { redecide }).await
        }
        DeadLettersCommand::Discard { pick, act } => act_on(session, pick, &act, Action::Discard).await,
    }
}

fn filter(pick: PickArgs, states: Vec<DeadLetterState>, zone: &TimeZone) -> DeadLetterFilter {
    let (since, until) = pick.span.within(zone);
    DeadLetterFilter {
        ids: pick.ids,
        envelope: None,
        reason: pick.reason,
        processor: pick.processor,
        source: pick.source,
        since,
        until,
        states,
        limit: pick.limit,
    }
}

async fn list(session: &Session, pick: PickArgs, all: bool) -> Done {
    let named = !pick.ids.is_empty();
    let states = if all || named { vec![] } else { vec![DeadLetterState::Open, DeadLetterState::Replaying] };
    let filter = filter(pick, states, &session.config.zone);
    let store = session.store().await?;
    let rows = store.dead_letters(&filter).await?;
    if session.json {
        output::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.is_empty() {
        output::line("no dead letters");
        return Ok(ExitCode::SUCCESS);
    }
    print_rows(&rows);
    let open = DeadLetterFilter { states: vec![DeadLetterState::Open], ..filter };
    print_groups(&store.dead_letter_groups(&open).await?);
    Ok(ExitCode::SUCCESS)
}

fn print_rows(rows: &[DeadLetter]) {
    let mut table =
        output::table(&["ID", "STATE", "PROCESSOR", "SOURCE", "REASON", "AMOUNT", "TRIES", "LAST SEEN", "EVENT KEY"]);
    for row in rows {
        table.add_row([
            row.id.to_string(),
            row.state.as_str().to_owned(),
            row.processor.clone(),
            row.source.clone(),
            row.reason.clone(),
            amount(row),
            row.attempts.to_string(),
            row.last_seen.strftime("%F %T").to_string(),
            row.event_key.clone(),
        ]);
    }
    output::line(table);
}

fn amount(row: &DeadLetter) -> String {
    let parts = [row.amount.as_deref(), row.currency.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// The causes, each with the command that would send it again.
pub fn print_groups(groups: &[DeadLetterGroup]) {
    if groups.is_empty() {
        return;
    }
    let mut table = output::table(&["OPEN", "PROCESSOR", "SOURCE", "REPLAY WITH: rollbook dead-letters …"]);
    for group in groups {
        let DeadLetterGroup { processor, source, reason, .. } = group;
        let command = format!("replay --reason {reason} --source {source} --processor {processor}");
        table.add_row([group.count.to_string(), processor.clone(), source.clone(), command]);
    }
    output::line(format!("\n{table}"));
}

/// What `dead-letters show --json` prints.
#[derive(Serialize)]
struct Shown {
    #[serde(rename = "dead_letter")]
    letter: DeadLetter,
    /// Every failure, oldest first.
    history: Vec<DeadLetterFailure>,
    delivery_key: Option<String>,
    received_at: Option<jiff::Timestamp>,
    body_bytes: Option<usize>,
    /// Only with `--body`, and only while the envelope is kept.
    body: Option<String>,
}

async fn show(session: &Session, id: i64, with_body: bool) -> Done {
    let store = session.store().await?;
    let one = DeadLetterFilter { ids: vec![id], ..DeadLetterFilter::default() };
    let Some(letter) = store.dead_letters(&one).await?.pop() else {
        eprintln!("rollbook: no dead letter {id}; `rollbook dead-letters list --all` shows which there are");
        return Ok(ExitCode::from(FAILED));
    };
    let envelope = store.envelope(letter.envelope).await?;
    let shown = Shown {
        history: store.dead_letter_history(id).await?,
        delivery_key: envelope.as_ref().map(|envelope| envelope.delivery_key.to_string()),
        received_at: envelope.as_ref().map(|envelope| envelope.received_at),
        body_bytes: envelope.as_ref().map(|envelope| envelope.body.len()),
        body: envelope.filter(|_| with_body).map(|envelope| String::from_utf8_lossy(&envelope.body).into_owned()),
        letter,
    };
    if session.json {
        output::json(&shown)?;
    } else {
        print_one(&shown);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_one(shown: &Shown) {
    let letter = &shown.letter;
    let lines = [
        ("dead letter", format!("{} ({})", letter.id, letter.state.as_str())),
        ("reason", letter.reason.clone()),
        ("detail", letter.detail.clone()),
        ("amount", amount(letter)),
        ("processor", letter.processor.clone()),
        ("source", letter.source.clone()),
        ("event key", letter.event_key.clone()),
        ("attempts", letter.attempts.to_string()),
        (
            "failed",
            format!(
                "{}, first {}, last {}",
                output::count(letter.failures.into(), "time", "times"),
                letter.first_seen,
                letter.last_seen
            ),
        ),
        ("envelope", letter.envelope.to_string()),
        ("received", shown.received_at.map_or_else(|| "(no longer kept)".to_owned(), |at| at.to_string())),
    ];
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        output::line(format!("{name:<12}  {value}"));
    }
    for failure in &shown.history {
        let DeadLetterFailure { envelope, reason, attempts, failed_at, .. } = failure;
        output::line(format!("history       {failed_at}  {reason}  attempt {attempts}  envelope {envelope}"));
    }
    if let Some(body) = &shown.body {
        output::line(format!("\n{body}"));
    }
}

#[derive(Clone, Copy)]
enum Action {
    Replay { redecide: bool },
    Discard,
}

impl Action {
    fn verb(self) -> &'static str {
        match self {
            Self::Replay { .. } => "replay",
            Self::Discard => "discard",
        }
    }
}

/// Counts first, asks, then acts.
async fn act_on(session: &Session, pick: PickArgs, act: &ActArgs, action: Action) -> Done {
    let narrowed = !pick.ids.is_empty()
        || [&pick.reason, &pick.processor, &pick.source].iter().any(|part| part.is_some())
        || pick.span.since.is_some()
        || pick.span.until.is_some();
    if !narrowed && !act.everything {
        let error = anyhow::anyhow!(
            "say which: ids, --reason, --processor, --source, --since, --until, or --everything for all open ones"
        );
        return Err(Failure::usage(error));
    }
    // A dead letter that an earlier replay left behind may be sent or given up again by its id.
    let states = match (action, pick.ids.is_empty()) {
        (Action::Replay { .. }, false) => {
            vec![DeadLetterState::Open, DeadLetterState::Replaying, DeadLetterState::Discarded]
        }
        // One that is under way may be applied at this moment, so it is not given up.
        (Action::Replay { .. } | Action::Discard, _) => vec![DeadLetterState::Open],
    };
    let filter = filter(pick, states, &session.config.zone);
    let store = session.store().await?;
    let groups = store.dead_letter_groups(&filter).await?;
    let named = DeadLetterFilter { ids: filter.ids.clone(), ..DeadLetterFilter::default() };
    if !named.ids.is_empty() && store.dead_letters(&named).await?.is_empty() {
        eprintln!("rollbook: there is no such dead letter; `rollbook dead-letters list --all` shows what there is");
        return Ok(ExitCode::from(FAILED));
    }
    let matching: u64 = groups.iter().map(|group| group.count).sum();
    let matching = filter.limit.map_or(matching, |limit| matching.min(u64::from(limit)));
    if !session.json {
        for group in &groups {
            output::line(format!("{:>6}  {} / {} / {}", group.count, group.processor, group.source, group.reason));
        }
    }
    if act.dry_run || matching == 0 || !confirmed(action, matching, act, session.json)? {
        return report(session, action, matching, 0, act.dry_run);
    }
    let done = match action {
        Action::Replay { redecide } => store.replay(&filter, redecide).await?,
        Action::Discard => store.discard(&filter).await?,
    };
    report(session, action, matching, done, false)
}

/// A script (no terminal, or `--json`) is not asked: it has said what it wants.
fn confirmed(action: Action, matching: u64, act: &ActArgs, json: bool) -> anyhow::Result<bool> {
    if act.yes || json || !stdin().is_terminal() {
        return Ok(true);
    }
    eprint!("{} {}? [y/N] ", action.verb(), output::count(matching, "dead letter", "dead letters"));
    stderr().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn report(session: &Session, action: Action, matching: u64, done: u64, dry_run: bool) -> Done {
    let verb = action.verb();
    if session.json {
        output::json(&json!({ "action": verb, "matching": matching, "done": done, "dry_run": dry_run }))?;
    } else if dry_run {
        output::line(format!("would {verb} {}", output::count(matching, "dead letter", "dead letters")));
    } else if matching == 0 {
        output::line("nothing matches; `rollbook dead-letters list --all` shows what there is");
    } else if done == 0 {
        output::line("nothing done");
    } else {
        let what = output::count(done, "dead letter", "dead letters");
        output::line(match action {
            Action::Replay { .. } => format!("{what} on the way; `rollbook dead-letters list` shows what comes back"),
            Action::Discard => format!("{what} discarded"),
        });
    }
    Ok(ExitCode::SUCCESS)
}
