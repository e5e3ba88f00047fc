//! What is declared, and what is said of what differs.

use std::error::Error as _;

use lapin::ConnectionProperties;
use lapin::options::{ExchangeDeclareOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::*;
use crate::topology::{Topology, text};
use crate::{ConnectError, TopologyError};

/// A queue like ours but for one argument.
async fn intrude(broker: &Broker, prefix: &str, argument: &str, value: AMQPValue) {
    let connection = lapin::Connection::connect(&broker.url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut plan = Topology::new(prefix, &[Duration::from_millis(250)]).plan("waiver").remove(0);
    plan.arguments.insert(argument.into(), value);
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(plan.name.into(), durable, plan.arguments).await.unwrap();
}

#[tokio::test]
async fn what_differs_is_named_with_the_way_out() {
    let broker = Broker::of_environment();
    let others = [("x-delivery-limit", AMQPValue::LongInt(7)), ("x-dead-letter-routing-key", text("elsewhere"))];
    for (differs, value) in others {
        let options = broker.options(broker.url.clone());
        let name = format!("{}.waiver", options.prefix);
        intrude(&broker, &options.prefix, differs, value).await;
        let queue = RabbitQueue::connect(options).await.unwrap();
        let error = queue.declare(&names(&["membership", "waiver"])).await.unwrap_err();
        let TopologyError::Differs { name: named, argument, command, .. } = &error else { panic!("{error:?}") };
        assert_eq!((named, argument.as_str()), (&name, differs), "{error}");
        let refused = queue.consumer(&"waiver".into()).await.err().expect("no consumer");
        assert!(refused.source().unwrap().to_string().contains(command), "{refused:?}");
        // The way out leads out.
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        broker.ctl(&words).await;
        queue.declare(&names(&["waiver"])).await.unwrap();
    }
}

#[tokio::test]
async fn an_exchange_that_differs_is_named_too() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let name = format!("{}.events", options.prefix);
    let connection = lapin::Connection::connect(&broker.url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let kind = lapin::ExchangeKind::Topic;
    channel.exchange_declare(name.as_str().into(), kind, durable, FieldTable::default()).await.unwrap();
    let queue = RabbitQueue::connect(options).await.unwrap();
    let error = queue.declare(&[]).await.unwrap_err().to_string();
    assert!(error.contains(&name) && error.contains("'type'") || error.contains("differs in type"), "{error}");
    let unpublished = publish(&queue, 1).await.unwrap_err();
    assert!(unpublished.source().unwrap().to_string().contains(&name), "{unpublished:?}");
}

#[tokio::test]
async fn what_is_declared_already_is_declared_again() {
    let (_broker, queue) = world().await;
    for _ in 0..2 {
        queue.declare(&names(&["membership", "waiver"])).await.unwrap();
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let good = || Options::new(vec!["amqp://guest:secret@localhost/%2f".to_owned()], clock());
    let refused = async |options| RabbitQueue::connect(options).await.unwrap_err();
    assert_eq!(refused(Options { urls: vec![], ..good() }).await, ConnectError::NoNode);
    assert_eq!(refused(Options { levels: vec![], ..good() }).await, ConnectError::Levels);
    assert_eq!(refused(Options { levels: vec![Duration::ZERO], ..good() }).await, ConnectError::Levels);
    assert_eq!(refused(Options { prefetch: 2_001, ..good() }).await, ConnectError::Prefetch);
    assert_eq!(refused(Options { prefix: "a b".to_owned(), ..good() }).await, ConnectError::Prefix);
    let urls = vec!["amqp://ok".to_owned(), "http://guest:secret@localhost".to_owned()];
    let error = refused(Options { urls, ..good() }).await.to_string();
    assert!(error.starts_with("URL 2 of the queue") && !error.contains("secret"), "{error}");
    assert!(!format!("{:?}", good()).contains("secret"));
}
