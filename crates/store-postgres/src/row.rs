//! A row of PostgreSQL, which has a type for everything.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::{Date as SqlDate, Timestamp as SqlTimestamp};
use rollbook_store::cells::{Columns, Unreadable};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Row as _, Type};
use uuid::Uuid;

pub struct Row(pub PgRow);

impl Row {
    fn get<'r, T>(&'r self, column: &str) -> Result<Option<T>, Unreadable>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        self.0.try_get(column).map_err(|_| Unreadable)
    }
}

impl Columns for Row {
    fn text(&self, column: &str) -> Result<Option<&str>, Unreadable> {
        self.get(column)
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, Unreadable> {
        Ok(self.get(column)?.map(|Integer(number)| number))
    }

    fn flag(&self, column: &str) -> Result<Option<bool>, Unreadable> {
        self.get(column)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, Unreadable> {
        self.get(column)
    }

    fn uuid(&self, column: &str) -> Result<Option<Uuid>, Unreadable> {
        self.get(column)
    }

    fn instant(&self, column: &str) -> Result<Option<Timestamp>, Unreadable> {
        Ok(self.get(column)?.map(SqlTimestamp::to_jiff))
    }

    fn date(&self, column: &str) -> Result<Option<Date>, Unreadable> {
        Ok(self.get(column)?.map(SqlDate::to_jiff))
    }

    fn name(&self) -> Option<String> {
        let text = self.0.try_get::<String, _>(0);
        let number = || self.0.try_get::<i64, _>(0).map(|number| number.to_string());
        let uuid = || self.0.try_get::<Uuid, _>(0).map(|uuid| uuid.to_string());
        text.or_else(|_| number()).or_else(|_| uuid()).ok()
    }
}

/// `smallint`, `integer` and `bigint` alike; the driver would take each for a type of its own.
struct Integer(i64);

impl Type<Postgres> for Integer {
    fn type_info() -> PgTypeInfo {
        <i64 as Type<Postgres>>::type_info()
    }

    fn compatible(found: &PgTypeInfo) -> bool {
        <i64 as Type<Postgres>>::compatible(found)
            || <i32 as Type<Postgres>>::compatible(found)
            || <i16 as Type<Postgres>>::compatible(found)
    }
}

impl<'r> Decode<'r, Postgres> for Integer {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<'r, Postgres>>::decode(value).map(Self)
    }
}
