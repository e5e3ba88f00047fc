//! A batch on its way into the store: what is decided, and who has been answered.
//!
//! Parts of it are done strictly in order, so that a caller's later command never comes before an
//! earlier one, and one mark says how far it is.

use std::collections::VecDeque;
use std::mem;

use rollbook_ledger::{Answer, Command};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::TellerError;
use crate::inbox::{Answered, Request};

pub(crate) struct Batch {
    commands: Vec<Command>,
    /// The first command that is neither decided nor given up.
    next: usize,
    /// Requests that are not answered. The first one holds the command `next`.
    open: VecDeque<Open>,
}

struct Open {
    /// After its last command.
    end: usize,
    answers: Vec<Answer>,
    reply: oneshot::Sender<Answered>,
    _room: OwnedSemaphorePermit,
}

impl Batch {
    pub(crate) fn of(requests: VecDeque<Request>) -> Self {
        let mut batch = Self { commands: Vec::new(), next: 0, open: VecDeque::with_capacity(requests.len()) };
        for Request { commands, reply, room } in requests {
            batch.commands.extend(commands);
            batch.open.push_back(Open { end: batch.commands.len(), answers: Vec::new(), reply, _room: room });
        }
        batch
    }

    pub(crate) fn len(&self) -> usize {
        self.commands.len()
    }

    pub(crate) fn next(&self) -> usize {
        self.next
    }

    /// What is to be decided before `end`.
    pub(crate) fn until(&self, end: usize) -> &[Command] {
        &self.commands[self.next..end]
    }

    /// The answers to the next commands. Whoever has all of theirs is told.
    pub(crate) fn answer(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            self.next += 1;
            let Some(first) = self.open.front_mut() else { return };
            first.answers.push(answer);
            if first.end == self.next {
                let answers = mem::take(&mut first.answers);
                self.tell(Ok(answers));
            }
        }
    }

    /// The next command has no answer, and what its caller wanted after it is not begun. Returns how
    /// many commands that leaves without one.
    pub(crate) fn fail(&mut self, error: TellerError) -> usize {
        let Some(end) = self.open.front().map(|first| first.end) else { return 0 };
        self.tell(Err(error));
        let failed = end - self.next;
        self.next = end;
        failed
    }

    /// The same for all that are left.
    pub(crate) fn fail_all(&mut self, error: &TellerError) -> usize {
        let mut failed = 0;
        while !self.open.is_empty() {
            failed += self.fail(error.clone());
        }
        failed
    }

    /// A caller that stopped waiting does not hear it.
    fn tell(&mut self, answered: Answered) {
        if let Some(open) = self.open.pop_front() {
            let _ = open.reply.send(answered);
        }
    }
}
