//! What became of events.

use rollbook_domain::{EventDigest, FactRef, Outcome, Seen};

use crate::cells::{Cells, Columns};
use crate::{EventRow, StoreError};

pub fn seen(row: &impl Columns) -> Result<(FactRef, Seen), StoreError> {
    let cells = Cells::of("processed", row);
    Ok((FactRef { account: cells.get("account")?, key: cells.get("event_key")? }, decided(&cells)?))
}

fn decided(cells: &Cells<'_, impl Columns>) -> Result<Seen, StoreError> {
    Ok(Seen { outcome: cells.read("outcome", Outcome::parse)?, digest: EventDigest::read(cells.get("digest")?) })
}

/// An event with its digest.
pub fn outcome(row: &impl Columns) -> Result<(EventRow, Seen), StoreError> {
    Ok((event(row)?, decided(&Cells::of("processed", row))?))
}

pub fn event(row: &impl Columns) -> Result<EventRow, StoreError> {
    let cells = Cells::of("processed", row);
    Ok(EventRow {
        event_key: cells.get("event_key")?,
        envelope: cells.get("envelope")?,
        source: cells.get("source")?,
        processor: cells.get("processor")?,
        kind: cells.get("kind")?,
        outcome: cells.get("outcome")?,
        reason: cells.get("reason")?,
        rules: cells.get("rules")?,
        occurred_at: cells.get("occurred_at")?,
        processed_at: cells.get("processed_at")?,
    })
}
