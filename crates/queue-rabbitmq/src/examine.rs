//! What an operator wants to know of the broker: whether each node lets us in, whether what we need
//! is there as we need it, and whether we may use it.
//!
//! Looks and makes nothing. A queue that is not there is looked for passively; only one that is there
//! is declared with its arguments, because the broker compares them in no other way. Rights are asked
//! for with requests that the broker refuses for another reason once it has found that we may.

use std::fmt;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::protocol::{AMQPErrorKind, AMQPSoftError, BasicProperties};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties, Error, ErrorKind};
use rollbook_domain::ProcessorName;
use rollbook_queue::DEAD_LETTERS;
use tokio::time::timeout;

use crate::declare::{self, Kind, Standing, TopologyError, close, said, soft, throw_away};
use crate::greeting::{Greeting, greet};
use crate::options::{ConnectError, Options};
use crate::topology::{QueuePlan, Topology, text};
use crate::trouble::{Trouble, answer};

/// Queues that are looked at side by side: a far broker has long ways.
const SIDE_BY_SIDE: usize = 8;

/// For all nodes together to answer, and again for everything that is asked inside.
const PATIENCE: Duration = Duration::from_secs(4);

/// For saying goodbye, which a broker with an alarm does not hear.
const GOODBYE: Duration = Duration::from_millis(300);

/// Everything that was found out. Holds no password.
#[derive(Debug)]
pub struct Examination {
    /// In the order of the list.
    pub nodes: Vec<Node>,
    /// As the first node that let us in shows it; none when none did.
    pub inside: Option<Result<Inside, TopologyError>>,
}

/// One node of the list.
#[derive(Debug)]
pub struct Node {
    /// Host and port.
    pub address: String,
    pub greeting: Option<Greeting>,
    pub trouble: Option<NodeTrouble>,
}

/// Why a node did not let us in, named by what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeTrouble {
    /// Nobody answers, or somebody else.
    Away(String),
    /// User and password are not known there.
    Login,
    /// The user has no access to the virtual host, or there is none of this name.
    VirtualHost(String),
}

/// What the broker holds for us.
#[derive(Debug)]
pub struct Inside {
    /// Exchanges and queues that are there as they must be.
    pub same: usize,
    /// Those that are not there. Whoever publishes or works makes them.
    pub missing: Vec<String>,
    /// Those that differ, or may not be used.
    pub wrong: Vec<TopologyError>,
    /// Messages that found no queue.
    pub unrouted: u64,
    /// Queues in which messages wait though nobody consumes, with their count.
    pub unattended: Vec<(String, u64)>,
    /// The alarm for which the broker takes nothing.
    pub blocked: bool,
    pub rights: Rights,
}

/// What the broker's user may do with what is ours; none where that could not be found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub configure: Option<bool>,
    pub publish: Option<bool>,
    pub consume: Option<bool>,
    /// What grants all of it.
    pub command: String,
}

/// Asks every node, and looks inside through the first that lets us in. Takes nine seconds at most.
pub async fn examine(options: &Options, queues: &[ProcessorName]) -> Result<Examination, ConnectError> {
    let nodes = options.checked()?;
    let topology = Topology::new(&options.prefix, &options.levels);
    let visits = join_all(nodes.into_iter().map(visit)).await;
    let (nodes, connections): (Vec<_>, Vec<_>) = visits.into_iter().unzip();
    let connections: Vec<Connection> = connections.into_iter().flatten().collect();
    let rabbit = nodes.iter().filter_map(|node| node.greeting.as_ref()).any(|greeting| greeting.product == "RabbitMQ");
    let inside = match connections.first() {
        Some(connection) => Some(within(connection, &topology, queues, rabbit).await),
        None => None,
    };
    join_all(connections.iter().map(|connection| timeout(GOODBYE, connection.close(200, "done".into())))).await;
    Ok(Examination { nodes, inside })
}

