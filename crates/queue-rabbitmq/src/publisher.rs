//! Publishing: one task owns the one publishing channel.
//!
//! The library hands out a delivery tag under one lock and writes the frames under another, so two
//! tasks on one channel can receive each other's confirms. Here callers send their messages to the
//! task, which keeps a window of them unconfirmed and answers each when its confirm is an ack.
//!
//! A message whose outcome is unknown (the channel died, the broker is silent) is published again on
//! a new channel with the same id, until its patience ends. That may store it twice, which every
//! effect's key absorbs; answering for something that was not stored could not be made good.
//!
//! A message that the broker closes the channel for (longer than it takes) must not take its
//! neighbours along: after such an end they go one by one, and the one that does it alone is refused.
//!
//! A channel that the broker refuses a message on is replaced soon. A queue that is full refuses on any
//! channel; but where the node that led a queue is lost, a channel that first publishes to the queue
//! before another node leads it refuses for as long as the lost node stays away (seen with 3.10).

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{Channel, Confirmation};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::declare::{self, base, soft};
use crate::link::{Link, State, Up};
use crate::topology::Topology;
use crate::trouble::{Trouble, answer};
use crate::wire::Outgoing;

/// Messages that wait for their confirm. More only makes each wait longer.
const WINDOW: usize = 500;

/// Messages that wait for the window. Whoever finds it full waits: back-pressure.
const WAITING: usize = 1_024;

/// How old a channel is at least when it is replaced for a refusal: a queue that is full goes on refusing.
const REPLACED: Duration = Duration::from_secs(1);

/// A broken session is not followed by the next at once.
const BREATH: Duration = Duration::from_millis(100);

/// The way to the publisher task. Clones share it.
#[derive(Clone)]
pub(crate) struct Publishing {
    jobs: mpsc::Sender<Job>,
    link: Link,
    patience: Duration,
}

struct Job {
    outgoing: Arc<Outgoing>,
    until: Instant,
    reply: oneshot::Sender<Result<(), Trouble>>,
}

impl Publishing {
    /// Starts the task. It ends when the link is closed.
    pub(crate) fn start(link: Link, topology: Arc<Topology>, patience: Duration) -> Self {
        let (jobs, inbox) = mpsc::channel(WAITING);
        let exchange = topology.events().into();
        let task = Task {
            link: link.clone(),
            topology,
            exchange,
            inbox,
            again: VecDeque::new(),
            flying: HashMap::new(),
            last: 0,
            careful: false,
            refused: false,
            trouble: Trouble::NotYet,
        };
        tokio::spawn(task.run());
        Self { jobs, link, patience }
    }

    /// Publishes each, and tells each one's fate in the same order. A broker that is away or has an
    /// alarm is told at once.
    pub(crate) async fn publish(&self, messages: Vec<Outgoing>) -> Vec<Result<(), Trouble>> {
        if let Err(trouble) = self.ready() {
            return messages.iter().map(|_| Err(trouble.clone())).collect();
        }
        let until = Instant::now() + self.patience;
        let mut replies = Vec::with_capacity(messages.len());
        for outgoing in messages {
            replies.push(self.send(Arc::new(outgoing), until).await);
        }
        let mut fates = Vec::with_capacity(replies.len());
        for reply in replies {
            fates.push(match reply {
                Ok(reply) => reply.await.unwrap_or(Err(Trouble::Closed)),
                Err(trouble) => Err(trouble),
            });
        }
        fates
    }

    fn ready(&self) -> Result<(), Trouble> {
        match self.link.up()?.alarm {
            Some(alarm) => Err(Trouble::Alarm(alarm)),
            None => Ok(()),
        }
    }

    async fn send(
        &self,
        outgoing: Arc<Outgoing>,
        until: Instant,
    ) -> Result<oneshot::Receiver<Result<(), Trouble>>, Trouble> {
        let (reply, fate) = oneshot::channel();
        let sent = timeout_at(until, self.jobs.send(Job { outgoing, until, reply })).await;
        sent.map_err(|_| Trouble::Late("room in the window"))?.map_err(|_| Trouble::Closed)?;
        Ok(fate)
    }
}

