//! Declaring what we need, and saying how to mend what differs.
//!
//! A declaration that differs from what is there closes its channel, so each runs on a channel that
//! is thrown away. Only a declaration with arguments compares them; a passive one is enough where the
//! user may not configure, and to see whether a queue is still there.

use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Error, ErrorKind, ExchangeKind, Queue};
use thiserror::Error;
use tokio::time::timeout;

use crate::topology::{QueuePlan, Topology, text};
use crate::trouble::{ANSWER, Trouble, answer};

/// Why the broker does not have what we need.
#[derive(Debug, Error)]
pub enum TopologyError {
    /// Made by an older release, by hand or by somebody else: an operator must mend it.
    #[error("the {kind} {name} differs in {argument} ({said}); when nothing is in it any more, run: {command}")]
    Differs { kind: &'static str, name: String, argument: String, said: String, command: String },
    /// The broker's user must be given rights.
    #[error("the user of the broker may not use the {kind} {name} ({said}); run: {command}")]
    Forbidden { kind: &'static str, name: String, said: String, command: String },
    /// Try again later.
    #[error(transparent)]
    Broker(BrokerTrouble),
}

/// The broker is away, or did not answer.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct BrokerTrouble(pub(crate) Trouble);

impl From<Trouble> for TopologyError {
    fn from(trouble: Trouble) -> Self {
        Self::Broker(BrokerTrouble(trouble))
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Exchange,
    Queue,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Queue => "queue",
        }
    }
}

/// What there is of something that we need, looked at without making it.
pub(crate) enum Standing {
    /// With what a queue tells of itself.
    Same {
        messages: u64,
        consumers: u32,
    },
    Missing,
}

pub(crate) async fn throw_away(connection: &Connection) -> Result<Channel, Trouble> {
    answer("channel.open", connection.create_channel()).await
}

/// Ends a channel; whether the broker answers is of no interest.
pub(crate) async fn close(channel: &Channel) {
    drop(timeout(ANSWER / 2, channel.close(200, "done".into())).await);
}

/// The exchange, its alternate, and the two queues that nothing may be lost without.
pub(crate) async fn base(connection: &Connection, topology: &Topology) -> Result<(), TopologyError> {
    let channel = throw_away(connection).await?;
    for name in [topology.unrouted(), topology.events()] {
        let (kind, with) = exchange_plan(topology, &name);
        exchange(&channel, &name, kind, with).await?;
    }
    let [unrouted, dead_letters] = topology.base();
    queue(&channel, &unrouted, &topology.unrouted()).await?;
    queue(&channel, &dead_letters, &topology.events()).await?;
    close(&channel).await;
    Ok(())
}

/// The unroutable goes to everybody who asks for it, everything else to its queue.
fn exchange_plan(topology: &Topology, name: &str) -> (ExchangeKind, FieldTable) {
    let mut with = FieldTable::default();
    if name == topology.unrouted() {
        return (ExchangeKind::Fanout, with);
    }
    with.insert("alternate-exchange".into(), text(&topology.unrouted()));
    (ExchangeKind::Direct, with)
}

/// Compares an exchange that is there.
pub(crate) async fn compare_exchange(
    connection: &Connection,
    topology: &Topology,
    name: &str,
) -> Result<Standing, TopologyError> {
    let channel = throw_away(connection).await?;
    let (kind, with) = exchange_plan(topology, name);
    let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
    let looks = channel.exchange_declare(name.into(), kind.clone(), passive, FieldTable::default());
    match answer("exchange.declare", looks).await {
        Err(Trouble::Broken(error)) if soft(&error) == Some(AMQPSoftError::NOTFOUND) => return Ok(Standing::Missing),
        looked => looked.map_err(|trouble| explain(trouble, Kind::Exchange, name))?,
    }
    exchange(&channel, name, kind, with).await?;
    close(&channel).await;
    Ok(Standing::Same { messages: 0, consumers: 0 })
}

/// Compares a queue that is there. Its binding cannot be asked for.
pub(crate) async fn compare_queue(connection: &Connection, plan: &QueuePlan) -> Result<Standing, TopologyError> {
    let explain = |trouble| explain(trouble, Kind::Queue, &plan.name);
    let Some(found) = look(connection, &plan.name).await.map_err(explain)? else { return Ok(Standing::Missing) };
    let channel = throw_away(connection).await?;
    declare_queue(&channel, plan).await.map_err(explain)?;
    close(&channel).await;
    Ok(Standing::Same { messages: found.message_count().into(), consumers: found.consumer_count() })
}

/// The queues of one processor.
pub(crate) async fn queues(connection: &Connection, topology: &Topology, of: &str) -> Result<(), TopologyError> {
    let channel = throw_away(connection).await?;
    for plan in topology.plan(of) {
        queue(&channel, &plan, &topology.events()).await?;
    }
    close(&channel).await;
    Ok(())
}

/// Deletes the queues of these processors, the base, and the exchanges. What is not there is no error.
pub(crate) async fn remove<'a>(
    connection: &Connection,
    topology: &Topology,
    queues: impl Iterator<Item = &'a str>,
) -> Result<(), Trouble> {
    let channel = throw_away(connection).await?;
    let plans = queues.flat_map(|queue| topology.plan(queue)).chain(topology.base());
    for plan in plans {
        let delete = channel.queue_delete(plan.name.as_str().into(), QueueDeleteOptions::default());
        answer("queue.delete", delete).await?;
    }
    for exchange in [topology.events(), topology.unrouted()] {
        let delete = channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default());
        answer("exchange.delete", delete).await?;
    }
    close(&channel).await;
    Ok(())
}

