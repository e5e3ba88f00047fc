//! The one task that brings batches into the store.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use rollbook_ledger::{Answer, Command};
use rollbook_store::{Ledger, StoreError};
use thiserror::Error;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::error::chain;
use crate::inbox::Inbox;
use crate::meters::Meters;
use crate::{Context, Options, TellerError};

/// Tries of a part of a batch. It has waited while the whole was tried, and so have all behind it.
const TRIES_OF_A_PART: u32 = 3;

#[derive(Debug, Error)]
enum Fault {
    #[error("it did not answer in time")]
    Late,
    #[error("deciding it panicked")]
    Panicked,
    #[error("it gave {0} answers to {1} commands")]
    Miscounted(usize, usize),
}

/// Why a part of a batch was given up.
enum Trouble {
    /// The store is away: it has nothing to do with these commands.
    Away(StoreError),
    /// One of these commands, or what it is about.
    Sick(StoreError),
}

pub(crate) struct Committer {
    pub store: Arc<dyn Ledger>,
    pub context: Context,
    pub options: Options,
    pub meters: Meters,
    pub closing: CancellationToken,
    /// Whether the last batch found the store away.
    pub away: bool,
}

impl Committer {
    /// Until the inbox is closed and empty.
    pub(crate) async fn run(mut self, mut inbox: Inbox) {
        while let Some(gathered) = inbox.gather(self.options.batch_max).await {
            self.meters.abandoned(gathered.abandoned);
            self.see_through(Batch::of(gathered.requests)).await;
            if self.away && self.closing.is_cancelled() {
                // Nobody is to wait for the end of an outage in order to stop.
                inbox.drain().for_each(|request| drop(request.reply.send(Err(TellerError::Closed))));
            }
        }
    }

    /// Answers everybody in the batch.
    async fn see_through(&mut self, mut batch: Batch) {
        let deadline = Instant::now() + self.options.patience;
        // Where the parts end, the next one last.
        let mut ends = vec![batch.len()];
        while let Some(end) = ends.pop() {
            if end <= batch.next() {
                continue;
            }
            let tries =
                if end == batch.len() && batch.next() == 0 { self.options.tries_in_place } else { TRIES_OF_A_PART };
            match self.persist(batch.until(end), tries, deadline).await {
                Ok(answers) => {
                    self.note(&answers);
                    batch.answer(answers);
                }
                Err(Trouble::Sick(error)) => self.narrow(&mut batch, &mut ends, end, error),
                Err(Trouble::Away(error)) => return self.give_up(&mut batch, error),
            }
        }
    }

    /// Halves a part, or ends the one command that is left of it.
    fn narrow(&self, batch: &mut Batch, ends: &mut Vec<usize>, end: usize, error: StoreError) {
        let part = batch.until(end);
        if let [command] = part {
            let failed = batch.fail(sick(command, error));
            return self.meters.failed(failed);
        }
        ends.extend([end, batch.next() + part.len() / 2]);
    }

    fn give_up(&mut self, batch: &mut Batch, error: StoreError) {
        if !self.away {
            tracing::warn!(error = chain(&error), "the ledger's store is away; callers are told to ask again");
        }
        self.away = true;
        let failed = batch.fail_all(&TellerError::away(error));
        self.meters.failed(failed);
    }

    fn note(&mut self, answers: &[Answer]) {
        if self.away {
            tracing::info!("the ledger's store is back");
        }
        self.away = false;
        for answer in answers {
            self.meters.answered(answer);
        }
    }

    /// One transaction, again in place while others come first.
    async fn persist(&self, part: &[Command], tries: u32, deadline: Instant) -> Result<Vec<Answer>, Trouble> {
        let mut beaten = 0;
        loop {
            rollbook_crash::point("teller.deciding");
            match self.decide(part, deadline).await {
                Ok(answers) => {
                    rollbook_crash::point("teller.committed");
                    return Ok(answers);
                }
                Err(StoreError::Conflict(_)) if beaten < tries && Instant::now() < deadline => {
                    tokio::time::sleep(breath(beaten, (self.context.random)())).await;
                    beaten += 1;
                }
                Err(error @ (StoreError::Unavailable(_) | StoreError::Schema(_))) => return Err(Trouble::Away(error)),
                Err(error) => return Err(Trouble::Sick(error)),
            }
        }
    }

    /// One try. A store that gives no answer at all is away; one that panics at a command is taken to
    /// refuse it, because the same ids can be decided again.
    async fn decide(&self, part: &[Command], deadline: Instant) -> Result<Vec<Answer>, StoreError> {
        let started = Instant::now();
        let call = AssertUnwindSafe(self.store.execute(part, (self.context.clock)())).catch_unwind();
        let answers = match timeout_at(deadline, call).await {
            Ok(Ok(answers)) => answers?,
            Ok(Err(_)) => return Err(StoreError::Refused(Fault::Panicked.into())),
            Err(_) => return Err(StoreError::Unavailable(Fault::Late.into())),
        };
        if answers.len() != part.len() {
            return Err(StoreError::Refused(Fault::Miscounted(answers.len(), part.len()).into()));
        }
        self.meters.committed(started.elapsed(), part.len());
        Ok(answers)
    }
}

fn sick(command: &Command, error: StoreError) -> TellerError {
    if matches!(error, StoreError::Conflict(_)) {
        return TellerError::Overtaken(Arc::new(error));
    }
    tracing::error!(transaction = %command.id(), error = chain(&error), "the store will not take a command");
    TellerError::Refused { id: command.id(), why: Arc::new(error) }
}

/// Before the next try, from 2 to at most 100 ms: twice as long each time, and up to as much again.
fn breath(beaten: u32, random: u64) -> Duration {
    let least = (2_u64 << beaten.min(5)).min(50) * 1000;
    Duration::from_micros(least + random % least)
}
