//! What an operator is told of the broker.

use lapin::ConnectionProperties;
use lapin::options::QueueDeclareOptions;
use lapin::types::AMQPValue;

use super::*;
use crate::topology::Topology;
use crate::{Inside, NodeTrouble, TopologyError, examine};

async fn look(options: &Options) -> Inside {
    let found = examine(options, &names(&["membership", "waiver", "dead-letters"])).await.unwrap();
    assert_eq!(found.nodes.len(), 1);
    assert_eq!(found.nodes[0].trouble, None);
    found.inside.expect("a node lets us in").unwrap()
}

fn copy(options: &Options) -> Options {
    let urls = options.urls.clone();
    Options { prefix: options.prefix.clone(), levels: options.levels.clone(), ..Options::new(urls, clock()) }
}

#[tokio::test]
async fn looking_makes_nothing_and_then_finds_everything() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let wanted = copy(&options);
    let before = look(&wanted).await;
    assert_eq!((before.same, before.wrong.len()), (0, 0), "{before:?}");
    let again = look(&wanted).await;
    assert_eq!(again.missing, before.missing, "the first look made something");
    assert!(again.missing.contains(&format!("queue {}.waiver", wanted.prefix)), "{again:?}");
    let queue = RabbitQueue::connect(options).await.unwrap();
    queue.declare(&names(&["membership", "waiver", "dead-letters"])).await.unwrap();
    let after = look(&wanted).await;
    assert_eq!((after.missing.len(), after.wrong.len()), (0, 0), "{after:?}");
    // The dead letters have levels, too, which their keeper makes.
    assert!(after.same >= 8, "{after:?}");
}

#[tokio::test]
async fn the_broker_says_who_it_is() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let found = examine(&options, &[]).await.unwrap();
    let greeting = found.nodes[0].greeting.clone().expect("a greeting");
    assert_eq!(greeting.product, "RabbitMQ");
    assert!(greeting.version.starts_with(|digit: char| digit.is_ascii_digit()), "{greeting:?}");
    assert!(greeting.cluster.is_some() && greeting.certificate_until.is_none(), "{greeting:?}");
}

#[tokio::test]
async fn what_differs_is_found_with_its_command_and_left_alone() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let connection = lapin::Connection::connect(&broker.url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut plan = Topology::new(&options.prefix, &[]).plan("waiver").remove(0);
    plan.arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(7));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(plan.name.as_str().into(), durable, plan.arguments).await.unwrap();
    for _ in 0..2 {
        let inside = look(&options).await;
        let [TopologyError::Differs { argument, command, .. }] = &inside.wrong[..] else { panic!("{inside:?}") };
        assert_eq!(argument, "x-delivery-limit");
        assert!(command.starts_with("rabbitmqctl delete_queue ") && command.ends_with(&plan.name), "{command}");
    }
}

#[tokio::test]
async fn rights_are_told_without_using_them() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let prefix = options.prefix.clone();
    let all = look(&options).await.rights;
    assert_eq!((all.configure, all.publish, all.consume), (Some(true), Some(true), Some(true)), "{all:?}");
    let (user, uri) = (format!("{prefix}-reader"), broker.url.parse::<lapin::uri::AMQPUri>().unwrap());
    broker.ctl(&["add_user", &user, "invented"]).await;
    broker.ctl(&["set_permissions", "-p", &uri.vhost, &user, "^$", "^$", &format!("^{prefix}\\.")]).await;
    let (_, rest) = broker.url.split_once('@').unwrap();
    let reader = Options { urls: vec![format!("amqp://{user}:invented@{rest}")], ..copy(&options) };
    for declared in [false, true] {
        if declared {
            let queue = RabbitQueue::connect(copy(&options)).await.unwrap();
            queue.declare(&names(&["membership", "waiver", "dead-letters"])).await.unwrap();
        }
        let inside = look(&reader).await;
        let rights = &inside.rights;
        let told = (rights.configure, rights.publish, rights.consume);
        assert_eq!(told, (Some(false), Some(false), Some(true)), "{inside:?}");
        assert!(rights.command.contains(&format!("{user} '^{prefix}\\.'")), "{}", rights.command);
    }
    broker.ctl(&["delete_user", &user]).await;
}

#[tokio::test]
async fn who_does_not_let_us_in_says_why() {
    let broker = Broker::of_environment();
    let (_, rest) = broker.url.split_once('@').unwrap();
    let stranger = format!("amqp://nobody:wrong@{rest}");
    let nowhere = format!("{}-of-nowhere", broker.url.split('?').next().unwrap());
    let closed = broker.url_at("127.0.0.1:1");
    for (url, expected) in [(stranger, "Login"), (nowhere, "VirtualHost"), (closed, "Away")] {
        let options = broker.options(url);
        let found = examine(&options, &names(&["waiver"])).await.unwrap();
        assert!(found.inside.is_none());
        let trouble = found.nodes[0].trouble.clone().unwrap();
        assert!(format!("{trouble:?}").starts_with(expected), "{trouble:?}");
        assert!(!format!("{found:?}").contains("wrong"), "{found:?}");
    }
}

#[tokio::test]
async fn a_node_that_is_away_hides_no_other() {
    let broker = Broker::of_environment();
    let mut options = broker.options(broker.url_at("127.0.0.1:1"));
    options.urls.push(broker.url.clone());
    let found = examine(&options, &[]).await.unwrap();
    assert!(matches!(found.nodes[0].trouble, Some(NodeTrouble::Away(_))), "{found:?}");
    assert!(found.nodes[1].trouble.is_none() && found.inside.is_some_and(|inside| inside.is_ok()));
}

/// What waits where nobody consumes is counted, and so is what found no queue.
#[tokio::test]
async fn what_waits_for_nobody_is_counted() {
    let broker = Broker::of_environment();
    let options = broker.options(broker.url.clone());
    let wanted = copy(&options);
    let queue = queue(options).await;
    publish(&queue, 1).await.unwrap();
    queue.publisher().publish(message(2, &["nobody"])).await.unwrap();
    let inside = look(&wanted).await;
    assert_eq!(inside.unattended, [(format!("{}.membership", wanted.prefix), 1)], "{inside:?}");
    assert_eq!(inside.unrouted, 1);
    assert!(!inside.blocked);
}
