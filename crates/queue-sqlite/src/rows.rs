//! Rows to deliveries.

use bytes::Bytes;
use rollbook_domain::{Envelope, EnvelopeId};
use rollbook_queue::{Delivery, DeliveryTag};
use rollbook_sqlite::from_micros;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// Reads a row of [`crate::statements::handed_out`].
pub(crate) fn delivery(row: &SqliteRow) -> Result<Delivery, sqlx::Error> {
    let handed_out: u32 = row.try_get(2)?;
    let failure: Option<&str> = row.try_get(4)?;
    Ok(Delivery {
        tag: DeliveryTag(row.try_get::<i64, _>(0)?.cast_unsigned()),
        envelope: envelope(row)?,
        attempts: row.try_get(1)?,
        redeliveries: handed_out.saturating_sub(1),
        redecide: row.try_get(3)?,
        failure: failure.map(|text| json(text, "a failure")).transpose()?,
    })
}

fn envelope(row: &SqliteRow) -> Result<Envelope, sqlx::Error> {
    Ok(Envelope {
        id: EnvelopeId(row.try_get(5)?),
        source: row.try_get::<&str, _>(6)?.into(),
        delivery_key: row.try_get::<&str, _>(7)?.into(),
        received_at: from_micros(row.try_get(8)?)?,
        headers: json(row.try_get(9)?, "headers")?,
        trace: row.try_get(10)?,
        body: Bytes::from(row.try_get::<Vec<u8>, _>(11)?),
    })
}

/// The parser's own error would quote what it read, which may be somebody's data.
fn json<T: DeserializeOwned>(text: &str, what: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text)
        .map_err(|_| sqlx::Error::Decode(format!("a stored delivery has {what} not in JSON").into()))
}
