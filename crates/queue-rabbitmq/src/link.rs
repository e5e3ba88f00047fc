//! One connection that comes back by itself.
//!
//! A supervisor task connects to one of the nodes, watches the connection and starts again when it
//! is lost. No state survives a connection but what the broker keeps. The library's own recovery was
//! rejected: it knows one node only, gives up, and replays channels that nobody owns any more.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use futures_util::{Stream, StreamExt as _};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, Event};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::trouble::{ANSWER, Trouble, answer};

/// How often a connection is asked whether it still is one, should no event tell.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(crate) enum State {
    Away(Trouble),
    Up(Up),
    Closed,
}

#[derive(Clone)]
pub(crate) struct Up {
    pub(crate) connection: Arc<Connection>,
    /// Which of our connections this is, from 1.
    pub(crate) number: u64,
    /// The broker's alarm, while it reads nothing from this connection.
    pub(crate) alarm: Option<Arc<str>>,
}

/// Clones watch one connection.
#[derive(Clone)]
pub(crate) struct Link {
    state: watch::Receiver<State>,
    doubts: mpsc::UnboundedSender<u64>,
}

impl Link {
    /// `role` names the connection at the broker and in the log.
    pub(crate) fn start(role: &'static str, nodes: Vec<AMQPUri>, closed: CancellationToken) -> Self {
        let (state, watched) = watch::channel(State::Away(Trouble::NotYet));
        let (doubts, doubted) = mpsc::unbounded_channel();
        let supervisor = Supervisor { role, nodes, next: 0, connections: 0, state, doubted, closed };
        tokio::spawn(supervisor.run());
        Self { state: watched, doubts }
    }

    pub(crate) fn now(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits for another state.
    pub(crate) async fn changed(&mut self) {
        // The supervisor is gone only after it said `Closed`.
        drop(self.state.changed().await);
    }

    pub(crate) fn up(&self) -> Result<Up, Trouble> {
        match self.now() {
            State::Up(up) => Ok(up),
            State::Away(trouble) => Err(trouble),
            State::Closed => Err(Trouble::Closed),
        }
    }

    /// Until the first try has ended, well or badly.
    pub(crate) async fn tried(&mut self) {
        let tried = |state: &State| !matches!(state, State::Away(Trouble::NotYet));
        drop(self.state.wait_for(tried).await);
    }

    /// Says that this connection no longer answers: it is dropped for another one.
    pub(crate) fn doubt(&self, number: u64) {
        let _ = self.doubts.send(number);
    }
}

/// From 0.1 s to at most 5 s, jitter included (it adds up to the delay itself), for ever.
fn patient() -> ExponentialBackoff {
    let (least, most) = (Duration::from_millis(100), Duration::from_millis(2500));
    ExponentialBuilder::new().with_min_delay(least).with_max_delay(most).without_max_times().with_jitter().build()
}

struct Supervisor {
    role: &'static str,
    nodes: Vec<AMQPUri>,
    /// The node to try next: the one that was lost comes last.
    next: usize,
    connections: u64,
    state: watch::Sender<State>,
    doubted: mpsc::UnboundedReceiver<u64>,
    closed: CancellationToken,
}

impl Supervisor {
    async fn run(mut self) {
        let mut waits = patient();
        let mut well = true;
        while !self.closed.is_cancelled() {
            let began = Instant::now();
            match self.connect().await {
                Ok(connection) => {
                    tracing::info!(role = self.role, "connected to the broker");
                    self.hold(connection).await;
                    // One that did not live long is not come back to at once.
                    if began.elapsed() > ANSWER {
                        waits = patient();
                    }
                    well = true;
                }
                Err(trouble) => {
                    if std::mem::take(&mut well) {
                        tracing::warn!(role = self.role, error = %trouble, "the broker is away; trying until it is back");
                    }
                    self.state.send_replace(State::Away(trouble));
                }
            }
            let wait = waits.next().unwrap_or(ANSWER);
            self.closed.run_until_cancelled(sleep(wait)).await;
        }
        self.state.send_replace(State::Closed);
    }

    /// The first node that answers.
    async fn connect(&mut self) -> Result<Connection, Trouble> {
        let mut trouble = Trouble::NotYet;
        for _ in 0..self.nodes.len() {
            let node = self.nodes[self.next].clone();
            self.next = (self.next + 1) % self.nodes.len();
            let name = format!("rollbook {}", self.role);
            let properties = ConnectionProperties::default().with_connection_name(name.into());
            match answer("connect", Connection::connect_uri(node, properties)).await {
                Ok(connection) => return Ok(connection),
                Err(Trouble::Broken(error)) => trouble = Trouble::Away(error),
                Err(other) => trouble = other,
            }
        }
        Err(trouble)
    }

    /// Until the connection is lost, doubted or no longer wanted.
    async fn hold(&mut self, connection: Connection) {
        self.connections += 1;
        let connection = Arc::new(connection);
        let events = Box::pin(connection.events_listener());
        let up = Up { connection: Arc::clone(&connection), number: self.connections, alarm: None };
        self.state.send_replace(State::Up(up.clone()));
        self.watch(up, events).await;
        self.state.send_replace(State::Away(Trouble::Lost));
        drop(timeout(ANSWER / 2, connection.close(200, "done".into())).await);
    }

    async fn watch(&mut self, mut up: Up, mut events: impl Stream<Item = Event> + Unpin) {
        let mut look = interval(LOOK);
        while up.connection.status().connected() && !self.closed.is_cancelled() {
            tokio::select! {
                event = events.next() => match event {
                    Some(Event::ConnectionBlocked(alarm)) => self.alarm(&mut up, Some(alarm.into())),
                    Some(Event::ConnectionUnblocked) => self.alarm(&mut up, None),
                    // A channel's error comes here too, and is none of the connection.
                    Some(_) => {}
                    None => return,
                },
                Some(number) = self.doubted.recv() => if number == up.number {
                    tracing::warn!(role = self.role, "the broker does not answer; connecting anew");
                    return;
                },
                _ = look.tick() => {}
                () = self.closed.cancelled() => {}
            }
        }
    }

    fn alarm(&self, up: &mut Up, alarm: Option<Arc<str>>) {
        tracing::warn!(role = self.role, alarm = alarm.as_deref().unwrap_or("over"), "the broker's alarm");
        up.alarm = alarm;
        self.state.send_replace(State::Up(up.clone()));
    }
}
