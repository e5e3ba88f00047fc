//! Deleting everything of one prefix: for demonstrations and tests, which have a prefix of their own.
//!
//! On a plain connection, not a queue's: that one's publisher declares what it needs whenever it can, and
//! would meet its own deletion half-way (3.10 then ends the connection with `cluster_not_formed`).

use lapin::uri::AMQPUri;
use lapin::{Connection, ConnectionProperties};
use rollbook_domain::ProcessorName;
use rollbook_queue::QueueError;

use crate::declare;
use crate::options::Options;
use crate::topology::Topology;
use crate::trouble::{Trouble, answer};

/// Deletes the queues that these processors use, what every role needs beside them, and all that is in
/// them. Nobody else may use the prefix. What is not there is no error.
pub async fn remove(options: &Options, queues: &[ProcessorName]) -> Result<(), QueueError> {
    let nodes = options.checked().map_err(|error| QueueError::Unavailable(Box::new(error)))?;
    let topology = Topology::new(&options.prefix, &options.levels);
    let connection = connect(nodes).await?;
    let removed = declare::remove(&connection, &topology, queues.iter().map(ProcessorName::as_str)).await;
    // Whether the broker says goodbye is of no interest.
    drop(answer("connection.close", connection.close(200, "done".into())).await);
    Ok(removed?)
}

/// The first node that answers.
async fn connect(nodes: Vec<AMQPUri>) -> Result<Connection, Trouble> {
    let mut trouble = Trouble::NotYet;
    for node in nodes {
        let properties = ConnectionProperties::default().with_connection_name("rollbook remove".into());
        match answer("connect", Connection::connect_uri(node, properties)).await {
            Ok(connection) => return Ok(connection),
            Err(reason) => trouble = reason,
        }
    }
    Err(trouble)
}
