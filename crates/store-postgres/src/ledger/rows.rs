//! Rows of the ledger's tables, read back into its words.

use rollbook_domain::Reason;
use rollbook_ledger::{
    Account, Actor, Hold, HoldId, HoldState, Kind, Leg, Lot, LotId, LotMovement, Pin, Refusal, RequestDigest, Sums,
    TakenBack, Transaction, TransactionId, Verdict,
};
use rollbook_store::StoreError;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::cells::Cells;

/// The columns that say which account it is, in the order of [`Account::read`].
pub type Named = [&'static str; 4];

pub const ACCOUNT: Named = ["asset", "owner_kind", "owner", "place"];
pub const FROM: Named = ["asset", "from_kind", "from_owner", "from_place"];
pub const TO: Named = ["asset", "to_kind", "to_owner", "to_place"];

pub fn account(cells: &Cells<'_>, [asset, kind, owner, place]: Named) -> Result<Account, StoreError> {
    let read = Account::read(cells.text(asset)?, cells.text(kind)?, cells.get(owner)?, cells.text(place)?);
    read.ok_or_else(|| cells.corrupt(place))
}

pub fn transaction(row: &PgRow) -> Result<Transaction, StoreError> {
    let cells = Cells::of("ledger_transaction", row);
    let subject = cells.get::<Option<Uuid>>("account")?;
    Ok(Transaction {
        id: TransactionId(cells.get("id")?),
        kind: cells.read("kind", Kind::parse)?,
        digest: digest(&cells)?,
        verdict: verdict(&cells)?,
        hold: cells.get::<Option<Uuid>>("hold")?.map(HoldId),
        lot: cells.get::<Option<Uuid>>("lot")?.map(LotId),
        reverses: cells.get::<Option<Uuid>>("reverses")?.map(TransactionId),
        actor: cells.maybe_person("actor")?.map_or(Actor::System, Actor::Person),
        memo: cells.maybe_text("memo")?,
        at: cells.instant("happened_at")?,
        account: subject.map(|_| account(&cells, ACCOUNT)).transpose()?,
        left: left(&cells)?,
    })
}

fn digest(cells: &Cells<'_>) -> Result<RequestDigest, StoreError> {
    let bytes = cells.get::<&[u8]>("digest")?.try_into();
    bytes.map(RequestDigest).map_err(|_| cells.corrupt("digest"))
}

fn verdict(cells: &Cells<'_>) -> Result<Verdict, StoreError> {
    let Some(word) = cells.maybe_text("reason")? else { return Ok(Verdict::Applied) };
    Ok(Verdict::Rejected(Refusal { reason: Reason::read(word), detail: cells.get("detail")? }))
}

fn left(cells: &Cells<'_>) -> Result<Option<Sums>, StoreError> {
    let Some(posted) = cells.get("left_posted")? else { return Ok(None) };
    Ok(Some(Sums { posted, held: cells.get("left_held")? }))
}

pub fn leg(row: &PgRow) -> Result<Leg, StoreError> {
    let cells = Cells::of("leg", row);
    Ok(Leg {
        transaction: TransactionId(cells.get("transaction_id")?),
        n: number(&cells)?,
        from: account(&cells, FROM)?,
        to: account(&cells, TO)?,
        amount: cells.get("amount")?,
        from_version: cells.get("from_version")?,
        to_version: cells.get("to_version")?,
        takes_back: cells.get::<Option<Uuid>>("takes_back")?.map(TransactionId),
    })
}

pub fn taken_back(row: &PgRow) -> Result<TakenBack, StoreError> {
    let cells = Cells::of("leg", row);
    let (of, by) = (cells.get("takes_back")?, cells.get("transaction_id")?);
    Ok(TakenBack { of: TransactionId(of), by: TransactionId(by), amount: cells.get("amount")? })
}

/// Which leg of its transaction.
fn number(cells: &Cells<'_>) -> Result<u32, StoreError> {
    u32::try_from(cells.get::<i16>("n")?).map_err(|_| cells.corrupt("n"))
}

pub fn movement(row: &PgRow) -> Result<LotMovement, StoreError> {
    let cells = Cells::of("lot_movement", row);
    Ok(LotMovement {
        transaction: TransactionId(cells.get("transaction_id")?),
        leg: number(&cells)?,
        lot: LotId(cells.get("lot")?),
        amount: cells.get("amount")?,
    })
}

pub fn pin(row: &PgRow) -> Result<Pin, StoreError> {
    let cells = Cells::of("hold_pin", row);
    Ok(Pin { hold: HoldId(cells.get("hold")?), lot: LotId(cells.get("lot")?), amount: cells.get("amount")? })
}

pub fn hold(row: &PgRow) -> Result<Hold, StoreError> {
    let cells = Cells::of("hold", row);
    Ok(Hold {
        id: HoldId(cells.get("id")?),
        account: account(&cells, ACCOUNT)?,
        amount: cells.get("amount")?,
        state: cells.read("state", HoldState::parse)?,
        settled: cells.get("settled")?,
        expires_at: cells.maybe_instant("expires_at")?,
    })
}

pub fn lot(row: &PgRow) -> Result<Lot, StoreError> {
    let cells = Cells::of("lot", row);
    Ok(Lot {
        id: LotId(cells.get("id")?),
        account: account(&cells, ACCOUNT)?,
        transaction: TransactionId(cells.get("transaction_id")?),
        leg: number(&cells)?,
        source: cells.get::<Option<Uuid>>("source")?.map(LotId),
        expires_at: cells.instant("expires_at")?,
        amount: cells.get("amount")?,
        remaining: cells.get("remaining")?,
        held: cells.get("held")?,
        expired: cells.get("expired")?,
        lapsed: cells.get("lapsed")?,
    })
}