async fn within(
    connection: &Connection,
    topology: &Topology,
    queues: &[ProcessorName],
    rabbit: bool,
) -> Result<Inside, TopologyError> {
    let looked = timeout(PATIENCE, look_inside(connection, topology, queues, rabbit));
    looked.await.unwrap_or_else(|_| Err(Trouble::Late("queue.declare").into()))
}

async fn visit(node: AMQPUri) -> (Node, Option<Connection>) {
    let address = format!("{}:{}", node.authority.host, node.authority.port);
    let properties = ConnectionProperties::default().with_connection_name("rollbook doctor".into());
    let connects = timeout(PATIENCE, answer("connect", Connection::connect_uri(node.clone(), properties)));
    let (greeting, connected) = tokio::join!(timeout(PATIENCE, greet(node)), connects);
    let greeting = greeting.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
    let connected = connected.unwrap_or(Err(Trouble::Late("connect")));
    let (trouble, connection) = match connected {
        Ok(connection) => (None, Some(connection)),
        // The plain reason is the one of the plain connection.
        Err(trouble) => (Some(refusal(&trouble, greeting.as_ref().err())), None),
    };
    (Node { address, greeting: greeting.ok(), trouble }, connection)
}

fn refusal(trouble: &Trouble, greeting: Option<&std::io::Error>) -> NodeTrouble {
    match trouble {
        Trouble::Broken(error) => match code(error) {
            Some(403) => NodeTrouble::Login,
            Some(530) => NodeTrouble::VirtualHost(said(error)),
            _ => NodeTrouble::Away(greeting.map_or_else(|| said(error), plain)),
        },
        other => NodeTrouble::Away(greeting.map_or_else(|| other.to_string(), plain)),
    }
}

/// The operating system's words without its number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn code(error: &Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some(match error.kind() {
            AMQPErrorKind::Soft(soft) => soft.get_id(),
            AMQPErrorKind::Hard(hard) => hard.get_id(),
        }),
        _ => None,
    }
}

async fn look_inside(
    connection: &Connection,
    topology: &Topology,
    queues: &[ProcessorName],
    rabbit: bool,
) -> Result<Inside, TopologyError> {
    let mut inside = Inside {
        same: 0,
        missing: Vec::new(),
        wrong: Vec::new(),
        unrouted: 0,
        unattended: Vec::new(),
        blocked: false,
        rights: Rights::default(),
    };
    for name in [topology.unrouted(), topology.events()] {
        let standing = declare::compare_exchange(connection, topology, &name).await;
        inside.note(Kind::Exchange, &name, standing)?;
    }
    let mains: Vec<String> = queues.iter().map(|queue| topology.name(queue.as_str())).collect();
    let unrouted = topology.unrouted();
    let mut standings = stream::iter(plans(topology, queues))
        .map(async |plan| (declare::compare_queue(connection, &plan).await, plan))
        .buffered(SIDE_BY_SIDE);
    let mut absent = None;
    while let Some((standing, plan)) = standings.next().await {
        if let Ok(Standing::Same { messages, consumers }) = &standing {
            inside.count(&plan.name, *messages, *consumers, plan.name == unrouted, mains.contains(&plan.name));
        }
        let missing = matches!(standing, Ok(Standing::Missing));
        inside.note(Kind::Queue, &plan.name, standing)?;
        if missing {
            absent = Some(plan);
        }
    }
    inside.rights = rights(connection, topology, &inside, absent, rabbit).await?;
    inside.blocked = connection.status().blocked();
    Ok(inside)
}

/// The base and every queue, each once.
fn plans(topology: &Topology, queues: &[ProcessorName]) -> Vec<QueuePlan> {
    let named = |plan: &QueuePlan| queues.iter().any(|queue| queue.as_str() == plan.key);
    let base = topology.base().into_iter().filter(|plan| !named(plan));
    base.chain(queues.iter().flat_map(|queue| topology.plan(queue.as_str()))).collect()
}

impl Inside {
    /// A broker that goes away in the middle ends it all.
    fn note(&mut self, kind: Kind, name: &str, standing: Result<Standing, TopologyError>) -> Result<(), TopologyError> {
        match standing {
            Ok(Standing::Same { .. }) => self.same += 1,
            Ok(Standing::Missing) => self.missing.push(format!("{kind} {name}")),
            Err(broker @ TopologyError::Broker(_)) => return Err(broker),
            Err(wrong) => self.wrong.push(wrong),
        }
        Ok(())
    }

