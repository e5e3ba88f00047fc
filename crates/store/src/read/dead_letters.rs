//! Dead letters.

use crate::cells::{Cells, Columns};
use crate::{DeadLetter, DeadLetterFailure, DeadLetterGroup, DeadLetterState, StoreError};

pub fn dead_letter(row: &impl Columns) -> Result<DeadLetter, StoreError> {
    let cells = Cells::of("dead_letter", row);
    Ok(DeadLetter {
        id: cells.get("id")?,
        processor: cells.get("processor")?,
        source: cells.get("source")?,
        event_key: cells.get("event_key")?,
        reason: cells.get("reason")?,
        detail: cells.get("detail")?,
        amount: cells.get("amount")?,
        currency: cells.get("currency")?,
        attempts: cells.count("attempts")?,
        first_seen: cells.get("first_seen")?,
        last_seen: cells.get("last_seen")?,
        state: cells.read("state", DeadLetterState::parse)?,
        envelope: cells.get("envelope")?,
        failures: cells.count("failures")?,
    })
}

pub fn dead_letter_failure(row: &impl Columns) -> Result<DeadLetterFailure, StoreError> {
    let cells = Cells::of("dead_letter_failure", row);
    Ok(DeadLetterFailure {
        envelope: cells.get("envelope")?,
        reason: cells.get("reason")?,
        detail: cells.get("detail")?,
        attempts: cells.count("attempts")?,
        failed_at: cells.get("failed_at")?,
    })
}

pub fn dead_letter_group(row: &impl Columns) -> Result<DeadLetterGroup, StoreError> {
    let cells = Cells::of("dead_letter", row);
    Ok(DeadLetterGroup {
        processor: cells.get("processor")?,
        source: cells.get("source")?,
        reason: cells.get("reason")?,
        count: cells.count("letters")?,
        first_seen: cells.get("first_seen")?,
        last_seen: cells.get("last_seen")?,
    })
}
