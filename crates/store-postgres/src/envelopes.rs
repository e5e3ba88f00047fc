//! Envelopes: the raw requests.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff_sqlx::ToSqlx as _;
use rollbook_domain::{Envelope, EnvelopeId};
use rollbook_store::StoreError;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::cells::Cells;
use crate::fault::Complaint;
use crate::statements::{column, execute, sql};

/// Bodies of one statement; a batch of the longest ones must not become one argument.
const MOST_BYTES: usize = 8 << 20;

/// Keeps these; one that is already there stays as it is. In the order of their ids, because the
/// worker of another processor is likely to bring the same ones at the same moment.
pub async fn keep<'a>(
    connection: &mut PgConnection,
    envelopes: impl IntoIterator<Item = &'a Envelope>,
) -> Result<(), StoreError> {
    let sorted: BTreeMap<_, _> = envelopes.into_iter().map(|envelope| (envelope.id, envelope)).collect();
    let sorted: Vec<_> = sorted.into_values().collect();
    let mut rest = sorted.as_slice();
    while !rest.is_empty() {
        let (some, left) = rest.split_at(fitting(rest));
        insert(connection, some).await?;
        rest = left;
    }
    Ok(())
}

/// How many of these go into one statement; at least one.
fn fitting(envelopes: &[&Envelope]) -> usize {
    let mut bytes = 0;
    let fits = |envelope: &&&Envelope| {
        bytes += envelope.body.len();
        bytes <= MOST_BYTES
    };
    envelopes.iter().take_while(fits).count().max(1)
}

async fn insert(connection: &mut PgConnection, envelopes: &[&Envelope]) -> Result<(), StoreError> {
    let headers: Result<Vec<_>, _> = envelopes.iter().map(|envelope| headers(envelope)).collect();
    let query = sqlx::query(sql!("envelope_insert"))
        .bind(column(envelopes, |envelope| envelope.id.0))
        .bind(column(envelopes, |envelope| envelope.source.as_str()))
        .bind(column(envelopes, |envelope| envelope.delivery_key.as_str()))
        .bind(column(envelopes, |envelope| envelope.received_at.to_sqlx()))
        .bind(headers?)
        .bind(column(envelopes, |envelope| envelope.trace.as_deref()))
        .bind(column(envelopes, |envelope| &envelope.body[..]));
    execute(connection, query).await?;
    Ok(())
}

fn headers(envelope: &Envelope) -> Result<String, StoreError> {
    serde_json::to_string(&envelope.headers).map_err(|error| StoreError::Refused(Complaint::Headers(error).into()))
}

pub fn envelope(row: &PgRow) -> Result<Envelope, StoreError> {
    let cells = Cells::of("envelope", row);
    Ok(Envelope {
        id: EnvelopeId(cells.get("id")?),
        source: cells.text("source")?.into(),
        delivery_key: cells.text("delivery_key")?.into(),
        received_at: cells.instant("received_at")?,
        headers: cells.read("headers", |text| serde_json::from_str(text).ok())?,
        trace: cells.maybe_text("trace")?,
        body: Bytes::from(cells.get::<Vec<u8>>("body")?),
    })
}
