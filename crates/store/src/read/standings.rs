//! What is told of the ledger.

use rollbook_domain::Reason;
use rollbook_ledger::{Due, Kind, Sums};

use super::ledger::maybe_account;
use crate::cells::{Cells, Columns};
use crate::{Counterpart, HistoryRow, Standing, StoreError};

pub fn standing(row: &impl Columns) -> Result<Standing, StoreError> {
    let cells = Cells::of("ledger_account", row);
    let sums = Sums { posted: cells.get("posted")?, held: cells.get("held")? };
    Ok(Standing { sums, owed: cells.get("owed")? })
}

pub fn history(row: &impl Columns) -> Result<HistoryRow, StoreError> {
    let cells = Cells::of("ledger_transaction", row);
    Ok(HistoryRow {
        transaction: cells.get("id")?,
        kind: cells.read("kind", Kind::parse)?,
        at: cells.get("happened_at")?,
        recorded_at: cells.get("recorded_at")?,
        amount: cells.get("amount")?,
        owed: cells.get("owed")?,
        posted: cells.get("posted")?,
        hold: cells.get("hold")?,
        held: cells.get("held")?,
        available: cells.get("available")?,
        other: maybe_account(&cells)?.map(Counterpart::from),
        actor: cells.get("actor")?,
        memo: cells.get("memo")?,
        reason: cells.get::<Option<String>>("reason")?.map(Reason::read),
        detail: cells.get("detail")?,
    })
}

pub fn due(row: &impl Columns) -> Result<Due, StoreError> {
    let cells = Cells::of("due", row);
    match cells.get("what")? {
        "hold" => Ok(Due::Hold(cells.get("id")?)),
        "lot" => Ok(Due::Lot(cells.get("id")?)),
        _ => Err(cells.corrupt("what")),
    }
}
