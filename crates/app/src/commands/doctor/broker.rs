//! What the broker's examination means.

use jiff::{SignedDuration, Timestamp};
use rollbook_queue_rabbitmq::{Examination, Greeting, Inside, Node, NodeTrouble, TopologyError};

use super::finding::Check;
use crate::exit::whole;

const REACH: &str = "queue-reachable";
const VERSION: &str = "queue-version";
const CLUSTER: &str = "queue-cluster";
const CERTIFICATE: &str = "queue-certificate";
const TOPOLOGY: &str = "queue-topology";
const PRIVILEGES: &str = "queue-privileges";
const ALARM: &str = "queue-alarm";
const BACKLOG: &str = "queue-backlog";

/// The oldest release with what at-least-once dead-lettering needs.
const OLDEST: (u32, u32) = (3, 10);

/// Time enough for whoever must sign a new one.
const CERTIFICATE_SOON: SignedDuration = SignedDuration::from_hours(21 * 24);

pub fn findings(found: &Examination, now: Timestamp) -> Vec<Check> {
    let mut checks: Vec<Check> = found.nodes.iter().flat_map(|node| of_node(node, now)).collect();
    checks.extend(cluster(&found.nodes));
    match &found.inside {
        Some(Ok(inside)) => checks.extend(of_inside(inside)),
        Some(Err(error)) => checks.extend(unseen(&whole(error), "look at the broker's log, then run this again")),
        None => checks.extend(unseen("no node let us in", "mend `queue-reachable` first")),
    }
    checks
}

fn unseen(why: &str, todo: &str) -> Vec<Check> {
    [TOPOLOGY, PRIVILEGES, ALARM, BACKLOG].map(|name| Check::unseen(name, why, todo)).into()
}

fn of_node(node: &Node, now: Timestamp) -> Vec<Check> {
    let mut checks = vec![reach(node)];
    if let Some(greeting) = &node.greeting {
        checks.push(version(&node.address, greeting));
        checks.extend(greeting.certificate_until.map(|until| certificate(&node.address, until, now)));
    } else {
        checks.push(Check::unseen(
            VERSION,
            &format!("{} does not answer", node.address),
            "mend `queue-reachable` first",
        ));
    }
    checks
}

fn reach(node: &Node) -> Check {
    let address = &node.address;
    match &node.trouble {
        None => Check::ok(REACH, format!("{address} lets us in")),
        Some(NodeTrouble::Away(why)) => Check::problem(
            REACH,
            format!("{address} cannot be reached: {why}"),
            "start RabbitMQ there, open the way to it, or mend `queue.url`",
        ),
        Some(NodeTrouble::Login) => Check::problem(
            REACH,
            format!("{address} knows no such user and password"),
            "mend `queue.url`, or run `rabbitmqctl change_password USER` there",
        ),
        Some(NodeTrouble::VirtualHost(said)) => Check::problem(
            REACH,
            format!("{address} does not let the user into the virtual host: {said}"),
            "mend `queue.url`, or run `rabbitmqctl add_vhost VHOST` and `rabbitmqctl set_permissions` there",
        ),
    }
}

