use rollbook_queue_rabbitmq::Rights;

use super::super::finding::Status;
use super::*;

fn now() -> Timestamp {
    Timestamp::constant(1_793_491_200, 0)
}

fn greeting(version: &str, cluster: &str) -> Greeting {
    Greeting {
        product: "RabbitMQ".to_owned(),
        version: version.to_owned(),
        cluster: Some(cluster.to_owned()),
        certificate_until: None,
    }
}

fn node(version: &str, cluster: &str) -> Node {
    Node { address: "rabbit:5672".to_owned(), greeting: Some(greeting(version, cluster)), trouble: None }
}

fn away() -> Node {
    let trouble = Some(NodeTrouble::Away("connection refused".to_owned()));
    Node { address: "rabbit:5672".to_owned(), greeting: None, trouble }
}

fn well() -> Inside {
    let may = Some(true);
    let rights = Rights { configure: may, publish: may, consume: may, command: "rabbitmqctl …".to_owned() };
    Inside {
        same: 4,
        missing: Vec::new(),
        wrong: Vec::new(),
        unrouted: 0,
        unattended: Vec::new(),
        blocked: false,
        rights,
    }
}

fn of(checks: &[Check], name: &str) -> Vec<Status> {
    checks.iter().filter(|check| check.name == name).map(|check| check.status).collect()
}

#[test]
fn a_broker_that_is_well_has_no_finding() {
    let found = Examination { nodes: vec![node("3.10.8", "a"), node("4.1.0", "a")], inside: Some(Ok(well())) };
    let checks = findings(&found, now());
    assert!(checks.iter().all(|check| check.status == Status::Ok && check.todo.is_none()), "{checks:?}");
}

#[test]
fn nothing_is_green_that_could_not_be_looked_at() {
    let checks = findings(&Examination { nodes: vec![away()], inside: None }, now());
    assert_eq!(of(&checks, REACH), [Status::Problem]);
    for name in [VERSION, TOPOLOGY, PRIVILEGES, ALARM, BACKLOG] {
        assert_eq!(of(&checks, name), [Status::Warning], "{name}");
    }
    assert!(checks.iter().all(|check| check.todo.is_some()));
}

#[test]
fn one_node_away_hides_nothing_of_the_others() {
    let checks = findings(&Examination { nodes: vec![away(), node("4.0.1", "a")], inside: Some(Ok(well())) }, now());
    assert_eq!(of(&checks, REACH), [Status::Problem, Status::Ok]);
    assert_eq!(of(&checks, TOPOLOGY), [Status::Ok]);
}

#[test]
fn an_old_broker_and_two_clusters_are_problems() {
    for (release, expected) in [("3.9.27", Status::Problem), ("3.10.0-rc.1", Status::Ok), ("what", Status::Problem)] {
        assert_eq!(version("a", &greeting(release, "a")).status, expected, "{release}");
    }
    let stranger = Greeting { product: "LavinMQ".to_owned(), ..greeting("2.0.0", "a") };
    assert_eq!(version("a", &stranger).status, Status::Warning);
    assert!(cluster(&[node("4.0.1", "a"), node("4.0.1", "a")]).is_none());
    assert!(cluster(&[node("4.0.1", "a"), node("4.0.1", "b")]).is_some_and(|check| check.status == Status::Problem));
}

#[test]
fn a_certificate_is_told_three_weeks_before_its_end() {
    for (days, expected) in [(-1, Status::Problem), (20, Status::Warning), (22, Status::Ok)] {
        let until = now() + SignedDuration::from_hours(days * 24);
        assert_eq!(certificate("a", until, now()).status, expected, "{days}");
    }
}

#[test]
fn what_differs_comes_with_its_command() {
    let wrong = TopologyError::Differs {
        kind: "queue",
        name: "club.waiver".to_owned(),
        argument: "x-delivery-limit".to_owned(),
        said: "inequivalent arg".to_owned(),
        command: "rabbitmqctl delete_queue -p / club.waiver".to_owned(),
    };
    let checks = topology(&Inside { wrong: vec![wrong], ..well() });
    assert_eq!(of(&checks, TOPOLOGY), [Status::Problem]);
    assert!(checks[0].todo.as_deref().unwrap().ends_with("run: rabbitmqctl delete_queue -p / club.waiver"));
}

#[test]
fn what_is_missing_is_one_warning() {
    let missing = vec!["queue club.waiver".to_owned(), "queue club.membership".to_owned()];
    let checks = topology(&Inside { missing, ..well() });
    assert_eq!(of(&checks, TOPOLOGY), [Status::Warning]);
    assert!(checks[0].todo.as_deref().unwrap().contains("rollbook work"));
}

#[test]
fn a_right_that_is_missing_is_a_problem_and_one_that_is_unknown_is_not_green() {
    let with = |publish| privileges(&Inside { rights: Rights { publish, ..well().rights }, ..well() });
    assert_eq!(with(Some(false)).status, Status::Problem);
    assert!(with(Some(false)).detail.contains("publish"));
    assert_eq!(with(None).status, Status::Warning);
}

#[test]
fn what_waits_for_nobody_is_a_warning_each() {
    let unattended = vec![("club.waiver".to_owned(), 7)];
    let checks = backlog(&Inside { unrouted: 3, unattended, ..well() });
    assert_eq!(of(&checks, BACKLOG), [Status::Warning, Status::Warning]);
    assert_eq!(alarm(true).status, Status::Problem);
}
