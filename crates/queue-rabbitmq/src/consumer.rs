//! One consumer, as the worker sees it.
//!
//! Each session is a channel with a task of its own. When it ends, whatever the reason, the caller is
//! told once and the next `receive` begins another: what was unsettled comes again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::Channel;
use rollbook_domain::ProcessorName;
use rollbook_queue::{Consumer, DEAD_LETTERS, Delivery, DeliveryTag, QueueError, Settled, Settlement};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use crate::inbox::Inbox;
use crate::link::Up;
use crate::pump::{Command, Hands, Pump};
use crate::queue::Shared;
use crate::trouble::{Trouble, answer};
use crate::wire::{Outgoing, Parcel};

/// A tag of the port is the broker's, with the session's number above these bits.
const TAG_BITS: u32 = 44;

/// How long a settlement waits for a broker that takes no messages. Far below the broker's own limit
/// (30 minutes), and long, because giving up makes every delivery in hand look as if it had failed.
const SETTLE_PATIENCE: Duration = Duration::from_mins(10);

/// Between two tries of it.
const SETTLE_PAUSE: Duration = Duration::from_millis(500);

pub(crate) struct RabbitConsumer {
    shared: Arc<Shared>,
    queue: ProcessorName,
    session: Option<Session>,
    sessions: u64,
}

/// What reaches a consumer's task from outside.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) inbox: Arc<Inbox>,
    commands: mpsc::UnboundedSender<Command>,
}

impl Session {
    /// Sends a command and waits until it is done.
    pub(crate) async fn done(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) -> Result<(), Trouble> {
        let (done, ended) = oneshot::channel();
        drop(self.commands.send(command(done)));
        ended.await.map_err(|_| self.ended())
    }

    fn ended(&self) -> Trouble {
        self.inbox.contents().ended.clone().unwrap_or(Trouble::Ended)
    }

    /// Wakes a task that consumes nothing.
    fn consume(&self) {
        if std::mem::take(&mut self.inbox.contents().idle) {
            drop(self.commands.send(Command::Consume));
        }
    }
}

impl RabbitConsumer {
    pub(crate) async fn open(shared: Arc<Shared>, queue: ProcessorName) -> Result<Self, Trouble> {
        let mut consumer = Self { shared, queue, session: None, sessions: 0 };
        consumer.session().await?;
        Ok(consumer)
    }

    async fn session(&mut self) -> Result<Session, Trouble> {
        if let Some(session) = &self.session {
            return Ok(session.clone());
        }
        let session = self.begin().await?;
        self.sessions += 1;
        self.shared.sessions.add(&self.queue, &session.inbox, &session.commands);
        self.session = Some(session.clone());
        Ok(session)
    }

    async fn begin(&self) -> Result<Session, Trouble> {
        let up = self.shared.consuming.up()?;
        let channel = self.channel(&up).await.inspect_err(|trouble| {
            if matches!(trouble, Trouble::Late(_)) {
                self.shared.consuming.doubt(up.number);
            }
        })?;
        Ok(self.pump(channel, up.number))
    }

    async fn channel(&self, up: &Up) -> Result<Channel, Trouble> {
        self.shared.ensure(&up.connection, &self.queue).await?;
        answer("channel.open", up.connection.create_channel()).await
    }

    fn pump(&self, channel: Channel, connection: u64) -> Session {
        let (commands, obeyed) = mpsc::unbounded_channel();
        let inbox = Arc::<Inbox>::default();
        inbox.contents().idle = true;
        let pump = Pump {
            channel,
            queue: self.queue.clone(),
            name: self.shared.topology.name(self.queue.as_str()),
            widest: self.shared.prefetch,
            commands: obeyed,
            inbox: Arc::clone(&inbox),
            publishing: self.shared.publishing.clone(),
            clock: Arc::clone(&self.shared.clock),
            closed: self.shared.closed.clone(),
            link: self.shared.consuming.clone(),
            connection,
            hands: Hands::default(),
        };
        tokio::spawn(pump.run());
        Session { inbox, commands }
    }

    fn port_tag(&self, tag: u64) -> DeliveryTag {
        DeliveryTag(self.sessions << TAG_BITS | tag)
    }

    /// The broker's tag, if it is of this session.
    fn broker_tag(&self, tag: DeliveryTag) -> Option<u64> {
        let (session, tag) = (tag.0 >> TAG_BITS, tag.0 & ((1 << TAG_BITS) - 1));
        (session == self.sessions).then_some(tag)
    }

    /// What is in hand now, or the reason why nothing will come.
    fn take(&mut self, session: &Session, max: usize) -> Result<Vec<Delivery>, Trouble> {
        let mut contents = session.inbox.contents();
        if let Some(trouble) = contents.ended.clone() {
            self.session = None;
            return Err(trouble);
        }
        let taken = contents.take(max);
        Ok(taken.into_iter().map(|(tag, parcel)| parcel.delivery(self.port_tag(tag))).collect())
    }

