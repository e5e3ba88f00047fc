//! The writer task: the only one that changes the file.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rollbook_domain::{Clock, ProcessorName};
use rollbook_queue::{DeliveryTag, Message, Settled};
use rollbook_sqlite::{Fault, ServiceLock, fault};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::disk::Disk;
use crate::group::{Done, Group};
use crate::open::{Opened, Options};
use crate::refusal::Refusal;
use crate::statements::Statements;
use crate::wakes::Wakes;

/// A group is committed at this many rows, so that the first in it does not wait for the last.
const GROUP_ROWS: usize = 500;
/// Of bodies. Bounds what one transaction holds in memory.
const GROUP_BYTES: usize = 4 << 20;
/// After this long without a command the journal is emptied.
const IDLE: Duration = Duration::from_secs(1);
/// How long what cannot be read is put off, in microseconds: long enough to hold up nobody.
const PUT_OFF_US: i64 = 60_000_000;
/// Whenever it was due before.
const AT_ONCE: i64 = i64::MIN;

/// The ids that were claimed; empty for everything but a claim.
pub(crate) type Answer = Result<Vec<i64>, Refusal>;

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Answer>,
}

#[derive(Debug)]
pub(crate) enum Work {
    Publish(Box<Message>),
    Claim { consumer: u64, queue: ProcessorName, max: usize },
    Settle { consumer: u64, settled: Vec<Settled> },
    Release { consumer: u64, tags: Vec<DeliveryTag> },
}

impl Work {
    fn rows(&self) -> usize {
        match self {
            Self::Publish(message) => 1 + message.to.len(),
            Self::Claim { .. } => 1,
            Self::Settle { settled, .. } => settled.len(),
            Self::Release { tags, .. } => tags.len(),
        }
    }

    fn bytes(&self) -> usize {
        if let Self::Publish(message) = self { message.envelope.body.len() } else { 0 }
    }
}

/// What needs no answer, or comes from somebody who cannot wait.
#[derive(Debug)]
pub(crate) enum Note {
    /// This consumer is gone; all it holds is free again, and may be `counted` as handed out.
    Abandon {
        consumer: u64,
        counted: bool,
    },
    /// These cannot be read. They come again after a while.
    PutOff(Vec<i64>),
    Close(oneshot::Sender<()>),
}

/// A lease that its holder did not end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Returned {
    pub(crate) id: i64,
    /// Not before this time.
    pub(crate) due: i64,
    /// Whether it stays counted as handed out.
    pub(crate) counted: bool,
}

/// Who holds a delivery now.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) consumer: u64,
    pub(crate) queue: ProcessorName,
}

/// Bounded by what is in flight.
pub(crate) type Leases = HashMap<i64, Lease>;

pub(crate) struct Writer {
    connection: SqliteConnection,
    statements: Statements,
    leases: Leases,
    /// To be freed with the next commit.
    returned: Vec<Returned>,
    highest_body: i64,
    disk: Disk,
    clock: Clock,
    wakes: Arc<Wakes>,
    inbox: mpsc::Receiver<Command>,
    notes: mpsc::UnboundedReceiver<Note>,
    journal_grew: bool,
    /// Held as long as the connection; the last field, for it must be dropped last.
    _lock: ServiceLock,
}

impl Writer {
    pub(crate) fn new(
        opened: Opened,
        options: Options,
        wakes: Arc<Wakes>,
        inbox: mpsc::Receiver<Command>,
        notes: mpsc::UnboundedReceiver<Note>,
    ) -> Self {
        Self {
            connection: opened.database.writer,
            statements: Statements::new(),
            leases: Leases::new(),
            returned: Vec::new(),
            highest_body: opened.highest_body,
            disk: Disk::new(options.path, options.min_free_disk_bytes),
            clock: options.clock,
            wakes,
            inbox,
            notes,
            journal_grew: false,
            _lock: opened.lock,
        }
    }

    /// Until nobody is left to give a command, or somebody closes the queue.
    pub(crate) async fn run(mut self) {
        let mut closing = None;
        while closing.is_none() {
            tokio::select! {
                biased;
                note = self.notes.recv() => match note {
                    Some(Note::Close(done)) => closing = Some(done),
                    Some(note) => self.noted(note).await,
                    None => break,
                },
                Some(first) = self.inbox.recv() => self.take(first).await,
                () = tokio::time::sleep(IDLE), if self.journal_grew || !self.returned.is_empty() => self.rest().await,
            }
        }
        self.finish().await;
        drop(closing);
    }

    /// Does what still waits, then closes: the last connection empties the journal and removes it.
    async fn finish(mut self) {
        self.inbox.close();
        while let Some(first) = self.inbox.recv().await {
            self.take(first).await;
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the queue's file was not closed cleanly; its journal will be read at the next start");
        }
    }

    fn now(&self) -> i64 {
        rollbook_sqlite::to_micros((self.clock)())
    }

    async fn noted(&mut self, note: Note) {
        match note {
            Note::Abandon { consumer, counted } => self.abandon(consumer, counted),
            Note::PutOff(ids) => {
                let due = self.now().saturating_add(PUT_OFF_US);
                self.returned.extend(ids.into_iter().map(|id| Returned { id, due, counted: true }));
            }
            Note::Close(_) => {}
        }
        self.free_returned().await;
    }

