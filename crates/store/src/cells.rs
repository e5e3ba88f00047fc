//! Reading a row by the names of its columns, whatever database it came from.
//!
//! An adapter says how its rows keep a text, a number or an instant ([`Columns`]). What a row means is
//! read once for all of them, in [`crate::read`]; what cannot be read is named by table, column and row.

use jiff::Timestamp;
use jiff::civil::Date;
use rollbook_domain::{Account, DeliveryKey, EnvelopeId, EventKey, GroupId, PersonId, ProcessorName, SourceName};
use rollbook_ledger::{AccountId, HoldId, LotId, TransactionId};
use uuid::Uuid;

use crate::{ChangeId, StoreError, WorkerId};

/// A row as an adapter has it. A null is `None`.
pub trait Columns {
    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable>;
    /// A whole number of any width.
    fn integer(&self, column: &str) -> Result<Option<i64>, Unreadable>;
    fn flag(&self, column: &str) -> Result<Option<bool>, Unreadable>;
    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable>;
    fn uuid(&self, column: &str) -> Result<Option<Uuid>, Unreadable>;
    fn instant(&self, column: &str) -> Result<Option<Timestamp>, Unreadable>;
    fn date(&self, column: &str) -> Result<Option<Date>, Unreadable>;

    /// The first column: a text, a number or an id.
    fn name(&self) -> Option<String>;
}

/// There is no such column, or it holds something else.
#[derive(Clone, Copy, Debug)]
pub struct Unreadable;

/// What one column may hold.
pub trait Cell<'r>: Sized {
    fn read(row: &'r impl Columns, column: &str) -> Result<Self, Unreadable>;
}

/// Each type is read from such a column, and as an option from one that may be null.
macro_rules! cells {
    ($($column:ident => $($type:ty: $made:expr),+;)+) => {$($(
        impl<'r> Cell<'r> for $type {
            fn read(row: &'r impl Columns, column: &str) -> Result<Self, Unreadable> {
                row.$column(column)?.map($made).ok_or(Unreadable)
            }
        }

        impl<'r> Cell<'r> for Option<$type> {
            fn read(row: &'r impl Columns, column: &str) -> Result<Self, Unreadable> {
                Ok(row.$column(column)?.map($made))
            }
        }
    )+)+};
}

cells! {
    text => &'r str: From::from, String: From::from;
    text => Account: Account::from, DeliveryKey: DeliveryKey::from, EventKey: EventKey::from;
    text => ProcessorName: ProcessorName::from, SourceName: SourceName::from;
    integer => i64: From::from;
    flag => bool: From::from;
    bytes => &'r [u8]: From::from;
    uuid => Uuid: From::from, EnvelopeId: EnvelopeId, PersonId: PersonId, GroupId: GroupId, WorkerId: WorkerId;
    uuid => AccountId: AccountId, TransactionId: TransactionId, HoldId: HoldId, LotId: LotId, ChangeId: ChangeId;
    instant => Timestamp: From::from;
    date => Date: From::from;
}

/// One row of a table. Its first column must name the row and be nobody's address: it appears in
/// errors.
pub struct Cells<'r, R> {
    table: &'static str,
    row: &'r R,
}

impl<'r, R: Columns> Cells<'r, R> {
    pub fn of(table: &'static str, row: &'r R) -> Self {
        Self { table, row }
    }

    pub fn get<T: Cell<'r>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::read(self.row, column).map_err(|Unreadable| self.corrupt(column))
    }

    pub fn read<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        read(self.get(column)?).ok_or_else(|| self.corrupt(column))
    }

    /// A number that is never negative.
    pub fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.get(column)?).map_err(|_| self.corrupt(column))
    }

    pub fn digest<const N: usize>(&self, column: &'static str) -> Result<[u8; N], StoreError> {
        self.get::<&[u8]>(column)?.try_into().map_err(|_| self.corrupt(column))
    }

    pub fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, row: self.row.name().unwrap_or_else(|| "?".to_owned()) }
    }
}
