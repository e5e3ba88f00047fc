//! One consumer: sleeps until something is due, claims it, reads it, settles it.
//!
//! What a dropped consumer holds counts as handed out: it may be what ended its holder. A holder that
//! was refused because of the disk and gives up for that reason is another matter. It lives, so no
//! payload killed it, and an evening with a full disk must not look like twenty deaths.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::ProcessorName;
use rollbook_queue::{Consumer, Delivery, DeliveryTag, QueueError, Settled, Settlement};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::queue::Shared;
use crate::refusal::Refusal;
use crate::rows;
use crate::wakes::Wake;
use crate::writer::{Answer, Note, Work};

/// The system's clock may be set while a consumer sleeps, so it looks again this often.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct SqliteConsumer {
    shared: Arc<Shared>,
    queue: ProcessorName,
    number: u64,
    wake: Arc<Wake>,
    /// Asked for and not answered, and answered and not read. They outlive a `receive` that was
    /// dropped half-way; the next one goes on from here.
    claim: Option<oneshot::Receiver<Answer>>,
    claimed: Vec<i64>,
    /// The last command was refused because of the disk.
    let_down: bool,
}

impl SqliteConsumer {
    pub(crate) fn new(shared: Arc<Shared>, queue: ProcessorName, number: u64) -> Self {
        let wake = shared.wakes.of(&queue);
        Self { shared, queue, number, wake, claim: None, claimed: Vec::new(), let_down: false }
    }

    /// Whether something may be due; false when `until` has come.
    async fn wait(&self, until: Option<Instant>) -> bool {
        loop {
            let mut changed = std::pin::pin!(self.wake.changed.notified());
            changed.as_mut().enable();
            let early_us = self.wake.due().saturating_sub(self.shared.now());
            let Ok(early_us @ 1..) = u64::try_from(early_us) else { return true };
            let left = until.map_or(LOOK_AGAIN, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            tokio::select! {
                () = changed => {}
                () = sleep(left.min(LOOK_AGAIN).min(Duration::from_micros(early_us))) => {}
            }
        }
    }

    async fn claim(&mut self, max: usize) -> Result<(), Refusal> {
        if self.claim.is_none() {
            let work = Work::Claim { consumer: self.number, queue: self.queue.clone(), max };
            self.claim = Some(self.shared.command(work).await?);
        }
        if let Some(answer) = &mut self.claim {
            let answer = answer.await;
            self.claim = None;
            self.claimed = answer.map_err(|_| Refusal::Closed)??;
        }
        Ok(())
    }

    /// Reads up to `max` of what was claimed. What cannot be read is put off, so that it holds up
    /// nobody else, and is an error only when there is nothing else to return.
    async fn read(&mut self, max: usize) -> Result<Vec<Delivery>, Refusal> {
        let count = max.min(self.claimed.len());
        let read = self.fetch(count).await.map_err(Refusal::from);
        if let Err(Refusal::Full(_) | Refusal::Unavailable(_) | Refusal::Closed) = read {
            return read;
        }
        let mut unread: Vec<i64> = self.claimed.drain(..count).collect();
        let readable: HashSet<i64> = read.iter().flatten().map(|one| one.tag.0.cast_signed()).collect();
        unread.retain(|id| !readable.contains(id));
        if !unread.is_empty() {
            tracing::error!(queue = %self.queue, deliveries = ?unread, "deliveries cannot be read; look into the queue's file");
            drop(self.shared.notes.send(Note::PutOff(unread)));
        }
        match read {
            Ok(deliveries) if deliveries.is_empty() => Err(Refusal::Corrupt("a delivery cannot be read".to_owned())),
            read => read,
        }
    }

    /// Those of the first `count` that can be read.
    async fn fetch(&self, count: usize) -> Result<Vec<Delivery>, sqlx::Error> {
        let mut reader = self.shared.readers.acquire().await?;
        let ids = &self.claimed[..count];
        let found = self.shared.handed_out.fetch(&mut reader, ids, |query, id| query.bind(*id)).await?;
        Ok(found.iter().filter_map(|row| rows::delivery(row).ok()).collect())
    }
}

impl SqliteConsumer {
    async fn try_settle(&mut self, settled: Vec<Settled>) -> Result<(), Refusal> {
        let settled = self.shared.run(Work::Settle { consumer: self.number, settled }).await;
        self.remember(settled)
    }

    fn remember<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        self.let_down = result.as_ref().is_err_and(Refusal::is_of_the_disk);
        result
    }
}

#[async_trait]
impl Consumer for SqliteConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let until = Instant::now().checked_add(wait);
        while self.claimed.is_empty() {
            if max == 0 || (self.claim.is_none() && !self.wait(until).await) {
                return Ok(Vec::new());
            }
            let claimed = self.claim(max).await;
            self.remember(claimed)?;
        }
        let read = self.read(max).await;
        Ok(self.remember(read)?)
    }

    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), QueueError> {
        let all = self.try_settle(settled.clone()).await;
        let Err(Refusal::Full(_)) = all else { return Ok(all?) };
        // What only goes away makes room; what needs room must not keep it.
        let (acked, others) = settled.into_iter().partition(|one| one.settlement == Settlement::ack());
        self.try_settle(acked).await?;
        Ok(self.try_settle(others).await?)
    }

    async fn release(&mut self, tags: Vec<DeliveryTag>) -> Result<(), QueueError> {
        let released = self.shared.run(Work::Release { consumer: self.number, tags }).await;
        Ok(self.remember(released)?)
    }
}

impl Drop for SqliteConsumer {
    fn drop(&mut self) {
        // First, so that an answer that comes after this line finds nobody and is taken back.
        self.claim = None;
        let counted = !self.let_down || thread::panicking();
        drop(self.shared.notes.send(Note::Abandon { consumer: self.number, counted }));
    }
}
