//! The names at the broker, and what each queue is declared with.
//!
//! Arguments hold only what correctness needs; the rest belongs into policies, which can be changed
//! while everything runs. The delay of a level stands in its queue's name, so that another schedule
//! makes other queues and never a conflict. Every binding is of one direct exchange: what it cannot
//! route goes to `unrouted` and not into the void.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lapin::types::{AMQPValue, FieldTable, LongString};
use rollbook_queue::DEAD_LETTERS;

/// The routing key and queue of what no queue wanted.
pub const UNROUTED: &str = "unrouted";

/// The worker gives up at 20 redeliveries; the broker does so a little later, should no worker live
/// long enough. 3.10 has no limit of its own, 4.x has one of 20.
const WORK_LIMIT: i64 = 30;

/// A queue that nothing leaves by itself. The broker would *drop* what exceeds the limit, and "no
/// limit" means something else in each version.
const PARKED_LIMIT: i64 = 1_000_000;

/// Names and levels of one installation.
pub(crate) struct Topology {
    prefix: String,
    levels: Vec<Level>,
    /// Spreads retries over the siblings of a level, one after the other.
    turn: AtomicUsize,
}

struct Level {
    delay: Duration,
    /// The delay itself and up to two longer ones: what failed together does not come back together.
    /// None is shorter, so that nothing comes before its time.
    siblings: Vec<Duration>,
}

/// One queue as it must be.
#[derive(Debug)]
pub(crate) struct QueuePlan {
    /// Its routing key, which is its name without the prefix.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) arguments: FieldTable,
}

impl Topology {
    pub(crate) fn new(prefix: &str, levels: &[Duration]) -> Self {
        let delays: BTreeSet<Duration> = levels.iter().copied().collect();
        let levels = delays.into_iter().map(|delay| Level { delay, siblings: siblings(delay) }).collect();
        Self { prefix: prefix.to_owned(), levels, turn: AtomicUsize::new(0) }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The exchange that everything is published to.
    pub(crate) fn events(&self) -> String {
        format!("{}.events", self.prefix)
    }

    /// The exchange, and the queue, of what found no queue.
    pub(crate) fn unrouted(&self) -> String {
        self.name(UNROUTED)
    }

    pub(crate) fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.prefix)
    }

    /// The queue whose delay is nearest to `after`; of two equally near the longer one.
    pub(crate) fn retry_key(&self, queue: &str, after: Duration) -> String {
        let nearest = self.levels.iter().rev().min_by_key(|level| level.delay.abs_diff(after));
        let siblings = nearest.map_or(&[][..], |level| &level.siblings);
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        retry_key(queue, siblings.get(turn % siblings.len().max(1)).copied().unwrap_or(after))
    }

    /// The queues of one processor, or of the dead letters.
    pub(crate) fn plan(&self, queue: &str) -> Vec<QueuePlan> {
        let main = if queue == DEAD_LETTERS { self.parked(DEAD_LETTERS) } else { self.work(queue) };
        std::iter::once(main).chain(self.delays().into_iter().map(|delay| self.level(queue, delay))).collect()
    }

    /// The routing keys under which deliveries of `queue` wait for their time.
    pub(crate) fn retry_keys(&self, queue: &str) -> Vec<String> {
        if queue == UNROUTED {
            return Vec::new();
        }
        self.delays().into_iter().map(|delay| retry_key(queue, delay)).collect()
    }

    fn delays(&self) -> BTreeSet<Duration> {
        self.levels.iter().flat_map(|level| level.siblings.iter().copied()).collect()
    }

    /// What every role needs before it publishes.
    pub(crate) fn base(&self) -> [QueuePlan; 2] {
        [self.parked(UNROUTED), self.parked(DEAD_LETTERS)]
    }

    fn work(&self, queue: &str) -> QueuePlan {
        let mut arguments = quorum(WORK_LIMIT);
        self.forward(&mut arguments, DEAD_LETTERS);
        QueuePlan { key: queue.to_owned(), name: self.name(queue), arguments }
    }

    fn level(&self, queue: &str, delay: Duration) -> QueuePlan {
        let mut arguments = quorum(PARKED_LIMIT);
        self.forward(&mut arguments, queue);
        let ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(ms));
        let key = retry_key(queue, delay);
        QueuePlan { name: self.name(&key), key, arguments }
    }

    fn parked(&self, key: &str) -> QueuePlan {
        QueuePlan { key: key.to_owned(), name: self.name(key), arguments: quorum(PARKED_LIMIT) }
    }

    /// At-least-once forwarding, which the broker does only together with `reject-publish`.
    fn forward(&self, arguments: &mut FieldTable, key: &str) {
        arguments.insert("x-dead-letter-exchange".into(), text(&self.events()));
        arguments.insert("x-dead-letter-routing-key".into(), text(key));
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    }
}

