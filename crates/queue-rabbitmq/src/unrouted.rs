//! Moving back what found no queue.
//!
//! A queue that was deleted, or is not declared yet, costs nothing: its messages wait in `unrouted`
//! under the routing key they had, and are published again once a queue of that name exists.
//!
//! The broker holds back all but the first few dozen acknowledgements that come at once, and forgets
//! those when their channel ends: what was moved then comes again, is moved twice, and what is unwanted
//! doubles at each pass. So a pass hands back what it has in hand and leaves its channel open, for the
//! next one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::message::Delivery as Received;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Connection, Consumer as Stream};
use rollbook_domain::ProcessorName;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::declare::{self, look};
use crate::depths::ready;
use crate::queue::Shared;
use crate::trouble::{Trouble, answer};
use crate::wire::{Outgoing, brokers_count, forward};

/// Messages in hand at once.
const BATCH: u16 = 256;

/// How long the next message is waited for: another worker may have been quicker.
const NEXT: Duration = Duration::from_secs(1);

/// Times that a message is handed back before it is published anew, which the broker counts from zero.
/// It drops what it counts too often, however long the queue's limit.
pub(crate) const WORN: u32 = 100;

/// The channel of the last pass, while it is good.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Option<Channel>>);

/// One pass over what waits now; what another pass or worker has in hand waits for a later one.
/// `declared` are queues that this process needs: they are declared anew if they are gone.
pub(crate) async fn recover(
    connection: &Connection,
    shared: &Shared,
    declared: &[ProcessorName],
) -> Result<u64, Trouble> {
    let name = shared.topology.unrouted();
    let mut kept = shared.recovering.0.lock().await;
    let waiting = ready(connection, &name).await?;
    if waiting == 0 {
        return Ok(0);
    }
    for queue in declared {
        declare::queues(connection, &shared.topology, queue.as_str()).await?;
    }
    let channel = match kept.take().filter(|channel| channel.status().connected()) {
        Some(channel) => channel,
        None => declare::throw_away(connection).await?,
    };
    let mut pass = Pass { connection, shared, channel: &channel, known: BTreeMap::new() };
    let mut stream = pass.consume(&name).await?;
    let moved = pass.run(&mut stream, waiting).await;
    let handed_back = pass.hand_back(stream.tag()).await;
    if handed_back.is_ok() {
        *kept = Some(channel);
    }
    moved.and_then(|moved| handed_back.map(|()| moved))
}

struct Pass<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    channel: &'a Channel,
    /// Whether a queue of this key exists.
    known: BTreeMap<String, bool>,
}

/// A message in hand.
struct Found {
    tag: u64,
    outgoing: Outgoing,
    /// Handed back so often that it should be published anew.
    worn: bool,
}

impl Found {
    fn read(received: Received) -> Self {
        let (tag, worn) = (received.delivery_tag, brokers_count(&received) >= WORN);
        Self { tag, outgoing: forward(received), worn }
    }
}

impl Pass<'_> {
    async fn consume(&self, name: &str) -> Result<Stream, Trouble> {
        answer("basic.qos", self.channel.basic_qos(BATCH, BasicQosOptions::default())).await?;
        let options = BasicConsumeOptions::default();
        let consume = self.channel.basic_consume(name.into(), "".into(), options, FieldTable::default());
        answer("basic.consume", consume).await
    }

    async fn run(&mut self, stream: &mut Stream, waiting: u64) -> Result<u64, Trouble> {
        let (mut left, mut moved) = (waiting, 0);
        while left > 0 {
            let batch = take(stream, usize::try_from(left).unwrap_or(usize::MAX)).await?;
            if batch.is_empty() {
                break;
            }
            left = left.saturating_sub(batch.len() as u64);
            moved += self.move_batch(batch, left > 0).await?;
        }
        Ok(moved)
    }

    /// Publishes those whose queue exists. The others stay in hand, or go to the end when more stands
    /// behind them or they were handed back too often.
    async fn move_batch(&mut self, batch: Vec<Found>, more: bool) -> Result<u64, Trouble> {
        let mut homeless = BTreeSet::new();
        for found in &batch {
            if !self.exists(&found.outgoing.key).await? {
                homeless.insert(found.tag);
            }
        }
        let sent: Vec<_> =
            batch.into_iter().filter(|found| more || found.worn || !homeless.contains(&found.tag)).collect();
        let fates = self.shared.publishing.publish(sent.iter().map(|found| found.outgoing.clone()).collect()).await;
        let (mut moved, mut stored) = (0, Ok(()));
        for (Found { tag, .. }, fate) in sent.iter().zip(fates) {
            if let Err(trouble) = fate {
                stored = Err(trouble);
                continue;
            }
            answer("basic.ack", self.channel.basic_ack(*tag, BasicAckOptions::default())).await?;
            moved += u64::from(!homeless.contains(tag));
        }
        stored.map(|()| moved)
    }

    async fn exists(&mut self, key: &str) -> Result<bool, Trouble> {
        if let Some(known) = self.known.get(key) {
            return Ok(*known);
        }
        let exists = look(self.connection, &self.shared.topology.name(key)).await?.is_some();
        self.known.insert(key.to_owned(), exists);
        Ok(exists)
    }

    /// Ends consuming, and gives back everything that was not acknowledged.
    async fn hand_back(&self, consumer: ShortString) -> Result<(), Trouble> {
        answer("basic.cancel", self.channel.basic_cancel(consumer, BasicCancelOptions::default())).await?;
        let (everything, options) = (0, BasicNackOptions { multiple: true, requeue: true });
        answer("basic.nack", self.channel.basic_nack(everything, options)).await
    }
}

/// The next batch of at most `left`; fewer, or none, when no more come in time.
async fn take(stream: &mut Stream, left: usize) -> Result<Vec<Found>, Trouble> {
    let mut batch = Vec::new();
    while batch.len() < left.min(usize::from(BATCH)) {
        let Ok(Some(received)) = timeout(NEXT, stream.next()).await else { break };
        batch.push(Found::read(received?));
    }
    Ok(batch)
}
