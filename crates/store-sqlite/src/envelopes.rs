//! Envelopes: the raw requests.

use std::sync::LazyLock;

use bytes::Bytes;
use rollbook_domain::{Envelope, EnvelopeId};
use rollbook_sqlite::{Bulk, BulkQuery, to_micros};
use rollbook_store::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use crate::cells::Cells;
use crate::fault::{Complaint, store_error};
use crate::statements::bulk;

/// Few rows a statement: bodies may be long, and a cached statement keeps its last arguments.
static INSERT: LazyLock<Bulk> = bulk!("envelope_insert", 32);

/// Keeps these; one that is already there stays as it is.
pub async fn keep<'a>(
    connection: &mut SqliteConnection,
    envelopes: impl IntoIterator<Item = &'a Envelope>,
) -> Result<(), StoreError> {
    let rows: Result<Vec<_>, _> = envelopes.into_iter().map(|envelope| Ok((envelope, headers(envelope)?))).collect();
    INSERT.execute(connection, &rows?, bind).await.map_err(store_error)?;
    Ok(())
}

fn headers(envelope: &Envelope) -> Result<String, StoreError> {
    serde_json::to_string(&envelope.headers).map_err(|error| StoreError::Refused(Complaint::Headers(error).into()))
}

fn bind(query: BulkQuery, (envelope, headers): &(&Envelope, String)) -> BulkQuery {
    query
        .bind(envelope.id.0)
        .bind(envelope.source.as_str().to_owned())
        .bind(envelope.delivery_key.as_str().to_owned())
        .bind(to_micros(envelope.received_at))
        .bind(headers.clone())
        .bind(envelope.trace.clone())
        .bind(envelope.body.to_vec())
}

pub fn envelope(row: &SqliteRow) -> Result<Envelope, StoreError> {
    let cells = Cells::of("envelope", row);
    Ok(Envelope {
        id: EnvelopeId(cells.uuid("id")?),
        source: cells.text("source")?.into(),
        delivery_key: cells.text("delivery_key")?.into(),
        received_at: cells.instant("received_at")?,
        headers: cells.read("headers", |text| serde_json::from_str(text).ok())?,
        trace: cells.maybe_text("trace")?,
        body: Bytes::from(cells.get::<Vec<u8>>("body")?),
    })
}
