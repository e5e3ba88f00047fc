//! `rollbook status`: what waits.

use std::process::ExitCode;

use rollbook_queue::QueueDepth;
use serde::Serialize;

use super::Session;
use crate::exit::{Done, Failure};
use crate::output;

#[derive(Serialize)]
pub struct Status {
    pub queues: Vec<QueueDepth>,
    pub dead_letters: u64,
    /// Callbacks in this host's spool.
    pub spool: u64,
}

impl Status {
    /// Whether nothing is under way. Dead letters wait for people, not for workers.
    pub fn is_quiet(&self) -> bool {
        self.spool == 0 && self.queues.iter().all(|queue| queue.ready + queue.in_flight + queue.retrying == 0)
    }
}

pub async fn run(session: &Session) -> Done {
    let status = read(session).await?;
    if session.json {
        output::json(&status)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["QUEUE", "READY", "IN FLIGHT", "RETRYING", "OLDEST"]);
    for queue in &status.queues {
        table.add_row([
            queue.processor.clone(),
            queue.ready.to_string(),
            queue.in_flight.to_string(),
            queue.retrying.to_string(),
            format!("{} s", queue.oldest_age_s),
        ]);
    }
    output::line(table);
    let letters = output::count(status.dead_letters, "open dead letter", "open dead letters");
    let hint = if status.dead_letters > 0 { " (rollbook dead-letters list)" } else { "" };
    output::line(format!("{letters}{hint}"));
    Ok(ExitCode::SUCCESS)
}

/// One entry a queue that a worker drains.
///
/// Work moves from the outbox to a queue, and from a queue into the outbox. It is durable in the
/// next place before it leaves the last, so the outbox is looked at before and after the queues:
/// otherwise a row that moves between two looks would be seen nowhere.
pub async fn read(session: &Session) -> Result<Status, Failure> {
    let store = session.store().await?;
    let before = store.outbox_depth().await?;
    let mut queues = session.depths().await?;
    let waiting = before.max(store.outbox_depth().await?);
    queues.push(QueueDepth {
        processor: "outbox".to_owned(),
        ready: waiting,
        in_flight: 0,
        retrying: 0,
        oldest_age_s: 0,
    });
    Ok(Status { queues, dead_letters: store.open_dead_letters().await?, spool: 0 })
}