    /// What is to be published before these can be acknowledged; and the tags without such.
    fn sort(&self, session: &Session, settled: Vec<Settled>) -> (BTreeSet<u64>, BTreeMap<u64, Vec<Outgoing>>) {
        let (mut plain, mut owing) = (BTreeSet::new(), BTreeMap::new());
        let contents = session.inbox.contents();
        for Settled { tag, settlement } in settled {
            let Some(tag) = self.broker_tag(tag) else { continue };
            let Some(parcel) = contents.out.get(&tag) else { continue };
            let messages = self.messages(parcel, settlement);
            if messages.is_empty() {
                plain.insert(tag);
            } else {
                owing.insert(tag, messages);
            }
        }
        (plain, owing)
    }

    fn messages(&self, parcel: &Parcel, settlement: Settlement) -> Vec<Outgoing> {
        let now = (self.shared.clock)();
        let fresh = || Parcel::new(parcel.envelope.clone(), parcel.redecide, now);
        let letters = settlement.dead_letters.into_iter();
        let letter = |failure| Parcel { failure: Some(failure), ..fresh() }.outgoing(DEAD_LETTERS.to_owned());
        let later = settlement.retry.map(|retry| {
            let key = self.shared.topology.retry_key(self.queue.as_str(), retry.after);
            Parcel { attempts: retry.attempts, redeliveries: 0, ..parcel.clone() }.outgoing(key)
        });
        letters.map(letter).chain(later).collect()
    }

    /// Publishes what is owed, and acknowledges each delivery whose copies are all stored.
    async fn pay(
        &self,
        session: &Session,
        owing: BTreeMap<u64, Vec<Outgoing>>,
        mut paid: BTreeSet<u64>,
    ) -> Result<(), Trouble> {
        let mut owed: Vec<(u64, Outgoing)> =
            owing.into_iter().flat_map(|(tag, messages)| messages.into_iter().map(move |one| (tag, one))).collect();
        let until = Instant::now() + SETTLE_PATIENCE;
        loop {
            let tags: BTreeSet<u64> = owed.iter().map(|(tag, _)| *tag).collect();
            let fates = self.shared.publishing.publish(owed.iter().map(|(_, message)| message.clone()).collect()).await;
            let trouble = fates.iter().find_map(|fate| fate.as_ref().err().cloned());
            let mut stored = fates.into_iter().map(|fate| fate.is_ok());
            owed.retain(|_| !stored.next().unwrap_or(false));
            paid.extend(tags.into_iter().filter(|tag| owed.iter().all(|(owing, _)| owing != tag)));
            self.ack(session, std::mem::take(&mut paid)).await?;
            match trouble {
                None => return Ok(()),
                Some(trouble) if Instant::now() >= until => return Err(trouble),
                Some(_) => sleep(SETTLE_PAUSE).await,
            }
        }
    }

    /// Also tells whether the session still lives, so an empty set is sent too.
    async fn ack(&self, session: &Session, tags: BTreeSet<u64>) -> Result<(), Trouble> {
        session.done(|done| Command::Ack(tags.clone(), done)).await?;
        session.inbox.contents().out.retain(|tag, _| !tags.contains(tag));
        Ok(())
    }

    /// The session of what was handed out; it cannot be settled in another.
    fn held(&self) -> Result<Session, Trouble> {
        self.session.clone().ok_or(Trouble::Lost)
    }
}

#[async_trait]
impl Consumer for RabbitConsumer {
    async fn receive(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let until = Instant::now().checked_add(wait);
        let session = self.session().await?;
        loop {
            let mut arrived = std::pin::pin!(session.inbox.arrived.notified());
            arrived.as_mut().enable();
            let taken = self.take(&session, max)?;
            if !taken.is_empty() || max == 0 {
                return Ok(taken);
            }
            session.consume();
            match until {
                Some(until) if Instant::now() >= until => return Ok(taken),
                Some(until) => tokio::select! { () = arrived => {}, () = sleep_until(until) => {} },
                None => arrived.await,
            }
        }
    }

    async fn settle(&mut self, settled: Vec<Settled>) -> Result<(), QueueError> {
        let session = self.held()?;
        let (plain, owing) = self.sort(&session, settled);
        if owing.is_empty() {
            return Ok(self.ack(&session, plain).await?);
        }
        Ok(self.pay(&session, owing, plain).await?)
    }

    async fn release(&mut self, tags: Vec<DeliveryTag>) -> Result<(), QueueError> {
        let session = self.held()?;
        let tags: BTreeSet<u64> = tags.into_iter().filter_map(|tag| self.broker_tag(tag)).collect();
        let held: BTreeSet<u64> =
            session.inbox.contents().out.keys().copied().filter(|tag| tags.contains(tag)).collect();
        session.done(|done| Command::Requeue(held.clone(), done)).await?;
        session.inbox.contents().out.retain(|tag, _| !held.contains(tag));
        Ok(())
    }
}
