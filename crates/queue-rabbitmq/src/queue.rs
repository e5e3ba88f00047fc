//! The port, for those who publish and look.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lapin::Connection;
use rollbook_domain::{Clock, ProcessorName};
use rollbook_queue::{Consumer, Message, PublishError, Publisher, Queue, QueueDepth, QueueError};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::consumer::RabbitConsumer;
use crate::declare::{self, TopologyError, look};
use crate::depths::{Sessions, depth};
use crate::link::Link;
use crate::options::{ConnectError, Options};
use crate::publisher::Publishing;
use crate::topology::Topology;
use crate::trouble::Trouble;
use crate::unrouted;
use crate::wire::Parcel;

/// How long `connect` waits for the first answer of a broker that may be away.
const FIRST_TRY: Duration = Duration::from_secs(5);

/// The fleet's queue. Dropping it and all its consumers closes the connections a moment later.
pub struct RabbitQueue {
    pub(crate) shared: Arc<Shared>,
}

impl fmt::Debug for RabbitQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitQueue").finish_non_exhaustive()
    }
}

/// What publishers and consumers hold.
pub(crate) struct Shared {
    pub(crate) consuming: Link,
    pub(crate) publishing: Publishing,
    pub(crate) topology: Arc<Topology>,
    pub(crate) prefetch: u16,
    pub(crate) clock: Clock,
    pub(crate) closed: CancellationToken,
    pub(crate) sessions: Sessions,
    pub(crate) recovering: unrouted::Kept,
    /// Queues that were compared with what we need since this process began.
    declared: Mutex<BTreeSet<ProcessorName>>,
    /// Ends every task.
    _closes: DropGuard,
}

impl Shared {
    /// Declares what a consumer needs: compares everything the first time, and afterwards only looks
    /// whether the queue is still there.
    pub(crate) async fn ensure(&self, connection: &Connection, queue: &ProcessorName) -> Result<(), TopologyError> {
        let known = self.declared().contains(queue);
        if known && look(connection, &self.topology.name(queue.as_str())).await?.is_some() {
            return Ok(());
        }
        declare::base(connection, &self.topology).await?;
        declare::queues(connection, &self.topology, queue.as_str()).await?;
        self.declared().insert(queue.clone());
        Ok(())
    }

    fn declared(&self) -> std::sync::MutexGuard<'_, BTreeSet<ProcessorName>> {
        self.declared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RabbitQueue {
    /// Starts the tasks on the current runtime and waits a moment for the broker. One that is away is
    /// no error: until it is back, `publish` answers `Unavailable`.
    pub async fn connect(options: Options) -> Result<Arc<Self>, ConnectError> {
        let nodes = options.checked()?;
        let closed = CancellationToken::new();
        let topology = Arc::new(Topology::new(&options.prefix, &options.levels));
        let mut publishes = Link::start("publishing", nodes.clone(), closed.clone());
        let mut consuming = Link::start("consuming", nodes, closed.clone());
        let publishing = Publishing::start(publishes.clone(), Arc::clone(&topology), options.patience);
        drop(timeout(FIRST_TRY, async { tokio::join!(publishes.tried(), consuming.tried()) }).await);
        let shared = Shared {
            consuming,
            publishing,
            topology,
            prefetch: options.prefetch,
            clock: options.clock,
            sessions: Sessions::default(),
            recovering: unrouted::Kept::default(),
            declared: Mutex::default(),
            _closes: closed.clone().drop_guard(),
            closed,
        };
        Ok(Arc::new(Self { shared: Arc::new(shared) }))
    }

    /// Declares the queues of these processors and compares them with what is there. What is published
    /// to a queue that nobody declared waits in `unrouted`.
    pub async fn declare(&self, queues: &[ProcessorName]) -> Result<(), TopologyError> {
        let connection = self.shared.consuming.up()?.connection;
        declare::base(&connection, &self.shared.topology).await?;
        for queue in queues {
            declare::queues(&connection, &self.shared.topology, queue.as_str()).await?;
            self.shared.declared().insert(queue.clone());
        }
        Ok(())
    }

    /// Ends every task without a word to anybody who waits; unsettled deliveries come again. Whoever
    /// asks for something later is told that the queue is closed.
    pub fn leave(&self) {
        self.shared.closed.cancel();
    }
}

struct RabbitPublisher {
    shared: Arc<Shared>,
}

#[async_trait]
impl Publisher for RabbitPublisher {
    /// One message a processor: a binding that is missing then concerns nobody else.
    async fn publish(&self, message: Message) -> Result<(), PublishError> {
        let Message { envelope, to, redecide } = message;
        if to.is_empty() {
            return Err(Trouble::NoProcessor.into());
        }
        let parcel = Parcel::new(envelope, redecide, (self.shared.clock)());
        let messages = to.iter().map(|processor| parcel.outgoing(processor.to_string())).collect();
        let fates: Result<(), Trouble> = self.shared.publishing.publish(messages).await.into_iter().collect();
        Ok(fates?)
    }
}

#[async_trait]
impl Queue for RabbitQueue {
    fn publisher(&self) -> Arc<dyn Publisher> {
        Arc::new(RabbitPublisher { shared: Arc::clone(&self.shared) })
    }

    async fn consumer(&self, queue: &ProcessorName) -> Result<Box<dyn Consumer>, QueueError> {
        Ok(Box::new(RabbitConsumer::open(Arc::clone(&self.shared), queue.clone()).await?))
    }

    async fn depths(&self, queues: &[ProcessorName]) -> Result<Vec<QueueDepth>, QueueError> {
        let Shared { consuming, topology, sessions, .. } = &*self.shared;
        let connection = consuming.up()?.connection;
        let mut depths = Vec::with_capacity(queues.len());
        for queue in queues {
            depths.push(depth(&connection, topology, sessions, queue).await?);
        }
        Ok(depths)
    }

    async fn recover_unrouted(&self) -> Result<u64, QueueError> {
        let connection = self.shared.consuming.up()?.connection;
        let declared: Vec<ProcessorName> = self.shared.declared().iter().cloned().collect();
        Ok(unrouted::recover(&connection, &self.shared, &declared).await?)
    }

    async fn close(&self) {
        self.leave();
    }
}
