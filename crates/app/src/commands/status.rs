//! `rollbook status`: what waits.

use std::process::ExitCode;

use rollbook_queue::QueueDepth;
use rollbook_store::{WorkerRow, alive, in_flight};
use serde::Serialize;

use super::Session;
use crate::exit::{Done, Failure};
use crate::output;
use crate::wiring::places;

#[derive(Serialize)]
pub struct Status {
    pub queues: Vec<QueueDepth>,
    /// Queues that nobody drains with this configuration, and in which something waits.
    pub unattended: Vec<QueueDepth>,
    pub dead_letters: u64,
    /// Callbacks in this host's spool.
    pub spool: u64,
    /// What each worker last said that it holds.
    pub workers: Vec<WorkerRow>,
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
    for QueueDepth { processor, ready, in_flight, retrying, .. } in &status.unattended {
        let waiting = output::count(ready + in_flight + retrying, "callback waits", "callbacks wait");
        output::line(format!("{waiting} for {processor}, and the configuration has no [{processor}]; put it back"));
    }
    if status.spool > 0 {
        let spooled = output::count(status.spool, "callback waits", "callbacks wait");
        output::line(format!("{spooled} in the spool of this host for the broker to come back"));
    }
    output::line(match alive(&status.workers) {
        0 => "no worker was seen in the last 10 s; start `rollbook up` or `rollbook work`".to_owned(),
        workers => output::count(workers as u64, "worker runs", "workers run"),
    });
    Ok(ExitCode::SUCCESS)
}

/// One entry a queue that a worker drains.
///
/// Work moves from the outbox to a queue, from a queue into a worker's hand and from there into the
/// outbox or another queue. It is durable in the next place before it leaves the last, so each place
/// is looked at before and after those that it moves through, and the greater figure stands:
/// otherwise what moves between two looks would be seen nowhere.
pub async fn read(session: &Session) -> Result<Status, Failure> {
    let store = session.store().await?;
    let waiting = session.waiting().await?;
    let spooled = places::spooled(&session.config).await?;
    let before = store.outbox_depth().await?;
    let mut queues = waiting.depths(&session.config).await?;
    let unattended = waiting.unattended(&session.config).await?;
    let workers = store.workers().await?;
    if !waiting.knows_in_flight() {
        let held = in_flight(&workers);
        let again = waiting.depths(&session.config).await?;
        for (queue, later) in queues.iter_mut().zip(again) {
            queue.ready = queue.ready.max(later.ready);
            queue.retrying = queue.retrying.max(later.retrying);
            queue.in_flight = held.get(queue.processor.as_str()).copied().unwrap_or_default();
        }
    }
    let ready = before.max(store.outbox_depth().await?);
    let outbox = "outbox".to_owned();
    queues.push(QueueDepth { processor: outbox, ready, in_flight: 0, retrying: 0, oldest_age_s: 0 });
    Ok(Status { queues, unattended, dead_letters: store.open_dead_letters().await?, spool: spooled, workers })
}
