//! What waits. A broker tells only what is ready; this process knows besides what it holds itself.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use lapin::Connection;
use rollbook_domain::ProcessorName;
use rollbook_queue::QueueDepth;
use tokio::sync::{mpsc, oneshot};

use crate::declare::look;
use crate::inbox::Inbox;
use crate::pump::Command;
use crate::topology::Topology;
use crate::trouble::Trouble;

/// The consumers of this process, for as long as they live.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<Vec<One>>);

#[derive(Clone)]
struct One {
    queue: ProcessorName,
    inbox: Weak<Inbox>,
    commands: mpsc::WeakUnboundedSender<Command>,
}

impl Sessions {
    pub(crate) fn add(&self, queue: &ProcessorName, inbox: &Arc<Inbox>, commands: &mpsc::UnboundedSender<Command>) {
        let one = One { queue: queue.clone(), inbox: Arc::downgrade(inbox), commands: commands.downgrade() };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|one| one.inbox.strong_count() > 0);
        all.push(one);
    }

    /// In hand and not handed out, and handed out, of one queue.
    async fn count(&self, queue: &ProcessorName) -> (u64, u64) {
        let all: Vec<One> = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (mut ready, mut out) = (0, 0);
        for one in all.iter().filter(|one| one.queue == *queue) {
            let (done, looked) = oneshot::channel();
            if one.commands.upgrade().is_some_and(|commands| commands.send(Command::Look(done)).is_ok()) {
                drop(looked.await);
            }
            let Some(inbox) = one.inbox.upgrade() else { continue };
            let contents = inbox.contents();
            if contents.ended.is_none() {
                ready += contents.ready.len() as u64;
                out += contents.out.len() as u64;
            }
        }
        (ready, out)
    }
}

/// Nothing is known of ages, so `oldest_age_s` is 0.
pub(crate) async fn depth(
    connection: &Connection,
    topology: &Topology,
    sessions: &Sessions,
    queue: &ProcessorName,
) -> Result<QueueDepth, Trouble> {
    let waiting = ready(connection, &topology.name(queue.as_str())).await?;
    let (in_hand, in_flight) = sessions.count(queue).await;
    let mut retrying = 0;
    for key in topology.retry_keys(queue.as_str()) {
        retrying += ready(connection, &topology.name(&key)).await?;
    }
    let ready = waiting + in_hand;
    Ok(QueueDepth { processor: queue.to_string(), ready, in_flight, retrying, oldest_age_s: 0 })
}

/// A queue that is not there holds nothing.
pub(crate) async fn ready(connection: &Connection, name: &str) -> Result<u64, Trouble> {
    Ok(look(connection, name).await?.map_or(0, |queue| queue.message_count().into()))
}
