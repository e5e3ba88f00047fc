//! What workers hold.

use crate::cells::{Cells, Columns};
use crate::{StoreError, WorkerRow};

pub fn worker(row: &impl Columns) -> Result<WorkerRow, StoreError> {
    let cells = Cells::of("worker", row);
    Ok(WorkerRow {
        worker: cells.get("id")?,
        processor: cells.get("processor")?,
        in_flight: cells.count("in_flight")?,
        last_seen_s: cells.count("last_seen_s")?,
    })
}