/// What a queue tells of itself, or nothing when it is not there.
pub(crate) async fn look(connection: &Connection, name: &str) -> Result<Option<Queue>, Trouble> {
    let channel = throw_away(connection).await?;
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    match answer("queue.declare", channel.queue_declare(name.into(), passive, FieldTable::default())).await {
        Ok(queue) => {
            close(&channel).await;
            Ok(Some(queue))
        }
        Err(Trouble::Broken(error)) if soft(&error) == Some(AMQPSoftError::NOTFOUND) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

async fn exchange(channel: &Channel, name: &str, kind: ExchangeKind, with: FieldTable) -> Result<(), TopologyError> {
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared = answer("exchange.declare", channel.exchange_declare(name.into(), kind, durable, with)).await;
    declared.map_err(|trouble| explain(trouble, Kind::Exchange, name))
}

async fn queue(channel: &Channel, plan: &QueuePlan, exchange: &str) -> Result<(), TopologyError> {
    let explain = |trouble| explain(trouble, Kind::Queue, &plan.name);
    declare_queue(channel, plan).await.map_err(explain)?;
    let (key, options) = (plan.key.as_str().into(), QueueBindOptions::default());
    let bind = channel.queue_bind(plan.name.as_str().into(), exchange.into(), key, options, FieldTable::default());
    answer("queue.bind", bind).await.map_err(explain)
}

async fn declare_queue(channel: &Channel, plan: &QueuePlan) -> Result<(), Trouble> {
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declare = channel.queue_declare(plan.name.as_str().into(), durable, plan.arguments.clone());
    answer("queue.declare", declare).await.map(drop)
}

fn explain(trouble: Trouble, kind: Kind, name: &str) -> TopologyError {
    let Trouble::Broken(error) = &trouble else { return trouble.into() };
    let (name, said) = (name.to_owned(), said(error));
    let word = kind.word();
    match soft(error) {
        Some(AMQPSoftError::PRECONDITIONFAILED) => {
            let command = mending(kind, &name, &said);
            TopologyError::Differs { kind: word, argument: argument(&said), name, said, command }
        }
        Some(AMQPSoftError::ACCESSREFUSED) => {
            let command = "rabbitmqctl set_permissions -p VHOST USER '^PREFIX\\.' '^PREFIX\\.' '^PREFIX\\.'".to_owned();
            TopologyError::Forbidden { kind: word, name, said, command }
        }
        _ => trouble.into(),
    }
}

/// `rabbitmqctl` deletes no exchange, so that takes the management tool. Quorum queues refuse to be
/// deleted "if empty", so the operator must look first.
fn mending(kind: Kind, name: &str, said: &str) -> String {
    let vhost = said.split("vhost '").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or("/");
    match kind {
        Kind::Queue => format!("rabbitmqctl delete_queue -p {vhost} {name}"),
        Kind::Exchange => format!("rabbitmqadmin -V {vhost} delete exchange name={name}"),
    }
}

pub(crate) fn soft(error: &Error) -> Option<AMQPSoftError> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => match error.kind() {
            AMQPErrorKind::Soft(soft) => Some(soft.clone()),
            AMQPErrorKind::Hard(_) => None,
        },
        _ => None,
    }
}

pub(crate) fn said(error: &Error) -> String {
    match error.kind() {
        ErrorKind::ProtocolError(error) => error.get_message().to_string(),
        _ => error.to_string(),
    }
}

/// The broker names it between the first quotes: `inequivalent arg 'x-message-ttl' for queue …`.
fn argument(said: &str) -> String {
    said.split('\'').nth(1).unwrap_or("an argument").to_owned()
}
