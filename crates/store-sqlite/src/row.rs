//! A row of SQLite: instants are whole microseconds, dates are texts, ids are 16 bytes.

use jiff::Timestamp;
use jiff::civil::Date;
use rollbook_store::cells::{Columns, Unreadable};
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, Type};
use uuid::Uuid;

pub struct Row(pub SqliteRow);

impl Row {
    fn get<'r, T>(&'r self, column: &str) -> Result<Option<T>, Unreadable>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        self.0.try_get(column).map_err(|_| Unreadable)
    }
}

impl Columns for Row {
    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable> {
        self.get(column)
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, Unreadable> {
        self.get(column)
    }

    fn flag(&self, column: &str) -> Result<Option<bool>, Unreadable> {
        self.get(column)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable> {
        self.get(column)
    }

    fn uuid(&self, column: &str) -> Result<Option<Uuid>, Unreadable> {
        let bytes = self.bytes(column)?;
        bytes.map(Uuid::from_slice).transpose().map_err(|_| Unreadable)
    }

    fn instant(&self, column: &str) -> Result<Option<Timestamp>, Unreadable> {
        let micros = self.integer(column)?;
        micros.map(rollbook_sqlite::from_micros).transpose().map_err(|_| Unreadable)
    }

    fn date(&self, column: &str) -> Result<Option<Date>, Unreadable> {
        let text = self.text(column)?;
        text.map(str::parse).transpose().map_err(|_| Unreadable)
    }

    fn name(&self) -> Option<String> {
        let text = self.0.try_get::<String, _>(0);
        let number = || self.0.try_get::<i64, _>(0).map(|number| number.to_string());
        let uuid = || Uuid::from_slice(self.0.try_get(0).unwrap_or_default()).map(|uuid| uuid.to_string());
        text.or_else(|_| number()).or_else(|_| uuid()).ok()
    }
}