    fn count(&mut self, name: &str, messages: u64, consumers: u32, unrouted: bool, main: bool) {
        if unrouted {
            self.unrouted = messages;
        } else if main && messages > 0 && consumers == 0 {
            self.unattended.push((name.to_owned(), messages));
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Where the broker is another product, nothing is known of the order of its checks: not asked.
async fn rights(
    connection: &Connection,
    topology: &Topology,
    inside: &Inside,
    absent: Option<QueuePlan>,
    rabbit: bool,
) -> Result<Rights, Trouble> {
    let status = connection.status();
    let everything = format!("'^{}\\.'", topology.prefix().replace('.', "\\."));
    let (vhost, user) = (status.vhost(), status.username());
    let command = format!("rabbitmqctl set_permissions -p {vhost} {user} {everything} {everything} {everything}");
    let forbidden = inside.wrong.iter().any(|wrong| matches!(wrong, TopologyError::Forbidden { .. }));
    let mut rights = Rights { configure: Some(!forbidden), command, ..Rights::default() };
    if !rabbit {
        return Ok(rights);
    }
    if let Some(plan) = absent.filter(|_| !forbidden) {
        rights.configure = may_configure(connection, plan).await?;
    }
    rights.consume = may_consume(connection, &topology.name(DEAD_LETTERS)).await?;
    // Last: a broker with an alarm reads nothing more from whoever has published.
    rights.publish = may_publish(connection, &topology.events()).await?;
    Ok(rights)
}

/// A life of less than nothing is refused, and so nothing is made.
async fn may_configure(connection: &Connection, mut plan: QueuePlan) -> Result<Option<bool>, Trouble> {
    let channel = throw_away(connection).await?;
    plan.arguments.insert("x-expires".into(), AMQPValue::LongLongInt(-1));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared =
        answer("queue.declare", channel.queue_declare(plan.name.as_str().into(), durable, plan.arguments)).await;
    verdict(declared.map(drop))
}

/// A message whose end is no time is refused. It is also the only way to hear of an alarm: the broker
/// tells it to whoever publishes.
async fn may_publish(connection: &Connection, exchange: &str) -> Result<Option<bool>, Trouble> {
    let channel = throw_away(connection).await?;
    // The refusal comes in place of the confirm; whatever else is asked may come too late to be told it.
    answer("confirm.select", channel.confirm_select(ConfirmSelectOptions::default())).await?;
    let never = BasicProperties::default().with_expiration("never".into());
    let publish = channel.basic_publish(exchange.into(), "doctor".into(), BasicPublishOptions::default(), b"", never);
    let confirm = answer("basic.publish", publish).await?;
    verdict(answer("confirm", confirm).await.map(drop))
}

/// A consumer whose priority is no number is refused.
async fn may_consume(connection: &Connection, queue: &str) -> Result<Option<bool>, Trouble> {
    let channel = throw_away(connection).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-priority".into(), text("none"));
    let consume = channel.basic_consume(queue.into(), "doctor".into(), BasicConsumeOptions::default(), arguments);
    let consumed = answer("basic.consume", consume).await.map(drop);
    if consumed.is_ok() {
        close(&channel).await;
    }
    verdict(consumed)
}

/// Refused for what was asked, and not for who asked: may. A queue or exchange that is not there was
/// looked for only after the rights.
fn verdict(asked: Result<(), Trouble>) -> Result<Option<bool>, Trouble> {
    match asked {
        Ok(()) => Ok(None),
        Err(Trouble::Broken(error)) => Ok(match soft(&error) {
            Some(AMQPSoftError::ACCESSREFUSED) => Some(false),
            Some(AMQPSoftError::PRECONDITIONFAILED | AMQPSoftError::NOTFOUND) => Some(true),
            _ => None,
        }),
        Err(trouble) => Err(trouble),
    }
}
