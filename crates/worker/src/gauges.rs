//! Gauges: what waits, looked at from time to time.
//!
//! Counted by whoever stores it and not as it passes: a gauge that adds and subtracts drifts with
//! every crash.

use std::collections::HashMap;
use std::sync::Arc;

use rollbook_domain::ProcessorName;
use rollbook_queue::Queue;
use rollbook_store::{DeadLetterFilter, DeadLetterGroup, DeadLetterState, DeadLetters};
use rollbook_telemetry::Metrics;
use tokio_util::sync::CancellationToken;

use crate::Context;
use crate::backoff::{Link, pause};

/// Runs until `shutdown` is cancelled. `queues` are the processors' names, and the dead-letter
/// queue's. While the queue or the store is away, its gauges keep what they last said.
pub async fn run_gauges(
    queue: Arc<dyn Queue>,
    letters: Arc<dyn DeadLetters>,
    queues: Vec<ProcessorName>,
    context: Arc<Context>,
    shutdown: CancellationToken,
) {
    let mut look =
        Look { links: (Link::new("queue", "gauges"), Link::new("store", "gauges")), shown: Shown::default() };
    loop {
        let looking = async {
            look.at_queues(&*queue, &queues, &context.metrics).await;
            look.at_letters(&*letters, &context.metrics).await;
        };
        if shutdown.run_until_cancelled(looking).await.is_none() {
            return;
        }
        if !pause(context.options.gauges_every, &shutdown).await {
            return;
        }
    }
}

/// What one look remembers of those before.
struct Look {
    /// Queue and store: one that is away does not hide the other.
    links: (Link, Link),
    shown: Shown,
}

impl Look {
    async fn at_queues(&mut self, queue: &dyn Queue, queues: &[ProcessorName], metrics: &Metrics) {
        match queue.depths(queues).await {
            Ok(depths) => {
                self.links.0.found();
                for depth in &depths {
                    show_depth(metrics, depth);
                }
            }
            Err(error) => drop(self.links.0.lost(&error)),
        }
    }

    async fn at_letters(&mut self, letters: &dyn DeadLetters, metrics: &Metrics) {
        let filter = DeadLetterFilter { states: vec![DeadLetterState::Open], ..DeadLetterFilter::default() };
        match letters.dead_letter_groups(&filter).await {
            Ok(groups) => {
                self.links.1.found();
                self.shown.show(metrics, &groups);
            }
            Err(error) => drop(self.links.1.lost(&error)),
        }
    }
}

fn show_depth(metrics: &Metrics, depth: &rollbook_queue::QueueDepth) {
    let labels = [depth.processor.as_str()];
    metrics.queue_ready.with_label_values(&labels).set(gauge(depth.ready));
    metrics.queue_oldest_age_seconds.with_label_values(&labels).set(gauge(depth.oldest_age_s));
}

fn gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Processor and reason of every dead-letter gauge that was ever set: one whose letters are gone
/// must say 0, not what it said last.
#[derive(Default)]
struct Shown(HashMap<(String, String), i64>);

impl Shown {
    fn show(&mut self, metrics: &Metrics, groups: &[DeadLetterGroup]) {
        self.0.values_mut().for_each(|count| *count = 0);
        for group in groups {
            let count = self.0.entry((group.processor.clone(), group.reason.clone())).or_default();
            *count = count.saturating_add(gauge(group.count));
        }
        for ((processor, reason), count) in &self.0 {
            metrics.dead_letters.with_label_values(&[processor.as_str(), reason.as_str()]).set(*count);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fakes::{self, FakeQueue, FakeStore};

    fn group(source: &str, reason: &str, count: u64) -> DeadLetterGroup {
        let (first_seen, last_seen) = (fakes::noon(), fakes::noon());
        let (processor, source, reason) = ("membership".to_owned(), source.to_owned(), reason.to_owned());
        DeadLetterGroup { processor, source, reason, count, first_seen, last_seen }
    }

    #[test]
    fn sources_are_summed_and_gone_reasons_say_zero() {
        let metrics = Metrics::new("0").unwrap();
        let read = |reason| metrics.dead_letters.with_label_values(&["membership", reason]).get();
        let mut shown = Shown::default();
        shown
            .show(&metrics, &[group("a", "wrong_amount", 2), group("b", "wrong_amount", 3), group("a", "panicked", 1)]);
        assert_eq!((read("wrong_amount"), read("panicked")), (5, 1));
        shown.show(&metrics, &[group("a", "panicked", 4)]);
        assert_eq!((read("wrong_amount"), read("panicked")), (0, 4));
    }
    #[tokio::test(start_paused = true)]
    async fn depths_are_shown_while_the_store_is_away() {
        let (queue, store, context) = (FakeQueue::default(), FakeStore::default(), Arc::new(fakes::context()));
        store.script(|script| script.away = true);
        queue.put("membership", fakes::delivery(0, "a"));
        let (shutdown, names) = (CancellationToken::new(), vec!["membership".into(), "waiver".into()]);
        let letters = Arc::new(store);
        let gauges = tokio::spawn(run_gauges(Arc::new(queue), letters, names, Arc::clone(&context), shutdown.clone()));
        tokio::time::sleep(Duration::from_secs(1)).await;
        shutdown.cancel();
        gauges.await.unwrap();
        let ready = |name| context.metrics.queue_ready.with_label_values(&[name]).get();
        assert_eq!((ready("membership"), ready("waiver")), (1, 0));
        assert_eq!(context.metrics.queue_oldest_age_seconds.with_label_values(&["membership"]).get(), 7);
    }
}