/// What became of one publish.
enum Landing {
    Acked,
    Nacked,
    /// Returned, or told of another's return: only the ids of what was returned count.
    Returned(Box<BasicReturnMessage>),
    Unknown(Trouble),
}

struct Task {
    link: Link,
    topology: Arc<Topology>,
    exchange: ShortString,
    inbox: mpsc::Receiver<Job>,
    /// Of unknown outcome.
    again: VecDeque<Job>,
    flying: HashMap<u64, Job>,
    last: u64,
    /// The broker closed the last channel for one of these messages: they go one by one.
    careful: bool,
    /// The broker refused a message on this channel.
    refused: bool,
    /// Why the last session ended.
    trouble: Trouble,
}

type Flights = FuturesUnordered<BoxFuture<'static, (u64, Landing)>>;

impl Task {
    async fn run(mut self) {
        let mut rest = Instant::now();
        while let Some(up) = self.wait(rest).await {
            let number = up.number;
            let Err(trouble) = self.session(up).await else { continue };
            tracing::debug!(%trouble, "the publishing channel ended");
            if matches!(trouble, Trouble::Late(_)) {
                self.link.doubt(number);
            }
            self.trouble = trouble;
            rest = Instant::now() + BREATH;
        }
        self.refuse(&Trouble::Closed);
    }

    /// Until there is a connection that takes messages; meanwhile nobody waits longer than they
    /// would. Nothing when the link is closed.
    async fn wait(&mut self, rest: Instant) -> Option<Up> {
        loop {
            let resting = Instant::now() < rest;
            match self.link.now() {
                State::Closed => return None,
                State::Up(Up { alarm: Some(alarm), .. }) => self.refuse(&Trouble::Alarm(alarm)),
                State::Up(up) if !resting => return Some(up),
                State::Up(_) => {}
                State::Away(trouble) => self.trouble = trouble,
            }
            self.expire();
            let first = self.again.iter().map(|job| job.until).min();
            let wake = if resting { Some(rest) } else { None }.into_iter().chain(first).min();
            tokio::select! {
                () = self.link.changed() => {}
                () = sleep_until(wake.unwrap_or(rest)), if wake.is_some() => {}
                Some(job) = self.inbox.recv() => self.again.push_back(job),
            }
        }
    }