fn quorum(limit: i64) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(limit));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments
}

pub(crate) fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

/// Short levels are where bursts meet; a long one is spread by what led there.
fn siblings(delay: Duration) -> Vec<Duration> {
    let count = match delay.as_secs() {
        0..=30 => 3,
        31..=600 => 2,
        _ => 1,
    };
    (0..count).map(|sibling| delay + whole_ms(delay * sibling / 10)).collect()
}

fn whole_ms(delay: Duration) -> Duration {
    Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX))
}

fn retry_key(queue: &str, delay: Duration) -> String {
    format!("{queue}.retry.{}", shown(delay))
}

/// `250ms`, `5s`, `2m`, `6h`: as an operator would write it.
fn shown(delay: Duration) -> String {
    let ms = delay.as_millis();
    for (unit_ms, unit) in [(3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if ms >= unit_ms && ms.is_multiple_of(unit_ms) {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(levels: &[u64]) -> Topology {
        let levels: Vec<Duration> = levels.iter().map(|ms| Duration::from_millis(*ms)).collect();
        Topology::new("club", &levels)
    }

    #[test]
    fn a_delay_is_read_from_the_name() {
        let keys = topology(&[250, 5_000, 120_000, 3_600_000]).retry_keys("waiver");
        let expected = ["250ms", "275ms", "300ms", "5s", "5500ms", "6s", "2m", "132s", "1h"];
        assert_eq!(keys, expected.map(|delay| format!("waiver.retry.{delay}")));
    }

    #[test]
    fn a_retry_waits_for_the_nearest_level_and_never_less() {
        let topology = topology(&[1_000, 5_000, 30_000]);
        let after = |ms| topology.retry_key("waiver", Duration::from_millis(ms));
        assert_eq!(
            [after(0), after(900), after(1_200)],
            ["1s", "1100ms", "1200ms"].map(|d| format!("waiver.retry.{d}"))
        );
        assert_eq!(
            [after(3_000), after(9_000), after(u64::MAX)],
            ["5s", "5500ms", "36s"].map(|d| format!("waiver.retry.{d}"))
        );
    }

    #[test]
    fn siblings_of_two_levels_may_be_one_queue() {
        let names: Vec<String> = topology(&[5_000, 6_000]).plan("waiver").into_iter().map(|plan| plan.name).collect();
        assert_eq!(names.len(), 1 + 5, "{names:?}");
    }

    /// A parked queue has no way out, so nothing may ever push a letter over its limit.
    #[test]
    fn every_queue_has_a_limit_and_refuses_rather_than_drops() {
        let topology = topology(&[1_000]);
        let plans = topology.plan("waiver").into_iter().chain(topology.base());
        for plan in plans {
            let arguments = plan.arguments.inner();
            let limit = arguments["x-delivery-limit"].as_long_long_int().unwrap();
            let forwards = arguments.contains_key("x-dead-letter-exchange");
            assert_eq!(limit == WORK_LIMIT, plan.key == "waiver", "{}", plan.name);
            assert_eq!(arguments["x-overflow"], text("reject-publish"));
            assert_eq!(forwards, arguments.get("x-dead-letter-strategy") == Some(&text("at-least-once")));
        }
    }
}
