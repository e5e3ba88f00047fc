//! What callers handed in and nobody has begun.

use std::collections::VecDeque;

use rollbook_ledger::{Answer, Command, Order};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio_util::sync::CancellationToken;

use crate::TellerError;

pub(crate) type Answered = Result<Vec<Answer>, TellerError>;

/// Commands of one caller, to be decided in their order in one batch.
pub(crate) struct Request {
    pub commands: Vec<Command>,
    pub reply: oneshot::Sender<Answered>,
    /// Given back when the caller is answered.
    pub room: OwnedSemaphorePermit,
}

impl Request {
    fn weight(&self) -> usize {
        self.commands.iter().map(weight).sum()
    }
}

/// Movements of a command, as far as can be told before it is decided.
pub(crate) fn weight(command: &Command) -> usize {
    match command.order() {
        Order::Post { moves, .. } => moves.len().max(1),
        Order::Settle { shares, .. } => shares.len().max(1),
        Order::Hold { .. } | Order::Void { .. } | Order::Expire(_) | Order::Reverse { .. } => 1,
    }
}

pub(crate) struct Inbox {
    receiver: UnboundedReceiver<Request>,
    closing: CancellationToken,
    /// Did not fit into the last batch, so it is the first of the next.
    carried: Option<Request>,
}

/// A batch in the making.
pub(crate) struct Gathered {
    pub requests: VecDeque<Request>,
    /// Commands whose callers had stopped waiting. They are not begun.
    pub abandoned: usize,
}

impl Inbox {
    pub(crate) fn new(receiver: UnboundedReceiver<Request>, closing: CancellationToken) -> Self {
        Self { receiver, closing, carried: None }
    }

    /// What is waiting, of at most `most` movements, at least one request; waits only while there is
    /// nothing. None: it is closed and empty.
    pub(crate) async fn gather(&mut self, most: usize) -> Option<Gathered> {
        let first = match self.carried.take() {
            Some(carried) => carried,
            None => self.receive().await?,
        };
        self.let_others_run(most).await;
        let mut gathered = Gathered { requests: VecDeque::new(), abandoned: 0 };
        let mut room = most.saturating_sub(gathered.add(first));
        while let Ok(request) = self.receiver.try_recv() {
            if request.weight() > room {
                self.carried = Some(request);
                break;
            }
            room -= gathered.add(request);
        }
        Some(gathered)
    }

    /// The callers that were answered last are about to hand in again. As long as they do, they go
    /// first: without this the first of them would be a batch of its own, and the others the next.
    /// That is no waiting for a time; a yield may end before all who can run have run, hence the second.
    async fn let_others_run(&self, most: usize) {
        let (mut seen, mut calm) = (self.receiver.len(), 0);
        while calm < 2 && seen < most {
            tokio::task::yield_now().await;
            let there = self.receiver.len();
            calm = if there > seen { 0 } else { calm + 1 };
            seen = there;
        }
    }

    /// Whatever is left, once it is closed.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Request> + '_ {
        self.carried.take().into_iter().chain(std::iter::from_fn(|| self.receiver.try_recv().ok()))
    }

    async fn receive(&mut self) -> Option<Request> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => self.receiver.close(),
            request = self.receiver.recv() => return request,
        }
        self.receiver.recv().await
    }
}

impl Gathered {
    /// How many movements it added.
    fn add(&mut self, request: Request) -> usize {
        if request.reply.is_closed() {
            self.abandoned += request.commands.len();
            return 0;
        }
        let weight = request.weight();
        self.requests.push_back(request);
        weight
    }
}
