//! Moving back what found no queue.
//!
//! A queue that was deleted, or is not declared yet, costs nothing: its messages wait in `unrouted`
//! under the routing key they had, and are published again once a queue of that name exists.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt as _;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection};
use rollbook_domain::ProcessorName;
use tokio::time::timeout;

use crate::declare::{self, look};
use crate::depths::ready;
use crate::queue::Shared;
use crate::trouble::{ANSWER, Trouble, answer};
use crate::wire::{Outgoing, forward};

/// Messages in hand at once.
const BATCH: u16 = 256;

/// One pass over what waits now. `declared` are queues that this process needs: they are declared anew
/// if they are gone.
pub(crate) async fn recover(
    connection: &Connection,
    shared: &Shared,
    declared: &[ProcessorName],
) -> Result<u64, Trouble> {
    let name = shared.topology.unrouted();
    let waiting = ready(connection, &name).await?;
    if waiting == 0 {
        return Ok(0);
    }
    for queue in declared {
        declare::queues(connection, &shared.topology, queue.as_str()).await?;
    }
    let channel = declare::throw_away(connection).await?;
    let moved = Pass { connection, shared, channel: &channel, known: BTreeMap::new() }.run(&name, waiting).await;
    // What is still in hand goes back with the channel.
    declare::close(&channel).await;
    moved
}

struct Pass<'a> {
    connection: &'a Connection,
    shared: &'a Shared,
    channel: &'a Channel,
    /// Whether a queue of this key exists.
    known: BTreeMap<String, bool>,
}

impl Pass<'_> {
    async fn run(&mut self, name: &str, waiting: u64) -> Result<u64, Trouble> {
        answer("basic.qos", self.channel.basic_qos(BATCH, BasicQosOptions::default())).await?;
        let consume = BasicConsumeOptions::default();
        let consume = self.channel.basic_consume(name.into(), "".into(), consume, FieldTable::default());
        let mut stream = answer("basic.consume", consume).await?;
        let (mut left, mut moved) = (waiting, 0);
        while left > 0 {
            let mut batch = BTreeMap::new();
            while batch.len() < usize::from(BATCH).min(usize::try_from(left).unwrap_or(usize::MAX)) {
                // Another worker may have been quicker.
                let Ok(Some(received)) = timeout(ANSWER / 5, stream.next()).await else { break };
                let received = received?;
                batch.insert(received.delivery_tag, forward(received));
            }
            if batch.is_empty() {
                break;
            }
            left = left.saturating_sub(batch.len() as u64);
            moved += self.move_batch(batch, left > 0).await?;
        }
        Ok(moved)
    }

    /// Publishes those whose queue exists. The others stay where they are, or go to the end when more
    /// stands behind them.
    async fn move_batch(&mut self, batch: BTreeMap<u64, Outgoing>, more: bool) -> Result<u64, Trouble> {
        let mut homeless = BTreeSet::new();
        for (tag, outgoing) in &batch {
            if !self.exists(&outgoing.key).await? {
                homeless.insert(*tag);
            }
        }
        let sent: Vec<_> = batch.into_iter().filter(|(tag, _)| more || !homeless.contains(tag)).collect();
        let fates = self.shared.publishing.publish(sent.iter().map(|(_, outgoing)| outgoing.clone()).collect()).await;
        let mut moved = 0;
        for ((tag, _), fate) in sent.iter().zip(fates) {
            fate?;
            answer("basic.ack", self.channel.basic_ack(*tag, BasicAckOptions::default())).await?;
            moved += u64::from(!homeless.contains(tag));
        }
        if !more {
            for tag in homeless {
                let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
                answer("basic.nack", self.channel.basic_nack(tag, requeue)).await?;
            }
        }
        Ok(moved)
    }

    async fn exists(&mut self, key: &str) -> Result<bool, Trouble> {
        if let Some(known) = self.known.get(key) {
            return Ok(*known);
        }
        let exists = look(self.connection, &self.shared.topology.name(key)).await?.is_some();
        self.known.insert(key.to_owned(), exists);
        Ok(exists)
    }
}
