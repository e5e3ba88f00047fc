//! Envelopes: the raw requests.

use std::sync::LazyLock;

use rollbook_domain::Envelope;
use rollbook_sqlite::{Bulk, BulkQuery, to_micros};
use rollbook_store::{StoreError, read};
use sqlx::SqliteConnection;

use crate::fault::store_error;
use crate::statements::bulk;

/// Few rows a statement: bodies may be long, and a cached statement keeps its last arguments.
static INSERT: LazyLock<Bulk> = bulk!("envelope_insert", 32);

/// Keeps these; one that is already there stays as it is.
pub async fn keep<'a>(
    connection: &mut SqliteConnection,
    envelopes: impl IntoIterator<Item = &'a Envelope>,
) -> Result<(), StoreError> {
    let rows: Result<Vec<_>, _> =
        envelopes.into_iter().map(|envelope| Ok((envelope, read::headers(envelope)?))).collect();
    INSERT.execute(connection, &rows?, bind).await.map_err(store_error)?;
    Ok(())
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
