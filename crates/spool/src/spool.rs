//! What ingest publishes to: the broker, and the file when the broker does not confirm.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rollbook_queue::{Message, PublishError, Publisher, QueueFiles};
use tokio::time::timeout;

use crate::files::{OpenFile, open_first};
use crate::health::Health;
use crate::options::{OpenError, Options};
use crate::parcel::{spool, wrap};
use crate::room::Room;

/// Publish to it, and run [`Spool::drain`] for as long as it is published to: nothing else finds out
/// that the broker is back.
pub struct Spool {
    pub(crate) options: Options,
    pub(crate) files: Arc<dyn QueueFiles>,
    broker: Arc<dyn Publisher>,
    pub(crate) own: OpenFile,
    keeper: Arc<dyn Publisher>,
    pub(crate) room: Room,
    pub(crate) health: Health,
    /// Something was spooled since the last time it was empty.
    spooling: AtomicBool,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("path", &self.own.path).field("state", &self.state()).finish_non_exhaustive()
    }
}

/// For `readyz`. Cheap to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolState {
    /// The broker is believed to take callbacks.
    pub broker: bool,
    /// The spool takes no more: its bounds, its disk, or a refusal a moment ago.
    pub full: bool,
    /// Callbacks that wait in this process's spool.
    pub waiting: u64,
}

impl SpoolState {
    /// A callback that came now would be answered with success.
    pub fn ready(&self) -> bool {
        self.broker || !self.full
    }
}

/// What became of a message that was offered to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer {
    Confirmed,
    /// It may have it all the same.
    Unconfirmed,
}

impl Spool {
    /// Opens the first file that no other process has. The broker may be away.
    pub async fn open(
        options: Options,
        files: Arc<dyn QueueFiles>,
        broker: Arc<dyn Publisher>,
    ) -> Result<Arc<Self>, OpenError> {
        let own = open_first(&options.path, &*files).await?;
        let held = files.held(&own.path, &spool()).await.map_err(|source| OpenError::File { source })?;
        let room = Room::new(options.max_callbacks, options.max_bytes, options.depth.clone());
        room.add(held);
        tracing::info!(path = %own.path.display(), waiting = held.deliveries, "the spool is open");
        let (health, keeper) = (Health::new(options.probe_every), own.queue.publisher());
        let spooling = AtomicBool::new(held.deliveries > 0);
        Ok(Arc::new(Self { options, files, broker, own, keeper, room, health, spooling }))
    }

    /// Callbacks that wait in this process's spool.
    pub fn depth(&self) -> u64 {
        self.room.callbacks()
    }

    pub fn state(&self) -> SpoolState {
        let full = self.room.full() || !self.files.has_room(&self.own.path);
        SpoolState { broker: !self.health.is_away(), full, waiting: self.depth() }
    }

    /// Lets go of the file, after the last publish and the end of [`Spool::drain`]. What waits in it is
    /// drained by the next process.
    pub async fn close(&self) {
        self.own.queue.close().await;
    }

    pub(crate) async fn offer(&self, message: Message, budget: Duration) -> Offer {
        let mark = self.health.mark();
        match timeout(budget, self.broker.publish(message)).await {
            Ok(Ok(())) => {
                self.health.confirmed();
                return Offer::Confirmed;
            }
            Ok(Err(error)) => self.health.failed(mark, &Causes(&error)),
            Err(_elapsed) => self.health.silent(mark),
        }
        Offer::Unconfirmed
    }

    async fn keep(&self, message: Message) -> Result<(), PublishError> {
        let reserved = self.room.reserve(message.envelope.body.len())?;
        if let Err(error) = self.keeper.publish(wrap(message)).await {
            self.room.refused();
            return Err(error);
        }
        reserved.keep();
        self.spooling.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn say_when_drained(&self) {
        if self.depth() == 0 && self.spooling.swap(false, Ordering::AcqRel) {
            tracing::info!("the spool is drained");
        }
    }
}

#[async_trait]
impl Publisher for Spool {
    async fn publish(&self, message: Message) -> Result<(), PublishError> {
        if message.to.is_empty() {
            return Err(PublishError::Unavailable("the message names no processor".into()));
        }
        if !self.health.is_away() && self.offer(message.clone(), self.options.budget).await == Offer::Confirmed {
            return Ok(());
        }
        self.keep(message).await
    }
}

/// An error with what caused it.
struct Causes<'e>(&'e dyn std::error::Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
