//! Envelopes: the raw requests.

use std::collections::BTreeMap;

use jiff_sqlx::ToSqlx as _;
use rollbook_domain::Envelope;
use rollbook_store::{StoreError, read};
use sqlx::PgConnection;

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
    let headers: Result<Vec<_>, _> = envelopes.iter().map(|envelope| read::headers(envelope)).collect();
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
