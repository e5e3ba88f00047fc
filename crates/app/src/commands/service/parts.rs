//! The parts that work: processors, and what runs beside them.

use std::sync::Arc;

use rollbook_store::{Database, WorkerId};
use rollbook_teller::{Pace, Sweep};
use rollbook_worker as worker;
use tokio_util::sync::CancellationToken;

use super::{Service, Tasks, run_part};
use crate::wiring;

impl Service {
    /// Keeper, relay and the rest run in every process that works: none of them may be missing
    /// because somebody forgot to start it.
    pub(super) fn start_workers(
        &self,
        tasks: &mut Tasks,
        database: &Arc<dyn Database>,
        id: WorkerId,
        stop: &CancellationToken,
    ) {
        let all = wiring::processors(&self.config);
        let context = Arc::new(wiring::worker_context(&self.config, &all, Arc::clone(&self.metrics)));
        let (queue, database) = (|| Arc::clone(&self.queue), || Arc::clone(database));
        let (context, stop) = (|| Arc::clone(&context), || stop.clone());
        for processor in &self.processors {
            for _ in 0..self.config.worker.per_processor {
                let processor = Arc::clone(processor);
                run_part(tasks, worker::run_processor(processor, queue(), database(), context(), stop()));
            }
        }
        let queues = wiring::queue_names(&self.config);
        run_part(tasks, worker::run_keeper(queue(), database(), database(), context(), stop()));
        run_part(tasks, worker::run_relay(database(), queue(), context(), stop()));
        run_part(tasks, worker::run_unrouted(queue(), context(), stop()));
        run_part(tasks, worker::run_gauges(queue(), database(), queues, context(), stop()));
        let teller = wiring::teller_counted(database(), Arc::clone(&self.metrics));
        run_part(tasks, Sweep::new(teller, Pace::default()).run(stop()));
        run_part(tasks, worker::run_prune(database(), context(), stop()));
        run_part(tasks, worker::run_reporter(database(), id, context(), stop()));
    }
}
