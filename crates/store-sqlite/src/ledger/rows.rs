//! Reading the rows of the ledger.

use rollbook_domain::Reason;
use rollbook_ledger::{
    Account, Actor, Hold, HoldId, HoldState, Kind, Leg, Lot, LotId, LotMovement, Pin, Refusal, RequestDigest, Sums,
    TakenBack, Transaction, TransactionId, Verdict,
};
use rollbook_store::StoreError;
use sqlx::sqlite::SqliteRow;

use crate::cells::Cells;

/// From the columns `asset`, `owner_kind`, `owner` and `place` of a joined account.
pub fn account(cells: &Cells<'_>) -> Result<Account, StoreError> {
    account_of(cells, ["owner_kind", "owner", "place"])
}

fn account_of(cells: &Cells<'_>, [kind, owner, place]: [&'static str; 3]) -> Result<Account, StoreError> {
    let (asset, owner) = (cells.text("asset")?, cells.uuid(owner)?);
    Account::read(asset, cells.text(kind)?, owner, cells.text(place)?).ok_or_else(|| cells.corrupt(place))
}

pub fn transaction(row: &SqliteRow) -> Result<Transaction, StoreError> {
    let cells = Cells::of("ledger_transaction", row);
    let digest: Vec<u8> = cells.get("digest")?;
    let about = cells.maybe_text("place")?;
    Ok(Transaction {
        id: TransactionId(cells.uuid("id")?),
        kind: cells.read("kind", Kind::parse)?,
        digest: RequestDigest(digest.try_into().map_err(|_| cells.corrupt("digest"))?),
        verdict: verdict(&cells)?,
        hold: cells.maybe_uuid("hold")?.map(HoldId),
        lot: cells.maybe_uuid("lot")?.map(LotId),
        reverses: cells.maybe_uuid("reverses")?.map(TransactionId),
        actor: cells.maybe_person("actor")?.map_or(Actor::System, Actor::Person),
        memo: cells.maybe_text("memo")?,
        at: cells.instant("happened_at")?,
        account: about.map(|_| account(&cells)).transpose()?,
        left: left(&cells)?,
    })
}

fn verdict(cells: &Cells<'_>) -> Result<Verdict, StoreError> {
    match cells.text("outcome")? {
        "applied" => Ok(Verdict::Applied),
        "rejected" => {
            let reason = Reason::read(cells.get("reason")?);
            Ok(Verdict::Rejected(Refusal { reason, detail: cells.get("detail")? }))
        }
        _ => Err(cells.corrupt("outcome")),
    }
}

fn left(cells: &Cells<'_>) -> Result<Option<Sums>, StoreError> {
    let (posted, held): (Option<i64>, Option<i64>) = (cells.get("left_posted")?, cells.get("left_held")?);
    Ok(posted.zip(held).map(|(posted, held)| Sums { posted, held }))
}

pub fn leg(row: &SqliteRow) -> Result<Leg, StoreError> {
    let cells = Cells::of("leg", row);
    Ok(Leg {
        transaction: TransactionId(cells.uuid("transaction_id")?),
        n: cells.count("n")?,
        from: account_of(&cells, ["from_kind", "from_owner", "from_place"])?,
        to: account_of(&cells, ["to_kind", "to_owner", "to_place"])?,
        amount: cells.get("amount")?,
        from_version: cells.get("from_version")?,
        to_version: cells.get("to_version")?,
        takes_back: cells.maybe_uuid("takes_back")?.map(TransactionId),
    })
}

pub fn taken_back(row: &SqliteRow) -> Result<TakenBack, StoreError> {
    let cells = Cells::of("leg", row);
    let (of, by) = (cells.uuid("takes_back")?, cells.uuid("transaction_id")?);
    Ok(TakenBack { of: TransactionId(of), by: TransactionId(by), amount: cells.get("amount")? })
}

pub fn movement(row: &SqliteRow) -> Result<LotMovement, StoreError> {
    let cells = Cells::of("lot_movement", row);
    Ok(LotMovement {
        lot: LotId(cells.uuid("lot")?),
        transaction: TransactionId(cells.uuid("transaction_id")?),
        leg: cells.count("n")?,
        amount: cells.get("amount")?,
    })
}

pub fn hold(row: &SqliteRow) -> Result<Hold, StoreError> {
    let cells = Cells::of("hold", row);
    Ok(Hold {
        id: HoldId(cells.uuid("id")?),
        account: account(&cells)?,
        amount: cells.get("amount")?,
        state: cells.read("state", HoldState::parse)?,
        settled: cells.get("settled")?,
        expires_at: cells.maybe_instant("expires_at")?,
    })
}

pub fn pin(row: &SqliteRow) -> Result<Pin, StoreError> {
    let cells = Cells::of("hold_pin", row);
    Ok(Pin { hold: HoldId(cells.uuid("hold")?), lot: LotId(cells.uuid("lot")?), amount: cells.get("amount")? })
}

pub fn lot(row: &SqliteRow) -> Result<Lot, StoreError> {
    let cells = Cells::of("lot", row);
    Ok(Lot {
        id: LotId(cells.uuid("id")?),
        account: account(&cells)?,
        transaction: TransactionId(cells.uuid("transaction_id")?),
        leg: cells.count("n")?,
        source: cells.maybe_uuid("source")?.map(LotId),
        expires_at: cells.instant("expires_at")?,
        amount: cells.get("amount")?,
        remaining: cells.get("remaining")?,
        held: cells.get("held")?,
        expired: cells.get("expired")?,
        lapsed: cells.get("lapsed")?,
    })
}
