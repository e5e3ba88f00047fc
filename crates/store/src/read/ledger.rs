//! The rows of the ledger.

use rollbook_domain::{PersonId, Reason};
use rollbook_ledger::{
    Account, AccountId, Hold, HoldState, Kind, Leg, Lot, LotMovement, Pin, Refusal, RequestDigest, Sums, TakenBack,
    Transaction, TransactionId, Verdict,
};
use uuid::Uuid;

use crate::StoreError;
use crate::cells::{Cells, Columns};

/// The columns that say which account of the row's asset it is, in the order of [`Account::read`].
type Named = [&'static str; 3];

pub(super) const ACCOUNT: Named = ["owner_kind", "owner", "place"];
const FROM: Named = ["from_kind", "from_owner", "from_place"];
const TO: Named = ["to_kind", "to_owner", "to_place"];

pub(super) fn account(cells: &Cells<'_, impl Columns>, [kind, owner, place]: Named) -> Result<Account, StoreError> {
    let read = Account::read(cells.get("asset")?, cells.get(kind)?, cells.get(owner)?, cells.get(place)?);
    read.ok_or_else(|| cells.corrupt(place))
}

/// Of a row that may have none.
pub(super) fn maybe_account(cells: &Cells<'_, impl Columns>) -> Result<Option<Account>, StoreError> {
    let joined: Option<&str> = cells.get("place")?;
    joined.map(|_| account(cells, ACCOUNT)).transpose()
}

pub fn transaction(row: &impl Columns) -> Result<Transaction, StoreError> {
    let cells = Cells::of("ledger_transaction", row);
    Ok(Transaction {
        id: cells.get("id")?,
        kind: cells.read("kind", Kind::parse)?,
        digest: RequestDigest(cells.digest("digest")?),
        verdict: verdict(&cells)?,
        hold: cells.get("hold")?,
        lot: cells.get("lot")?,
        reverses: cells.get("reverses")?,
        actor: cells.get::<Option<PersonId>>("actor")?.into(),
        memo: cells.get("memo")?,
        at: cells.get("happened_at")?,
        account: maybe_account(&cells)?,
        left: left(&cells)?,
    })
}

fn verdict(cells: &Cells<'_, impl Columns>) -> Result<Verdict, StoreError> {
    match cells.get("outcome")? {
        "applied" => Ok(Verdict::Applied),
        "rejected" => {
            let reason = Reason::read(cells.get("reason")?);
            Ok(Verdict::Rejected(Refusal { reason, detail: cells.get("detail")? }))
        }
        _ => Err(cells.corrupt("outcome")),
    }
}

fn left(cells: &Cells<'_, impl Columns>) -> Result<Option<Sums>, StoreError> {
    let Some(posted) = cells.get("left_posted")? else { return Ok(None) };
    Ok(Some(Sums { posted, held: cells.get("left_held")? }))
}

/// The transaction that an applied one reverses.
pub fn reversed(row: &impl Columns) -> Result<TransactionId, StoreError> {
    Cells::of("ledger_transaction", row).get("reverses")
}

pub fn leg(row: &impl Columns) -> Result<Leg, StoreError> {
    let cells = Cells::of("leg", row);
    Ok(Leg {
        transaction: cells.get("transaction_id")?,
        n: cells.count("n")?,
        from: account(&cells, FROM)?,
        to: account(&cells, TO)?,
        amount: cells.get("amount")?,
        from_version: cells.get("from_version")?,
        to_version: cells.get("to_version")?,
        takes_back: cells.get("takes_back")?,
    })
}

pub fn taken_back(row: &impl Columns) -> Result<TakenBack, StoreError> {
    let cells = Cells::of("leg", row);
    Ok(TakenBack { of: cells.get("takes_back")?, by: cells.get("transaction_id")?, amount: cells.get("amount")? })
}

pub fn movement(row: &impl Columns) -> Result<LotMovement, StoreError> {
    let cells = Cells::of("lot_movement", row);
    Ok(LotMovement {
        transaction: cells.get("transaction_id")?,
        leg: cells.count("n")?,
        lot: cells.get("lot")?,
        amount: cells.get("amount")?,
    })
}

pub fn pin(row: &impl Columns) -> Result<Pin, StoreError> {
    let cells = Cells::of("hold_pin", row);
    Ok(Pin { hold: cells.get("hold")?, lot: cells.get("lot")?, amount: cells.get("amount")? })
}

pub fn hold(row: &impl Columns) -> Result<Hold, StoreError> {
    let cells = Cells::of("hold", row);
    Ok(Hold {
        id: cells.get("id")?,
        account: account(&cells, ACCOUNT)?,
        amount: cells.get("amount")?,
        state: cells.read("state", HoldState::parse)?,
        settled: cells.get("settled")?,
        expires_at: cells.get("expires_at")?,
    })
}

pub fn lot(row: &impl Columns) -> Result<Lot, StoreError> {
    let cells = Cells::of("lot", row);
    Ok(Lot {
        id: cells.get("id")?,
        account: account(&cells, ACCOUNT)?,
        transaction: cells.get("transaction_id")?,
        leg: cells.count("n")?,
        source: cells.get("source")?,
        expires_at: cells.get("expires_at")?,
        amount: cells.get("amount")?,
        remaining: cells.get("remaining")?,
        held: cells.get("held")?,
        expired: cells.get("expired")?,
        lapsed: cells.get("lapsed")?,
    })
}

/// In which account the hold or the lot lies that is a row of this table.
pub fn lies(table: &'static str, row: &impl Columns) -> Result<(Uuid, Account), StoreError> {
    let cells = Cells::of(table, row);
    Ok((cells.get("id")?, account(&cells, ACCOUNT)?))
}

/// With the version of the account.
pub fn balance(row: &impl Columns) -> Result<(AccountId, Sums, i64), StoreError> {
    let cells = Cells::of("ledger_account", row);
    let sums = Sums { posted: cells.get("posted")?, held: cells.get("held")? };
    Ok((cells.get("id")?, sums, cells.get("version")?))
}
