//! The port, for those who publish and look.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use rollbook_domain::{Clock, ProcessorName};
use rollbook_queue::{Consumer, Message, PublishError, Publisher, Queue, QueueDepth, QueueError};
use rollbook_sqlite::{Bulk, OpenError as FileError, to_micros};
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use crate::consumer::SqliteConsumer;
use crate::depths::depths;
use crate::open::{Marks, OpenError, Opened, Options, marks, open};
use crate::refusal::Refusal;
use crate::statements::handed_out;
use crate::wakes::Wakes;
use crate::writer::{Answer, Command, Note, Work, Writer};

/// Commands that wait for the writer. Whoever finds it full waits: back-pressure.
const WAITING: usize = 1_024;

/// The embedded queue. Dropping it and all its consumers closes the file a moment later;
/// [`SqliteQueue::close`] does so before it returns.
pub struct SqliteQueue {
    shared: Arc<Shared>,
}

impl fmt::Debug for SqliteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteQueue").finish_non_exhaustive()
    }
}

/// What publishers and consumers hold.
pub(crate) struct Shared {
    commands: mpsc::Sender<Command>,
    /// Unbounded, because a consumer that is dropped cannot wait: at most one a consumer, and one a
    /// batch that could not be read.
    pub(crate) notes: mpsc::UnboundedSender<Note>,
    pub(crate) readers: SqlitePool,
    pub(crate) handed_out: Bulk,
    pub(crate) wakes: Arc<Wakes>,
    pub(crate) clock: Clock,
    last_consumer: AtomicU64,
}

impl Shared {
    /// Waits for room, and returns what will hold the answer.
    pub(crate) async fn command(&self, work: Work) -> Result<oneshot::Receiver<Answer>, Refusal> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command { work, reply }).await.map_err(|_| Refusal::Closed)?;
        Ok(answer)
    }

    /// Waits for the commit.
    pub(crate) async fn run(&self, work: Work) -> Result<(), Refusal> {
        self.command(work).await?.await.map_err(|_| Refusal::Closed)??;
        Ok(())
    }

    pub(crate) fn now(&self) -> i64 {
        to_micros((self.clock)())
    }
}

impl SqliteQueue {
    /// Opens the file as the one service that may, and starts the writer task on the current
    /// runtime. What a killed process had in its hands is free again.
    pub async fn open(options: Options) -> Result<Arc<Self>, OpenError> {
        Ok(Self::start(open(&options.path).await?, options))
    }

    pub(crate) fn start(opened: Opened, options: Options) -> Arc<Self> {
        let (commands, inbox) = mpsc::channel(WAITING);
        let (notes, slips) = mpsc::unbounded_channel();
        let wakes = Arc::<Wakes>::default();
        let shared = Shared {
            commands,
            notes,
            readers: opened.database.readers.clone(),
            handed_out: handed_out(),
            wakes: Arc::clone(&wakes),
            clock: Arc::clone(&options.clock),
            last_consumer: AtomicU64::new(0),
        };
        tokio::spawn(Writer::new(opened, options, wakes, inbox, slips).run());
        Arc::new(Self { shared: Arc::new(shared) })
    }

    /// The depths, from beside a running service or from the file of one that stopped; takes no
    /// lock and changes nothing. One entry for each of `queues`, in their order.
    pub async fn inspect(path: &Path, queues: &[ProcessorName], clock: &Clock) -> Result<Vec<QueueDepth>, OpenError> {
        let readers = rollbook_sqlite::readers(path)?;
        let read = read(&readers, queues, to_micros(clock())).await;
        readers.close().await;
        read.map_err(|error| FileError::sqlite(path, error))?.map_err(|marks| marks.refuse(path))
    }

    /// The process whose service has this file, as far as the system tells.
    pub fn served_by(path: &Path) -> Option<u32> {
        rollbook_sqlite::lock_holder(path)
    }
}

async fn read(
    readers: &SqlitePool,
    queues: &[ProcessorName],
    now: i64,
) -> Result<Result<Vec<QueueDepth>, Marks>, sqlx::Error> {
    let mut connection = readers.acquire().await?;
    let marks = marks(&mut connection).await?;
    drop(connection);
    if marks.ours() { Ok(Ok(depths(readers, queues, now).await?)) } else { Ok(Err(marks)) }
}

struct SqlitePublisher {
    shared: Arc<Shared>,
}

#[async_trait]
impl Publisher for SqlitePublisher {
    async fn publish(&self, message: Message) -> Result<(), PublishError> {
        if message.to.is_empty() {
            return Err(PublishError::Unavailable("the message names no processor".into()));
        }
        Ok(self.shared.run(Work::Publish(Box::new(message))).await?)
    }
}

#[async_trait]
impl Queue for SqliteQueue {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(SqlitePublisher { shared: Arc::clone(&self.shared) })
    }

    async fn consumer(&self, queue: &ProcessorName) -> Result<Box<dyn Consumer>, QueueError> {
        let number = self.shared.last_consumer.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Box::new(SqliteConsumer::new(Arc::clone(&self.shared), queue.clone(), number)))
    }

    async fn depths(&self, queues: &[ProcessorName]) -> Result<Vec<QueueDepth>, QueueError> {
        let depths = depths(&self.shared.readers, queues, self.shared.now()).await;
        Ok(depths.map_err(Refusal::from)?)
    }

    /// Also empties the journal and gives up the lock before it returns.
    async fn close(&self) {
        self.shared.readers.close().await;
        let (done, closed) = oneshot::channel();
        if self.shared.notes.send(Note::Close(done)).is_ok() {
            drop(closed.await);
        }
    }
}
