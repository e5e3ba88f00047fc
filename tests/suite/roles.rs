//! One binary, many roles: what each may be asked, and what it answers when it cannot.

use std::process::Command;

use rollbook_tests::{Backends, CYBERSOURCE, Options, Process, World, binary, sign};

const PAYMENT: &str = "transaction_id=7800&decision=ACCEPT&req_amount=15.00&auth_amount=15.00&req_currency=USD\
    &req_merchant_defined_data1=membership&req_merchant_defined_data2=MU\
    &req_merchant_defined_data3=ada%40example.org&signed_date_time=2026-03-01T12%3A00%3A00Z";

/// Nobody listens there.
const NO_BROKER: &str = "amqp://guest:guest@127.0.0.1:1/%2f";

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn ten_that_migrate_at_once_migrate_once() {
    let world = World::new(&Options::default());
    let check = || world.cli(&["migrate", "--check", "--json"]).status.code();
    assert_ne!(check(), Some(0), "nothing is there yet");
    let migrate = || {
        Command::new(binary()).arg("migrate").arg("--config").arg(world.config()).spawn().expect("the binary starts")
    };
    let all: Vec<_> = (0..10).map(|_| migrate()).collect();
    for mut one in all {
        assert!(one.wait().expect("it ends").success());
    }
    assert_eq!(check(), Some(0));
    assert_eq!(world.json(&["migrate"])["applied"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_file_is_a_queue_for_one_process_only() {
    let world = World::new(&Options { embedded: true, ..Options::default() });
    for role in ["ingest", "work"] {
        let output = world.cli(&[role]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("`rollbook up`"), "{}", said(&output));
    }
}

#[test]
fn an_unknown_processor_is_told_the_known_ones() {
    let world = World::new(&Options::default());
    let output = world.cli(&["work", "--only", "memberships"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("membership, waiver"), "{}", said(&output));
}

#[test]
fn a_worker_refuses_a_schema_that_is_not_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let backends = Backends::on(Some(NO_BROKER.to_owned()), None);
    let worker = Process::new("work", folder.path(), &backends, &Options::default());
    let output = worker.cli(&["work"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("run `rollbook"), "{}", said(&output));
}

#[test]
fn ingest_begins_without_a_broker_and_keeps_what_it_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let backends = Backends::on(Some(NO_BROKER.to_owned()), None);
    let mut ingest = Process::new("ingest", folder.path(), &backends, &Options::default());
    assert_eq!(ingest.cli(&["health"]).status.code(), Some(1), "nothing runs yet");
    for spooled in 1..=2 {
        ingest.start(&[]);
        assert_eq!(ingest.cli(&["health", "--ready"]).status.code(), Some(0));
        let signed = sign("cybersource-secure-acceptance", CYBERSOURCE, PAYMENT.as_bytes(), "");
        assert_eq!(ingest.post("cybersource", &signed).status, 200);
        let (_, metrics) = ingest.ops_get("/metrics");
        assert!(metrics.contains(&format!("rollbook_spool_depth {spooled}")), "{metrics}");
        let (status, text) = ingest.ops_get("/readyz");
        assert_eq!(status, 200);
        assert!(text.contains("spool"), "{text}");
        ingest.kill();
    }
}