    fn abandon(&mut self, consumer: u64, counted: bool) {
        let held = self.leases.iter().filter(|(_, lease)| lease.consumer == consumer);
        self.returned.extend(held.map(|(id, _)| Returned { id: *id, due: AT_ONCE, counted }));
    }

    /// If it fails, it is tried again when the writer rests.
    async fn free_returned(&mut self) {
        if self.returned.is_empty() {
            return;
        }
        let ids = std::mem::take(&mut self.returned);
        match self.transaction(&[], &ids).await {
            Ok(done) => self.apply(done),
            Err(error) => {
                tracing::warn!(%error, deliveries = ids.len(), "could not take back deliveries yet");
                self.returned = ids;
            }
        }
    }

    async fn take(&mut self, first: Command) {
        let group = self.gather(first);
        self.commit(group).await;
        self.free_returned().await;
    }

    /// What waits now, up to a group. Publishing is refused here while the disk is low.
    fn gather(&mut self, first: Command) -> Vec<Command> {
        let mut group = Vec::new();
        let (mut rows, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(command) = next {
            rows += command.work.rows();
            bytes += command.work.bytes();
            match self.refuses(&command.work) {
                Some(refusal) => drop(command.reply.send(Err(refusal))),
                None => group.push(command),
            }
            let room = rows < GROUP_ROWS && bytes < GROUP_BYTES;
            next = if room { self.inbox.try_recv().ok() } else { None };
        }
        group
    }

    fn refuses(&mut self, work: &Work) -> Option<Refusal> {
        matches!(work, Work::Publish(_)).then(|| self.disk.refuses().cloned()).flatten()
    }

    /// All at once; if one command spoils it for the others, one by one.
    async fn commit(&mut self, group: Vec<Command>) {
        if group.is_empty() {
            return;
        }
        let (works, replies): (Vec<Work>, Vec<_>) = group.into_iter().map(|it| (it.work, it.reply)).unzip();
        let error = match self.transaction(&works, &[]).await {
            Ok(done) => return self.answer(done, replies),
            Err(error) => error,
        };
        tracing::warn!(%error, commands = works.len(), "the queue could not commit");
        if works.len() > 1 && one_may_be_at_fault(&error) {
            self.one_by_one(works, replies).await;
        } else {
            self.refuse(error, replies);
        }
    }

    async fn one_by_one(&mut self, works: Vec<Work>, replies: Vec<oneshot::Sender<Answer>>) {
        for (work, reply) in works.into_iter().zip(replies) {
            match self.transaction(&[work], &[]).await {
                Ok(done) => self.answer(done, vec![reply]),
                Err(error) => self.refuse(error, vec![reply]),
            }
        }
    }

    async fn transaction(&mut self, works: &[Work], returned: &[Returned]) -> Result<Done, sqlx::Error> {
        let now = self.now();
        let group = Group::new(&mut self.connection, &self.statements, &self.leases, self.highest_body, now);
        group.run(works, returned).await
    }

    fn answer(&mut self, mut done: Done, replies: Vec<oneshot::Sender<Answer>>) {
        let mut claims = std::mem::take(&mut done.claims);
        self.apply(done);
        for (index, reply) in replies.into_iter().enumerate() {
            let ids = claims.remove(&index).unwrap_or_default();
            if let Err(Ok(unheard)) = reply.send(Ok(ids)) {
                self.returned.extend(unheard.into_iter().map(|id| Returned { id, due: AT_ONCE, counted: true }));
            }
        }
    }

    fn refuse(&mut self, error: sqlx::Error, replies: Vec<oneshot::Sender<Answer>>) {
        let refusal = Refusal::from(error);
        if let Refusal::Full(_) = refusal {
            self.disk.is_full(refusal.clone());
        }
        for reply in replies {
            drop(reply.send(Err(refusal.clone())));
        }
    }

    /// What the commit made true.
    fn apply(&mut self, done: Done) {
        self.journal_grew |= done.wrote;
        self.highest_body = done.highest_body;
        for id in done.freed {
            self.leases.remove(&id);
        }
        self.leases.extend(done.leased);
        for (queue, due) in done.due {
            self.wakes.at(&queue, due);
        }
        for (queue, due) in done.next_due {
            self.wakes.exactly(&queue, due);
        }
    }

    /// Nobody has asked for anything for a while.
    async fn rest(&mut self) {
        self.free_returned().await;
        if std::mem::take(&mut self.journal_grew)
            && let Err(error) = self.empty_journal().await
        {
            tracing::debug!(%error, "the queue's journal was not emptied; the next rest tries again");
            self.journal_grew = true;
        }
    }

    /// Without waiting for a reader: callbacks matter more than a short journal.
    async fn empty_journal(&mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("PRAGMA busy_timeout = 0").await?;
        let emptied = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
        self.connection.execute("PRAGMA busy_timeout = 30000").await?;
        emptied.map(drop)
    }
}

/// No room may be the fault of a single large body; a lock or a broken disk is nobody's.
fn one_may_be_at_fault(error: &sqlx::Error) -> bool {
    matches!(fault(error), Fault::Full | Fault::Constraint | Fault::Other)
}
