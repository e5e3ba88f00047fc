//! The task that owns one consumer's channel: it takes in, marks as settled and hands back.
//!
//! A process that dies costs every delivery in its hands a redelivery, so what may be the cause (a
//! *suspect*, redelivered three times) must be in its hands alone. Three rules see to that:
//!
//! 1. Consuming starts with a prefetch of 1 and widens only when that was too narrow and no suspect
//!    came. What killed the last process stands at the head of the queue, so the next one takes it in
//!    and nothing else.
//! 2. When one suspect comes among others, consuming stops. The other suspects are published anew
//!    with their count and only then acknowledged: handing them back would count, and the innocent
//!    ones would soon look as guilty. The neighbours are worked off first.
//! 3. The suspect is handed out when nothing else is unsettled, and consuming starts again at 1 when
//!    it is settled.
//!
//! A cancelled consumer costs what is on its way to us a redelivery too, so consuming stops only when
//! nothing is: see `settle_down`.
//!
//! Rejected: a second queue for suspects (another thing to watch, drain and name), and a plain requeue
//! of the neighbours (the broker counts it until 4.2).

use std::collections::{BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::Delivery as Received;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, Consumer as Stream};
use rollbook_domain::{Clock, ProcessorName};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::declare;
use crate::inbox::{Inbox, suspect};
use crate::link::Link;
use crate::publisher::Publishing;
use crate::settle::{Marks, mark};
use crate::trouble::{ANSWER, Trouble, answer};
use crate::wire::{Parcel, read};

/// Each step takes in this many times more than the last.
const WIDER: u16 = 8;

/// How long a queue is waited for that has more to send and does not.
const SETTLE_DOWN: Duration = Duration::from_secs(2);

/// Between two looks at it: about as long as it takes to write an acknowledgement to its disk.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How long what the broker sent before it heard of the end may still come.
const LAST_WORDS: Duration = ANSWER;

pub(crate) enum Command {
    /// Somebody wants deliveries.
    Consume,
    Ack(BTreeSet<u64>, oneshot::Sender<()>),
    /// These, and everything that is not handed out.
    Requeue(BTreeSet<u64>, oneshot::Sender<()>),
    /// Answers when all that the broker sent so far is in the inbox.
    Look(oneshot::Sender<()>),
}

pub(crate) struct Pump {
    pub(crate) channel: Channel,
    pub(crate) queue: ProcessorName,
    /// The queue's name at the broker.
    pub(crate) name: String,
    /// The widest prefetch.
    pub(crate) widest: u16,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) publishing: Publishing,
    pub(crate) clock: Clock,
    pub(crate) closed: CancellationToken,
    /// The connection of the channel, and its number.
    pub(crate) link: Link,
    pub(crate) connection: u64,
    pub(crate) hands: Hands,
}

#[derive(Default)]
pub(crate) struct Hands {
    stream: Option<Stream>,
    prefetch: u16,
    /// The last tag before this stream began.
    before: u64,
    /// The last tag so far, and whether it is a suspect's.
    last: u64,
    suspicious: bool,
    unsettled: BTreeSet<u64>,
    /// The suspect that must be settled before anything else is consumed.
    alone: Option<u64>,
    /// Unsettled, and not in the inbox.
    suspects: VecDeque<(u64, Arc<Parcel>)>,
}

impl Hands {
    /// Whether the broker can send nothing more before we settle something: no acknowledgement that
    /// it may not have read yet is counted here.
    fn full(&self) -> bool {
        self.unsettled.range(self.before + 1..).count() >= usize::from(self.prefetch)
    }
}

impl Pump {
    pub(crate) async fn run(mut self) {
        let ended = self.serve().await;
        if let Err(trouble) = ended {
            tracing::debug!(queue = %self.queue, %trouble, "a consumer ended");
            if matches!(trouble, Trouble::Late(_)) {
                self.link.doubt(self.connection);
            }
            self.inbox.end(trouble);
        }
        // What is unsettled goes back with the channel.
        declare::close(&self.channel).await;
    }

