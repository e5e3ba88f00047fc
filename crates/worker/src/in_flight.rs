//! What this process holds unsettled, by queue.
//!
//! Counted by whoever receives and settles, read by the reporter. A loop that has just settled all
//! it had does not know whether more is on its way to it already (a broker sends ahead), so it
//! counts as holding one until a receive came back empty: a quiet is told when it is known.

use std::collections::BTreeMap;

use rollbook_domain::ProcessorName;
use tokio::sync::watch;

/// What one process holds. Clones share it; every loop of the process is given the same.
#[derive(Clone, Debug)]
pub struct InFlight {
    queues: watch::Sender<BTreeMap<ProcessorName, Figure>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Figure {
    /// Loops that consume this queue.
    loops: usize,
    /// The sum of what they told.
    held: u64,
}

impl Default for InFlight {
    fn default() -> Self {
        Self { queues: watch::Sender::new(BTreeMap::new()) }
    }
}

impl InFlight {
    /// One figure for each queue that a loop of this process has ever consumed.
    pub fn figures(&self) -> Vec<(ProcessorName, u64)> {
        self.queues.borrow().iter().map(|(queue, figure)| (queue.clone(), figure.held)).collect()
    }

    /// Told of every queue that turns busy or idle; not of how busy it is.
    pub(crate) fn turns(&self) -> Turns {
        Turns(self.queues.subscribe())
    }

    pub(crate) fn tally(&self, queue: &ProcessorName) -> Tally {
        let tally = Tally { shared: self.clone(), queue: queue.clone(), held: 0, told: 0 };
        tally.shared.change(queue, |figure| figure.loops += 1);
        tally
    }

    fn change(&self, queue: &ProcessorName, change: impl FnOnce(&mut Figure)) {
        self.queues.send_if_modified(|queues| {
            let figure = queues.entry(queue.clone()).or_default();
            let before = *figure;
            change(figure);
            before.loops != figure.loops || (before.held == 0) != (figure.held == 0)
        });
    }
}

/// Whoever waits for a turn.
pub(crate) struct Turns(watch::Receiver<BTreeMap<ProcessorName, Figure>>);

impl Turns {
    /// Returns at once for a turn since the last call.
    pub(crate) async fn next(&mut self) {
        // It fails when nobody is left who could turn, and this waits for nobody else.
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Until no loop consumes any more.
    pub(crate) async fn over(&mut self) {
        drop(self.0.wait_for(|queues| queues.values().all(|figure| figure.loops == 0)).await);
    }
}

/// The count of one loop. What it holds when it is dropped stays in the figure: nobody settled it.
pub(crate) struct Tally {
    shared: InFlight,
    queue: ProcessorName,
    held: u64,
    told: u64,
}

impl Tally {
    /// A first receive came back with so many; what was held before is not ours any more.
    pub(crate) fn received(&mut self, count: usize) {
        self.held = number(count);
        self.tell(self.held);
    }

    /// So many more came to the same batch.
    pub(crate) fn gathered(&mut self, count: usize) {
        self.held += number(count);
        self.tell(self.held);
    }

    /// Settled or handed back. Whether that was all, the next receive will tell.
    pub(crate) fn settled(&mut self, count: usize) {
        self.held = self.held.saturating_sub(number(count));
        self.tell(self.held.max(1));
    }

    /// From here on something may be on its way to us.
    pub(crate) fn consuming(&mut self) {
        self.tell(self.told.max(1));
    }

    /// We consume no more.
    pub(crate) fn stopped(&mut self) {
        self.tell(self.held);
    }

    fn tell(&mut self, count: u64) {
        let before = std::mem::replace(&mut self.told, count);
        if before != count {
            self.shared.change(&self.queue, |figure| figure.held = figure.held + count - before);
        }
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        self.shared.change(&self.queue, |figure| figure.loops -= 1);
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn figures(in_flight: &InFlight) -> Vec<(String, u64)> {
        in_flight.figures().into_iter().map(|(queue, held)| (queue.to_string(), held)).collect()
    }

    #[test]
    fn two_loops_of_a_queue_are_one_figure() {
        let in_flight = InFlight::default();
        let queue = "membership".into();
        let (mut one, mut two) = (in_flight.tally(&queue), in_flight.tally(&queue));
        let _idle = in_flight.tally(&"waiver".into());
        one.received(200);
        two.received(3);
        one.gathered(56);
        two.settled(1);
        let expected = |held| vec![("membership".to_owned(), held), ("waiver".to_owned(), 0)];
        assert_eq!(figures(&in_flight), expected(258));
        one.settled(256);
        two.settled(2);
        assert_eq!(figures(&in_flight), expected(2), "more may be on its way to each");
        one.received(0);
        two.received(0);
        assert_eq!(figures(&in_flight), expected(0));
    }

    #[test]
    fn what_was_never_settled_outlives_its_loop() {
        let in_flight = InFlight::default();
        let mut tally = in_flight.tally(&"membership".into());
        tally.consuming();
        tally.received(5);
        tally.settled(2);
        tally.stopped();
        drop(tally);
        assert_eq!(figures(&in_flight), [("membership".to_owned(), 3)]);
        assert!(in_flight.turns().over().now_or_never().is_some(), "its loop is over all the same");
    }

    #[test]
    fn only_turns_are_told() {
        let in_flight = InFlight::default();
        let mut tally = in_flight.tally(&"membership".into());
        let mut turns = in_flight.turns();
        let mut turned = || turns.next().now_or_never().is_some();
        assert!(!turned());
        tally.received(5);
        assert!(turned(), "busy");
        tally.settled(5);
        tally.received(7);
        tally.settled(7);
        assert!(!turned(), "busy without a break");
        tally.received(0);
        assert!(turned(), "idle");
    }
}
