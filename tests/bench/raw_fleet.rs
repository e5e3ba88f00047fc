//! What the servers themselves cost on this machine at this moment: the figures to compare with.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Confirmation, Connection, ConnectionProperties};
use rollbook_tests::Backends;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Executor as _};

use crate::{rate, row};

/// About a callback's size.
const BODY: [u8; 600] = [b'x'; 600];

/// Unconfirmed at once, as in our own publisher.
const WINDOW: usize = 500;

const MESSAGES: usize = 20_000;

pub async fn print() -> anyhow::Result<()> {
    let backends = tokio::task::spawn_blocking(Backends::fleet).await?;
    println!("raw RabbitMQ: a bare lapin publisher, one quorum queue, 600-byte messages, each confirmed");
    row(&format!("{WINDOW} in the window"), publishes(&backends).await?, "messages/s");
    println!("raw PostgreSQL: bare UNNEST inserts, 600-byte rows with a unique key, fsync on");
    for (rows_each, commits) in [(1, 2000), (250, 160)] {
        row(&format!("{rows_each} a commit"), inserts(&backends, rows_each, commits).await?, "rows/s");
    }
    println!();
    tokio::task::spawn_blocking(move || backends.clear()).await?;
    Ok(())
}

async fn publishes(backends: &Backends) -> anyhow::Result<f64> {
    let url = backends.broker.as_deref().and_then(|nodes| nodes.split(',').next()).context("a broker")?;
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let name = format!("{}.raw", backends.prefix());
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.as_str().into(), durable, quorum).await?;
    let begun = Instant::now();
    let mut window = FuturesUnordered::new();
    for _ in 0..MESSAGES {
        if window.len() >= WINDOW {
            acked(window.next().await)?;
        }
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        window.push(channel.basic_publish("".into(), name.as_str().into(), options, &BODY, persistent).await?);
    }
    while let Some(confirm) = window.next().await {
        acked(Some(confirm))?;
    }
    let per_second = rate(MESSAGES, begun.elapsed());
    channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await?;
    Ok(per_second)
}

fn acked(confirm: Option<lapin::Result<Confirmation>>) -> anyhow::Result<()> {
    let confirm = confirm.context("a confirm")??;
    ensure!(matches!(confirm, Confirmation::Ack(None)), "the broker did not store a message");
    Ok(())
}

async fn inserts(backends: &Backends, rows_each: usize, commits: usize) -> anyhow::Result<f64> {
    let options: PgConnectOptions = backends.database().context("a database")?.parse()?;
    let mut connection: PgConnection = options.connect().await?;
    connection.execute("DROP TABLE IF EXISTS raw").await?;
    let table = "CREATE TABLE raw (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, body bytea NOT NULL)";
    connection.execute(table).await?;
    let bodies = vec![BODY.to_vec(); rows_each];
    let begun = Instant::now();
    for commit in 0..commits {
        let names: Vec<String> = (0..rows_each).map(|n| format!("payment:{commit}-{n}:captured")).collect();
        sqlx::query("INSERT INTO raw (name, body) SELECT * FROM unnest($1::text[], $2::bytea[])")
            .bind(names)
            .bind(&bodies)
            .execute(&mut connection)
            .await?;
    }
    Ok(rate(rows_each * commits, begun.elapsed()))
}
