//! The handle that callers have.

use std::io;
use std::mem;
use std::sync::Arc;

use rollbook_ledger::{Answer, Command};
use rollbook_store::{Ledger, StoreError};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::commit::Committer;
use crate::inbox::{Answered, Inbox, Request, weight};
use crate::meters::Meters;
use crate::{Context, Options, TellerError};

/// Hands commands to the ledger. Cheap to clone; clones share one queue. When the last one is gone
/// and all is answered, the task behind it ends.
#[derive(Clone)]
pub struct Teller {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn Ledger>,
    context: Context,
    /// Movements a request, at most, unless one command has more.
    portion: usize,
    inbox: UnboundedSender<Request>,
    /// One permit a movement. Waiting callers get them in the order in which they came.
    room: Arc<Semaphore>,
    /// How many permits there are.
    all_room: u32,
    closing: CancellationToken,
    tasks: TaskTracker,
}

impl Teller {
    /// Starts the task that commits. Needs a runtime, but no store that answers.
    pub fn new(store: Arc<dyn Ledger>, context: Context, options: Options) -> Self {
        let (inbox, receiver) = unbounded_channel();
        let (closing, tasks) = (CancellationToken::new(), TaskTracker::new());
        let portion = options.batch_max.max(1);
        let all_room = u32::try_from(options.room.max(1)).unwrap_or(u32::MAX).min(MOST_ROOM);
        let committer = Committer {
            store: Arc::clone(&store),
            meters: Meters::new(&context.metrics),
            context: context.clone(),
            options,
            closing: closing.clone(),
            away: false,
        };
        tasks.spawn(committer.run(Inbox::new(receiver, closing.clone())));
        tasks.close();
        let room = Arc::new(Semaphore::new(usize::try_from(all_room).unwrap_or(1)));
        Self { shared: Arc::new(Shared { store, context, portion, inbox, room, all_room, closing, tasks }) }
    }

    /// The answer to one command. Dropping this call leaves the command not begun or wholly decided;
    /// ask again with the same id to learn which.
    pub async fn execute(&self, command: Command) -> Result<Answer, TellerError> {
        let mut answers = self.hand_in(vec![command]).await?;
        answers.pop().ok_or_else(lost)
    }

    /// The answers to commands that are decided in this order. They are no single transaction: on an
    /// error some may have been decided, from the first on, and it is open which. Asking for all of
    /// them again gives those the same answers and goes on after them; if one is `Refused`, those
    /// after it are not begun.
    pub async fn execute_all(&self, commands: Vec<Command>) -> Result<Vec<Answer>, TellerError> {
        let mut answers = Vec::with_capacity(commands.len());
        for portion in portions(commands, self.shared.portion) {
            answers.extend(self.hand_in(portion).await?);
        }
        Ok(answers)
    }

    /// Refuses what comes from now on, and returns once everything taken before is answered.
    pub async fn close(&self) {
        self.shared.room.close();
        self.shared.closing.cancel();
        self.shared.tasks.wait().await;
    }

    pub(crate) fn store(&self) -> &dyn Ledger {
        &*self.shared.store
    }

    pub(crate) fn context(&self) -> &Context {
        &self.shared.context
    }

    async fn hand_in(&self, commands: Vec<Command>) -> Answered {
        let movements: usize = commands.iter().map(weight).sum();
        let needed = u32::try_from(movements).unwrap_or(u32::MAX).min(self.shared.all_room);
        let room = Arc::clone(&self.shared.room).acquire_many_owned(needed);
        let room = room.await.map_err(|_| TellerError::Closed)?;
        let (reply, answered) = oneshot::channel();
        self.shared.inbox.send(Request { commands, reply, room }).map_err(|_| TellerError::Closed)?;
        answered.await.unwrap_or_else(|_| Err(lost()))
    }
}

/// What a semaphore can count on every machine, and far more than any memory.
const MOST_ROOM: u32 = 1 << 28;

/// The task behind the teller is gone, with its runtime.
fn lost() -> TellerError {
    TellerError::away(StoreError::Unavailable(Box::new(io::Error::from(io::ErrorKind::BrokenPipe))))
}

/// Cuts `commands` into pieces of at most `most` movements, at least one command each.
fn portions(commands: Vec<Command>, most: usize) -> Vec<Vec<Command>> {
    let (mut done, mut portion, mut movements) = (Vec::new(), Vec::new(), 0);
    for command in commands {
        let weight = weight(&command);
        if movements + weight > most && !portion.is_empty() {
            done.push(mem::take(&mut portion));
            movements = 0;
        }
        movements += weight;
        portion.push(command);
    }
    done.extend((!portion.is_empty()).then_some(portion));
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{award, awards};

    #[test]
    fn portions_keep_the_order_and_the_bound() {
        let commands = vec![awards("a", 2), awards("b", 2), awards("c", 1), awards("d", 9), award("e"), award("f")];
        let ids: Vec<_> = commands.iter().map(Command::id).collect();
        let cut = portions(commands, 4);
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [2, 1, 1, 2]);
        assert_eq!(cut.iter().flatten().map(Command::id).collect::<Vec<_>>(), ids);
        assert_eq!(portions(Vec::new(), 4), Vec::<Vec<Command>>::new());
    }
}
