//! Envelopes, and the rows of the outbox that send them.

use bytes::Bytes;
use rollbook_domain::Envelope;
use thiserror::Error;

use crate::cells::{Cells, Columns};
use crate::{OutboxItem, StoreError};

pub fn envelope(row: &impl Columns) -> Result<Envelope, StoreError> {
    let cells = Cells::of("envelope", row);
    Ok(Envelope {
        id: cells.get("id")?,
        source: cells.get("source")?,
        delivery_key: cells.get("delivery_key")?,
        received_at: cells.get("received_at")?,
        headers: cells.read("headers", |text| serde_json::from_str(text).ok())?,
        trace: cells.get("trace")?,
        body: Bytes::copy_from_slice(cells.get("body")?),
    })
}

/// As [`envelope`] reads them.
pub fn headers(envelope: &Envelope) -> Result<String, StoreError> {
    serde_json::to_string(&envelope.headers).map_err(|error| StoreError::Refused(Unwritable(error).into()))
}

#[derive(Debug, Error)]
#[error("headers cannot be written as JSON")]
struct Unwritable(#[source] serde_json::Error);

pub fn outbox_item(row: &impl Columns) -> Result<OutboxItem, StoreError> {
    let cells = Cells::of("outbox", row);
    Ok(OutboxItem {
        id: cells.get("number")?,
        envelope: envelope(row)?,
        to: cells.get("processor")?,
        redecide: cells.get("redecide")?,
    })
}
