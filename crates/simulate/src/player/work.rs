//! One connection's work: new callbacks, and its own that must be sent again.

use std::cmp::{Ordering as Order, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fastrand::Rng;
use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::{PlayError, Run};
use crate::record::latencies;
use crate::{Answer, Fate};

/// New callbacks wait while so many of a connection's own are to be sent again: a service that is
/// away must not see the whole stream at once when it comes back.
const MOST_WAITING: usize = 64;

/// What one connection has to report.
pub struct Done {
    pub answers: Vec<(usize, Answer)>,
    pub ack: Histogram<u64>,
    pub ack_from_first: Histogram<u64>,
}

pub struct Worker {
    run: Arc<Run>,
    rng: Rng,
    waiting: BinaryHeap<Reverse<Job>>,
    done: Done,
}

/// A callback that is not finished.
struct Job {
    due: Instant,
    index: usize,
    first: Instant,
    answer: Answer,
}

impl Worker {
    pub fn new(run: &Arc<Run>, number: usize) -> Self {
        let seed = run.options.seed.wrapping_add(number as u64);
        let done = Done { answers: Vec::new(), ack: latencies(), ack_from_first: latencies() };
        Self { run: Arc::clone(run), rng: Rng::with_seed(seed), waiting: BinaryHeap::new(), done }
    }

    pub async fn work(mut self) -> Result<Done, PlayError> {
        while let Some(mut job) = self.next() {
            if !self.wait_until(job.due).await {
                self.waiting.push(Reverse(job));
                break;
            }
            self.attempt(&mut job).await?;
            self.settle(job);
            self.run.tell();
        }
        let given_up = std::mem::take(&mut self.waiting);
        self.done.answers.extend(given_up.into_iter().map(|Reverse(job)| (job.index, job.answer)));
        Ok(self.done)
    }

    /// What is due soonest; new callbacks come before what is not due yet.
    fn next(&mut self) -> Option<Job> {
        let due = self.waiting.peek().is_some_and(|Reverse(job)| job.due <= Instant::now());
        if !due && self.waiting.len() < MOST_WAITING {
            let index = self.run.next.fetch_add(1, Ordering::Relaxed);
            if index < self.run.callbacks.len() {
                let first = self.run.planned(index);
                return Some(Job { due: first, index, first, answer: Answer::UNSENT });
            }
        }
        self.waiting.pop().map(|Reverse(job)| job)
    }

    /// `false` if the run ends before that moment.
    async fn wait_until(&self, due: Instant) -> bool {
        let far = Instant::now() + Duration::from_hours(24 * 365);
        let ends = self.run.ends().unwrap_or(far);
        if self.run.options.stop.is_cancelled() || Instant::now() >= ends {
            return false;
        }
        if due <= Instant::now() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep_until(due) => true,
            () = tokio::time::sleep_until(ends) => false,
            () = self.run.options.stop.cancelled() => false,
        }
    }

    async fn attempt(&mut self, job: &mut Job) -> Result<(), PlayError> {
        let run = Arc::clone(&self.run);
        let callback = &run.callbacks[job.index];
        let name = &callback.source.name;
        let signed = callback
            .sign((run.options.clock)())
            .map_err(|source| PlayError::CannotSign { source_name: name.to_string(), source })?;
        let counter = if job.answer.tries == 0 { &run.counted.sent } else { &run.counted.retries };
        counter.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        if job.answer.tries == 0 && run.options.rate.is_none() {
            job.first = begun;
        }
        job.answer.tries += 1;
        let status = run.wire.post(name, signed).await;
        self.note(job, status, begun);
        Ok(())
    }

    fn note(&mut self, job: &mut Job, status: Option<u16>, begun: Instant) {
        let counted = &self.run.counted;
        job.answer.fate = match status {
            Some(code @ 200..=299) => {
                counted.acked.fetch_add(1, Ordering::Relaxed);
                self.done.ack.saturating_record(micros(begun));
                self.done.ack_from_first.saturating_record(micros(job.first));
                Fate::Acked(code)
            }
            Some(code @ 400..=499) => {
                counted.refused.fetch_add(1, Ordering::Relaxed);
                Fate::Refused(code)
            }
            Some(_) => {
                job.answer.put_off += 1;
                Fate::Unanswered
            }
            None => {
                job.answer.silent += 1;
                Fate::Unanswered
            }
        };
    }

    fn settle(&mut self, mut job: Job) {
        let retry = self.run.options.retry;
        if job.answer.fate == Fate::Unanswered && job.answer.tries < retry.tries {
            job.due = Instant::now() + retry.wait(job.answer.tries, self.rng.f64());
            self.waiting.push(Reverse(job));
        } else {
            self.done.answers.push((job.index, job.answer));
        }
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Order {
        (self.due, self.index).cmp(&(other.due, other.index))
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Job {}
