//! Reading a row: what cannot be read is named by table, column and row.

use jiff::Timestamp;
use jiff::civil::Date;
use rollbook_domain::{EventKey, PersonId};
use rollbook_store::StoreError;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Decode, Row as _, Sqlite, Type};
use uuid::Uuid;

/// One row of a table. Its first column must name the row and be nobody's address: it appears in
/// errors.
pub struct Cells<'r> {
    pub table: &'static str,
    pub row: &'r SqliteRow,
}

impl<'r> Cells<'r> {
    pub fn of(table: &'static str, row: &'r SqliteRow) -> Self {
        Self { table, row }
    }

    pub fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
        &'static str: ColumnIndex<SqliteRow>,
    {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    pub fn read<T>(&self, column: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        read(self.get(column)?).ok_or_else(|| self.corrupt(column))
    }

    pub fn text(&self, column: &'static str) -> Result<&'r str, StoreError> {
        self.get(column)
    }

    pub fn maybe_text(&self, column: &'static str) -> Result<Option<String>, StoreError> {
        self.get(column)
    }

    /// A number that is never negative.
    pub fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T, StoreError> {
        T::try_from(self.get::<i64>(column)?).map_err(|_| self.corrupt(column))
    }

    pub fn instant(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        rollbook_sqlite::from_micros(self.get(column)?).map_err(|_| self.corrupt(column))
    }

    pub fn maybe_instant(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let micros: Option<i64> = self.get(column)?;
        micros.map(|micros| rollbook_sqlite::from_micros(micros).map_err(|_| self.corrupt(column))).transpose()
    }

    pub fn date(&self, column: &'static str) -> Result<Date, StoreError> {
        self.read(column, |text| text.parse().ok())
    }

    pub fn maybe_date(&self, column: &'static str) -> Result<Option<Date>, StoreError> {
        let text: Option<&str> = self.get(column)?;
        text.map(|text| text.parse().map_err(|_| self.corrupt(column))).transpose()
    }

    pub fn uuid(&self, column: &'static str) -> Result<Uuid, StoreError> {
        Uuid::from_slice(self.get(column)?).map_err(|_| self.corrupt(column))
    }

    pub fn maybe_person(&self, column: &'static str) -> Result<Option<PersonId>, StoreError> {
        Ok(self.maybe_uuid(column)?.map(PersonId))
    }

    pub fn maybe_uuid(&self, column: &'static str) -> Result<Option<Uuid>, StoreError> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes.map(|bytes| Uuid::from_slice(bytes).map_err(|_| self.corrupt(column))).transpose()
    }

    pub fn event_key(&self) -> Result<EventKey, StoreError> {
        self.text("event_key").map(EventKey::new)
    }

    pub fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, row: self.name() }
    }

    fn name(&self) -> String {
        let text = self.row.try_get::<String, _>(0);
        let number = || self.row.try_get::<i64, _>(0).map(|number| number.to_string());
        let uuid = || Uuid::from_slice(self.row.try_get(0).unwrap_or_default()).map(|uuid| uuid.to_string());
        text.or_else(|_| number()).or_else(|_| uuid()).unwrap_or_else(|_| "?".to_owned())
    }
}