    /// `Ok` when the consumer is gone.
    async fn serve(&mut self) -> Result<(), Trouble> {
        let closed = self.closed.clone();
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command).await?,
                    None => return Ok(()),
                },
                received = next(&mut self.hands.stream) => {
                    self.accept(received.ok_or(Trouble::Ended)??);
                    self.accept_more()?;
                }
                () = closed.cancelled() => return Err(Trouble::Closed),
            }
            self.steer().await?;
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), Trouble> {
        match command {
            // `steer` begins.
            Command::Consume => {}
            Command::Ack(tags, done) => {
                let marks = mark(&mut self.hands.unsettled, &tags);
                self.ack(marks).await?;
                let _ = done.send(());
            }
            Command::Requeue(tags, done) => {
                self.hand_back(tags).await?;
                let _ = done.send(());
            }
            Command::Look(done) => {
                // The broker answers after all that it sent before.
                answer("basic.qos", self.qos(self.hands.prefetch.max(1))).await?;
                self.accept_more()?;
                let _ = done.send(());
            }
        }
        Ok(())
    }

    fn accept(&mut self, received: Received) {
        let tag = received.delivery_tag;
        let parcel = Arc::new(read(received, (self.clock)()));
        let alone = self.hands.unsettled.is_empty();
        self.hands.unsettled.insert(tag);
        self.hands.last = tag;
        self.hands.suspicious = suspect(&parcel);
        if self.hands.suspicious && !(alone && self.hands.prefetch == 1) {
            self.hands.suspects.push_back((tag, parcel));
            return;
        }
        self.inbox.contents().ready.push_back((tag, parcel));
        self.inbox.arrived.notify_waiters();
    }

    /// What has come already.
    fn accept_more(&mut self) -> Result<(), Trouble> {
        while let Some(received) = next(&mut self.hands.stream).now_or_never() {
            self.accept(received.ok_or(Trouble::Ended)??);
        }
        Ok(())
    }

    /// Decides whether, and how widely, to consume.
    async fn steer(&mut self) -> Result<(), Trouble> {
        if !self.hands.suspects.is_empty() {
            self.stop().await?;
            self.part_suspects().await?;
            if self.hands.unsettled.len() == self.hands.suspects.len() {
                let alone = mem::take(&mut self.hands.suspects);
                self.hands.alone = alone.front().map(|(tag, _)| *tag);
                self.inbox.contents().ready.extend(alone);
                self.inbox.arrived.notify_waiters();
            }
        }
        let idle = self.inbox.contents().idle;
        let hands = &self.hands;
        let alone = !hands.suspects.is_empty() || hands.alone.is_some_and(|tag| hands.unsettled.contains(&tag));
        if hands.stream.is_none() && !alone && !idle {
            return self.start(1).await;
        }
        if hands.stream.is_some() && hands.prefetch < self.widest && !hands.suspicious && hands.full() {
            let wider = hands.prefetch.saturating_mul(WIDER).min(self.widest);
            self.stop().await?;
            return self.start(wider).await;
        }
        Ok(())
    }

    async fn start(&mut self, prefetch: u16) -> Result<(), Trouble> {
        answer("basic.qos", self.qos(prefetch)).await?;
        let (name, options) = (self.name.as_str().into(), BasicConsumeOptions::default());
        let consume = self.channel.basic_consume(name, "".into(), options, FieldTable::default());
        self.hands.stream = Some(answer("basic.consume", consume).await?);
        self.hands.prefetch = prefetch;
        self.hands.before = self.hands.last;
        Ok(())
    }

    fn qos(&self, prefetch: u16) -> impl Future<Output = Result<(), lapin::Error>> {
        self.channel.basic_qos(prefetch, BasicQosOptions::default())
    }

    /// Consumes no more, and takes in what was under way.
    async fn stop(&mut self) -> Result<(), Trouble> {
        self.settle_down().await?;
        let Some(mut stream) = self.hands.stream.take() else { return Ok(()) };
        answer("basic.cancel", self.channel.basic_cancel(stream.tag(), BasicCancelOptions::default())).await?;
        while let Some(received) = timeout(LAST_WORDS, stream.next()).await.map_err(|_| Trouble::Late("last words"))? {
            self.accept(received?);
        }
        Ok(())
    }

    /// Waits until nothing is on its way to us: the prefetch is used up, or the queue is empty and has
    /// answered after what it sent. Nothing is acknowledged meanwhile.
    async fn settle_down(&mut self) -> Result<(), Trouble> {
        let until = Instant::now() + SETTLE_DOWN;
        while self.hands.stream.is_some() && !self.hands.full() && Instant::now() < until {
            let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
            let look = self.channel.queue_declare(self.name.as_str().into(), passive, FieldTable::default());
            let waiting = answer("queue.declare", look).await?.message_count();
            answer("basic.qos", self.qos(self.hands.prefetch)).await?;
            self.accept_more()?;
            if waiting == 0 {
                break;
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// Keeps the first suspect; the others go to the end of the queue with the count they have.
    async fn part_suspects(&mut self) -> Result<(), Trouble> {
        if self.hands.suspects.len() < 2 {
            return Ok(());
        }
        let others = self.hands.suspects.split_off(1);
        let messages = others.iter().map(|(_, parcel)| parcel.outgoing(self.queue.to_string())).collect();
        let fates = self.publishing.publish(messages).await;
        let (mut stored, mut kept) = (BTreeSet::new(), BTreeSet::new());
        for ((tag, _), fate) in others.iter().zip(fates) {
            if fate.is_ok() {
                stored.insert(*tag)
            } else {
                kept.insert(*tag)
            };
        }
        let marks = mark(&mut self.hands.unsettled, &stored);
        self.ack(marks).await?;
        let marks = mark(&mut self.hands.unsettled, &kept);
        self.requeue(marks).await
    }

    async fn hand_back(&mut self, mut tags: BTreeSet<u64>) -> Result<(), Trouble> {
        self.inbox.contents().idle = true;
        self.stop().await?;
        tags.extend(mem::take(&mut self.hands.suspects).into_iter().map(|(tag, _)| tag));
        tags.extend(mem::take(&mut self.inbox.contents().ready).into_iter().map(|(tag, _)| tag));
        let marks = mark(&mut self.hands.unsettled, &tags);
        self.requeue(marks).await
    }

    async fn ack(&self, marks: Marks) -> Result<(), Trouble> {
        for (tag, multiple) in each(marks) {
            answer("basic.ack", self.channel.basic_ack(tag, BasicAckOptions { multiple })).await?;
        }
        Ok(())
    }

    async fn requeue(&self, marks: Marks) -> Result<(), Trouble> {
        for (tag, multiple) in each(marks) {
            let options = BasicNackOptions { multiple, requeue: true };
            answer("basic.nack", self.channel.basic_nack(tag, options)).await?;
        }
        Ok(())
    }
}

fn each(marks: Marks) -> impl Iterator<Item = (u64, bool)> {
    marks.up_to.into_iter().map(|tag| (tag, true)).chain(marks.single.into_iter().map(|tag| (tag, false)))
}

/// The next delivery; for ever nothing while nothing is consumed. A stream that ends is an event: the
/// queue was deleted, or its node is gone.
async fn next(stream: &mut Option<Stream>) -> Option<Result<Received, lapin::Error>> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}