    /// Publishes on one channel until something goes wrong.
    async fn session(&mut self, up: Up) -> Result<(), Trouble> {
        base(&up.connection, &self.topology).await?;
        let channel = answer("channel.open", up.connection.create_channel()).await?;
        answer("confirm.select", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let mut flights = Flights::new();
        let ended = self.fly(&channel, &mut flights, up.number).await;
        drop(flights);
        self.again.extend(self.flying.drain().map(|(_, job)| job));
        tokio::spawn(async move { declare::close(&channel).await });
        ended
    }

    async fn fly(&mut self, channel: &Channel, flights: &mut Flights, number: u64) -> Result<(), Trouble> {
        let began = Instant::now();
        self.refused = false;
        loop {
            self.careful &= !(self.again.is_empty() && flights.is_empty());
            let leaving = self.refused && began.elapsed() > REPLACED;
            if leaving && flights.is_empty() {
                return Err(Trouble::Refused);
            }
            let window = if leaving {
                0
            } else if self.careful {
                1
            } else {
                WINDOW
            };
            while flights.len() < window
                && let Some(job) = self.again.pop_front()
            {
                self.launch(channel, flights, job);
            }
            let room = flights.len() < window;
            tokio::select! {
                Some(first) = flights.next() => {
                    let mut landed = vec![first];
                    // All that has landed: see `land`.
                    while let Some(Some(next)) = flights.next().now_or_never() {
                        landed.push(next);
                    }
                    self.land(landed)?;
                }
                job = self.inbox.recv(), if room => match job {
                    Some(job) => self.launch(channel, flights, job),
                    // Whoever waits for a fate holds a sender, so nobody waits.
                    None => return Err(Trouble::Closed),
                },
                () = self.link.changed() => match self.link.up() {
                    Ok(Up { alarm: Some(alarm), .. }) => return Err(Trouble::Alarm(alarm)),
                    Ok(up) if up.number != number => return Err(Trouble::Lost),
                    Ok(_) => {}
                    Err(trouble) => return Err(trouble),
                },
            }
        }
    }

    fn launch(&mut self, channel: &Channel, flights: &mut Flights, job: Job) {
        self.last += 1;
        let (channel, exchange) = (channel.clone(), self.exchange.clone());
        let (number, outgoing, until) = (self.last, Arc::clone(&job.outgoing), job.until);
        let flight = async move {
            let published = timeout_at(until, publish(&channel, exchange, &outgoing)).await;
            (number, published.unwrap_or(Landing::Unknown(Trouble::Late("confirm"))))
        };
        self.flying.insert(self.last, job);
        flights.push(flight.boxed());
    }

    /// Answers those that landed together. The library gives a returned message to whichever confirm
    /// completes next, but never to a later one than its own. So all that has landed is looked at
    /// before anybody is answered, and the ids of the returned messages decide.
    fn land(&mut self, landed: Vec<(u64, Landing)>) -> Result<(), Trouble> {
        let single = self.flying.len() == 1;
        let returned: HashSet<(String, String)> = landed.iter().filter_map(|(_, landing)| returned(landing)).collect();
        let mut ended = Ok(());
        for (number, landing) in landed {
            let Some(job) = self.flying.remove(&number) else { continue };
            match landing {
                Landing::Acked if returned.is_empty() || !returned.contains(&ids(&job.outgoing)) => {
                    drop(job.reply.send(Ok(())));
                }
                Landing::Nacked => {
                    self.refused = true;
                    drop(job.reply.send(Err(Trouble::Refused)));
                }
                Landing::Unknown(trouble) => {
                    let refused = matches!(&trouble, Trouble::Broken(error) if soft(error).is_some());
                    self.careful |= refused;
                    if refused && single {
                        drop(job.reply.send(Err(trouble.clone())));
                    } else {
                        self.again.push_back(job);
                    }
                    ended = Err(trouble);
                }
                Landing::Acked | Landing::Returned(_) => {
                    self.again.push_back(job);
                    ended = Err(Trouble::Returned);
                }
            }
        }
        ended
    }

    /// Tells those whose patience has ended.
    fn expire(&mut self) {
        let now = Instant::now();
        for job in std::mem::take(&mut self.again) {
            if job.until > now {
                self.again.push_back(job);
            } else {
                drop(job.reply.send(Err(self.trouble.clone())));
            }
        }
    }

    fn refuse(&mut self, trouble: &Trouble) {
        while let Ok(job) = self.inbox.try_recv() {
            self.again.push_back(job);
        }
        for job in self.again.drain(..) {
            drop(job.reply.send(Err(trouble.clone())));
        }
    }
}

async fn publish(channel: &Channel, exchange: ShortString, outgoing: &Outgoing) -> Landing {
    // Mandatory although there is an alternate exchange: should its queue be gone, we are told.
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let (key, properties) = (outgoing.key.as_str().into(), outgoing.properties.clone());
    let confirmed = match channel.basic_publish(exchange, key, options, &outgoing.body, properties).await {
        Ok(confirm) => confirm.await,
        Err(error) => Err(error),
    };
    match confirmed {
        Ok(Confirmation::Ack(None)) => Landing::Acked,
        Ok(Confirmation::Nack(None)) => Landing::Nacked,
        Ok(Confirmation::Ack(Some(message)) | Confirmation::Nack(Some(message))) => {
            Landing::Returned(Box::new(message))
        }
        Ok(Confirmation::NotRequested) => Landing::Unknown(Trouble::Unconfirmed),
        Err(error) => Landing::Unknown(error.into()),
    }
}

/// What tells one message in the window from another.
fn ids(outgoing: &Outgoing) -> (String, String) {
    let id = outgoing.properties.message_id().as_ref().map(ToString::to_string);
    (id.unwrap_or_default(), outgoing.key.clone())
}

fn returned(landing: &Landing) -> Option<(String, String)> {
    let Landing::Returned(message) = landing else { return None };
    let id = message.delivery.properties.message_id().as_ref().map(ToString::to_string);
    Some((id.unwrap_or_default(), message.delivery.routing_key.to_string()))
}