fn version(address: &str, greeting: &Greeting) -> Check {
    let Greeting { product, version, .. } = greeting;
    let detail = format!("{address} is {product} {version}");
    let (major, minor) = OLDEST;
    if product != "RabbitMQ" {
        return Check::warning(
            VERSION,
            detail,
            format!("use RabbitMQ {major}.{minor} or newer; nothing else is tested"),
        );
    }
    match numbers(version) {
        Some(numbers) if numbers >= OLDEST => Check::ok(VERSION, detail),
        _ => Check::problem(VERSION, detail, format!("upgrade it to RabbitMQ {major}.{minor} or newer")),
    }
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-', '+']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Two clusters would each hold half of the work, and only one of them at a time would be drained.
fn cluster(nodes: &[Node]) -> Option<Check> {
    let mut names: Vec<&str> = nodes.iter().filter_map(|node| node.greeting.as_ref()?.cluster.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    let several = names.len() > 1;
    several.then(|| {
        let detail = format!("the nodes of `queue.url` are of several clusters: {}", names.join(", "));
        Check::problem(
            CLUSTER,
            detail,
            "name the nodes of one cluster alone, or join them with `rabbitmqctl join_cluster`",
        )
    })
}

fn certificate(address: &str, until: Timestamp, now: Timestamp) -> Check {
    let left = until.duration_since(now);
    let detail = format!("the certificate of {address} ends at {until}");
    let todo = "renew it, and let RabbitMQ read it again";
    if left <= SignedDuration::ZERO {
        return Check::problem(CERTIFICATE, detail, todo);
    }
    if left < CERTIFICATE_SOON { Check::warning(CERTIFICATE, detail, todo) } else { Check::ok(CERTIFICATE, detail) }
}

fn of_inside(inside: &Inside) -> Vec<Check> {
    let mut checks = topology(inside);
    checks.push(privileges(inside));
    checks.push(alarm(inside.blocked));
    checks.extend(backlog(inside));
    checks
}

fn topology(inside: &Inside) -> Vec<Check> {
    let mut checks: Vec<Check> = inside.wrong.iter().filter_map(differs).collect();
    if let Some(first) = inside.missing.first() {
        let detail = match inside.missing.len() {
            1 => format!("the {first} is not there yet"),
            count => format!("{count} queues and exchanges are not there yet, the {first} among them"),
        };
        checks.push(Check::warning(TOPOLOGY, detail, "run `rollbook work` (or `rollbook up`), which makes them"));
    }
    if checks.is_empty() {
        checks.push(Check::ok(TOPOLOGY, format!("{} queues and exchanges are as they must be", inside.same)));
    }
    checks
}

fn differs(wrong: &TopologyError) -> Option<Check> {
    let TopologyError::Differs { kind, name, argument, said, command } = wrong else { return None };
    let detail = format!("the {kind} {name} differs in {argument} ({said})");
    Some(Check::problem(TOPOLOGY, detail, format!("when nothing is in it any more, run: {command}")))
}

/// What could not be found out is not held against anybody.
fn privileges(inside: &Inside) -> Check {
    let rights = &inside.rights;
    let asked = [("configure", rights.configure), ("publish", rights.publish), ("consume", rights.consume)];
    let lacking: Vec<&str> = asked.iter().filter(|(_, may)| *may == Some(false)).map(|(what, _)| *what).collect();
    if !lacking.is_empty() {
        let detail = format!("the user may not {} what is ours", lacking.join(" or "));
        return Check::problem(PRIVILEGES, detail, format!("run: {}", rights.command));
    }
    let known: Vec<&str> = asked.iter().filter(|(_, may)| *may == Some(true)).map(|(what, _)| *what).collect();
    if known.len() == asked.len() {
        return Check::ok(PRIVILEGES, "the user may configure, publish and consume");
    }
    Check::unseen(PRIVILEGES, "the broker does not tell what the user may do", "try it: `rollbook work`")
}

fn alarm(blocked: bool) -> Check {
    if blocked {
        let detail = "the broker has an alarm and takes nothing new";
        return Check::problem(ALARM, detail, "run `rabbitmqctl status` there, and give it memory or disk");
    }
    Check::ok(ALARM, "the broker has no alarm")
}

fn backlog(inside: &Inside) -> Vec<Check> {
    let mut checks = Vec::new();
    if inside.unrouted > 0 {
        let detail = format!("{} messages found no queue and wait in `unrouted`", inside.unrouted);
        checks.push(Check::warning(
            BACKLOG,
            detail,
            "run `rollbook work`, which makes the queues and moves them there",
        ));
    }
    for (queue, messages) in &inside.unattended {
        let detail = format!("{messages} messages wait in {queue} and nobody consumes them");
        checks.push(Check::warning(BACKLOG, detail, "run `rollbook work`"));
    }
    if checks.is_empty() {
        checks.push(Check::ok(BACKLOG, "nothing waits for nobody"));
    }
    checks
}

#[cfg(test)]
#[path = "broker_tests.rs"]
mod tests;
