//! The real binary from HTTP to records, driven as a person drives it.

use rollbook_tests::{Options, World};
use serde_json::{Value, json};

const ADA: &str = "ada.lovelace@example.org";

/// Sends a sample and expects success.
fn send(world: &World, source: &str, sample: &str, more: &[&str]) {
    let answer = world.json(&[&["send", source, "--sample", sample][..], more].concat());
    assert_eq!(answer["status"], 200, "{source} {sample}: {answer}");
}

fn letters(world: &World) -> Vec<Value> {
    world.json(&["dead-letters", "list"]).as_array().unwrap().clone()
}

/// The outcomes of one event key, as `outcome` or `outcome:reason`.
fn outcomes(world: &World, key: &str) -> Vec<String> {
    let rows = world.json(&["events", "list", "--event-key", key]);
    let told = |row: &Value| match row["reason"].as_str() {
        Some(reason) => format!("{}:{reason}", row["outcome"].as_str().unwrap()),
        None => row["outcome"].as_str().unwrap().to_owned(),
    };
    rows.as_array().unwrap().iter().map(told).collect()
}

#[test]
fn a_payment_becomes_one_membership_however_often_it_is_sent() {
    let world = World::up(&Options::default());
    for _ in 0..3 {
        send(&world, "cybersource", "membership", &["--id", "7012345"]);
    }
    world.drain();
    let member = world.json(&["members", "show", "  Ada.Lovelace@Example.ORG "]);
    let terms = member["memberships"].as_array().unwrap();
    assert_eq!(terms.len(), 1, "{member:#}");
    assert_eq!(terms[0]["payment"], "7012345");
    assert_eq!(terms[0]["status"], "active");
    assert_eq!(terms[0]["refunded"], "0.00");
    assert_eq!(member["person"]["emails"], json!([ADA]));
    assert_eq!(outcomes(&world, "payment:7012345:captured"), ["applied"]);
    assert_eq!(letters(&world), Vec::<Value>::new());
    world.verified();
}

#[test]
fn json_shapes_are_those_that_scripts_rely_on() {
    let world = World::up(&Options::default());
    send(&world, "cybersource", "membership", &["--id", "7100"]);
    send(&world, "docusign", "waiver", &["--id", "doc-1"]);
    send(&world, "cybersource", "unknown-category", &["--id", "7101"]);
    world.drain();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let member = world.json(&["members", "show", ADA]);
    assert_eq!(keys(&member["person"]), ["emails", "id", "name"]);
    let mut membership = [
        "starts",
        "expires",
        "category",
        "amount",
        "currency",
        "payment",
        "paid_at",
        "status",
        "ended_on",
        "end_reason",
        "refunded",
    ];
    membership.sort_unstable();
    assert_eq!(keys(&member["memberships"][0]), membership);
    assert_eq!(keys(&member["waivers"][0]), ["document", "expires", "signed_at", "status"]);
    let events = world.json(&["events", "list"]);
    for name in [
        "envelope",
        "source",
        "processor",
        "event_key",
        "kind",
        "outcome",
        "reason",
        "rules",
        "occurred_at",
        "processed_at",
    ] {
        assert!(keys(&events[0]).contains(&name.to_owned()), "{name}");
    }
    for name in [
        "id",
        "processor",
        "source",
        "event_key",
        "reason",
        "detail",
        "amount",
        "currency",
        "attempts",
        "first_seen",
        "last_seen",
        "state",
    ] {
        assert!(keys(&letters(&world)[0]).contains(&name.to_owned()), "{name}");
    }
    let status = world.json(&["status"]);
    assert_eq!(status["dead_letters"], 1);
    assert_eq!(status["spool"], 0);
    for queue in ["membership", "waiver", "dead-letters", "outbox"] {
        let there = status["queues"].as_array().unwrap().iter().any(|entry| entry["processor"] == queue);
        assert!(there, "{queue} is missing in {status}");
    }
}

#[test]
fn everything_that_is_no_membership_is_ignored_with_a_reason() {
    let world = World::up(&Options::default());
    send(&world, "cybersource", "decline", &["--id", "7201"]);
    send(&world, "cybersource", "review", &["--id", "7202"]);
    send(&world, "cybersource", "rental", &["--id", "7203"]);
    send(&world, "docusign", "guardian-only", &["--id", "doc-2"]);
    world.drain();
    assert_eq!(outcomes(&world, "payment:7201:declined"), ["ignored:declined"]);
    assert_eq!(outcomes(&world, "payment:7202:pending"), ["ignored:pending"]);
    assert_eq!(outcomes(&world, "payment:7203:captured"), ["ignored:not_membership"]);
    assert_eq!(world.json(&["members", "list"]), json!([]));
    world.verified();
}

#[test]
fn a_waiver_is_one_waiver_in_either_format_and_a_void_ends_it() {
    let world = World::up(&Options::default());
    send(&world, "docusign", "waiver", &["--id", "doc-json"]);
    send(&world, "docusign", "waiver-xml", &["--id", "doc-xml"]);
    send(&world, "docusign", "waiver-xml", &["--id", "doc-xml"]);
    world.drain();
    send(&world, "docusign", "voided", &["--id", "doc-json"]);
    world.drain();
    let member = world.json(&["members", "show", ADA]);
    let mut waivers: Vec<_> = member["waivers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|waiver| (waiver["document"].as_str().unwrap(), waiver["status"].as_str().unwrap()))
        .collect();
    waivers.sort_unstable();
    assert_eq!(waivers, [("doc-json", "ended"), ("doc-xml", "active")]);
    world.verified();
}

#[test]
fn a_refund_that_arrives_before_its_payment_waits_for_it() {
    let world = World::up(&Options::default());
    send(&world, "stripe", "refund", &["--id", "pi_early"]);
    send(&world, "stripe", "membership", &["--id", "pi_early"]);
    world.drain();
    let member = world.json(&["members", "show", ADA]);
    assert_eq!(member["memberships"][0]["status"], "ended", "{member:#}");
    assert_eq!(member["memberships"][0]["end_reason"], "refunded");
    assert_eq!(member["memberships"][0]["refunded"], member["memberships"][0]["amount"]);
    assert_eq!(letters(&world), Vec::<Value>::new());
    world.verified();
}

#[test]
fn a_refund_without_a_payment_ends_among_the_dead_letters_and_can_be_replayed() {
    let world = World::up(&Options::default());
    send(&world, "stripe", "refund", &["--id", "pi_lonely"]);
    world.drain();
    let letter = letters(&world).remove(0);
    assert_eq!(letter["reason"], "payment_unknown");
    assert_eq!(letter["attempts"], 4, "the whole schedule was tried: {letter}");
    send(&world, "stripe", "membership", &["--id", "pi_lonely"]);
    world.drain();
    let done = world.json(&["dead-letters", "replay", "--reason", "payment_unknown"]);
    assert_eq!(done["done"], 1);
    world.drain();
    assert_eq!(letters(&world), Vec::<Value>::new());
    assert_eq!(world.json(&["members", "show", ADA])["memberships"][0]["status"], "ended");
    world.verified();
}

#[test]
fn a_mended_price_list_and_a_replay_bring_the_records() {
    let mut world = World::up(&Options::default());
    send(&world, "cybersource", "unknown-category", &["--id", "7301"]);
    send(&world, "cybersource", "wrong-amount", &["--id", "7302"]);
    world.drain();
    let found = letters(&world);
    let reasons: Vec<_> = found.iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["unknown_category", "wrong_amount"]);
    assert!(found[0]["amount"].is_string() && found[0]["currency"] == "USD", "the money at stake: {}", found[0]);

    let dry = world.json(&["dead-letters", "replay", "--reason", "unknown_category", "--dry-run"]);
    assert_eq!((&dry["matching"], &dry["done"]), (&json!(1), &json!(0)));
    assert_eq!(letters(&world), found, "a dry run changes nothing");

    let shown = world.json(&["dead-letters", "show", &found[0]["id"].to_string(), "--body"]);
    let body = shown["body"].as_str().unwrap();
    let category = body.split('&').find_map(|pair| pair.strip_prefix("req_merchant_defined_data2=")).unwrap();
    assert_eq!(world.stop(), Some(0));
    let amount = found[0]["amount"].as_str().unwrap();
    let plan = format!(
        "[[membership.plans]]\ncategory = \"{category}\"\nname = \"New\"\nprice = \"{amount}\"\nvalid_from = \"2015-01-01\"\n"
    );
    world.configure(&Options { extra: plan, ..Options::default() });
    world.start(&[]);
    for _ in 0..2 {
        world.json(&["dead-letters", "replay", &found[0]["id"].to_string()]);
        world.drain();
    }
    let open: Vec<_> = letters(&world).iter().map(|letter| letter["reason"].clone()).collect();
    assert_eq!(open, ["wrong_amount"]);
    assert_eq!(world.json(&["members", "show", ADA])["memberships"].as_array().unwrap().len(), 1);
    assert_eq!(world.json(&["dead-letters", "discard", "--everything"])["done"], 1);
    assert_eq!(letters(&world), Vec::<Value>::new());
    world.verified();
}

#[test]
fn a_source_that_was_missing_can_be_put_back_and_its_dead_letters_replayed() {
    let mut world = World::up(&Options::default());
    assert_eq!(world.stop(), Some(0));
    let whole = std::fs::read_to_string(world.config()).unwrap();
    world.start_with(&[], &[("ROLLBOOK_CRASH_POINT", "worker.loaded:1")]);
    // Killed while it works on it, the callback waits in the queue for a service without its source.
    send(&world, "stripe", "membership", &["--id", "pi_orphan"]);
    while world.ended().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    world.kill();
    let (before, rest) = whole.split_once("[sources.stripe]").unwrap();
    let (_, after) = rest.split_once("[sources.clubhouse]").unwrap();
    std::fs::write(world.config(), format!("{before}[sources.clubhouse]{after}")).unwrap();
    world.start(&[]);
    world.drain();
    assert_eq!(letters(&world)[0]["reason"], "unknown_source");
    assert_eq!(world.stop(), Some(0));
    std::fs::write(world.config(), whole).unwrap();
    world.start(&[]);
    assert_eq!(world.json(&["dead-letters", "replay", "--reason", "unknown_source"])["done"], 1);
    world.drain();
    assert_eq!(letters(&world), Vec::<Value>::new(), "what was read at last is resolved");
    assert_eq!(world.json(&["members", "list"]).as_array().unwrap().len(), 1);
    world.verified();
}

#[test]
fn what_was_ignored_by_mistake_can_be_decided_anew() {
    let mut world = World::new(&Options::default());
    let right = std::fs::read_to_string(world.config()).unwrap();
    let provider = "provider = \"cybersource-secure-acceptance\"";
    let wrong = right.replace(provider, &format!("{provider}\npurpose_field = \"req_merchant_defined_data9\""));
    std::fs::write(world.config(), wrong).unwrap();
    world.start(&[]);
    send(&world, "cybersource", "membership", &["--id", "7801"]);
    world.drain();
    assert_eq!(outcomes(&world, "payment:7801:captured"), ["ignored:not_membership"]);
    assert_eq!(world.stop(), Some(0));
    std::fs::write(world.config(), right).unwrap();
    world.start(&[]);
    let replay = ["events", "replay", "--reason", "not_membership"];
    world.json(&replay);
    world.drain();
    assert_eq!(outcomes(&world, "payment:7801:captured"), ["ignored:not_membership"], "ignored is final");
    world.json(&[&replay[..], &["--redecide"]].concat());
    world.drain();
    assert_eq!(outcomes(&world, "payment:7801:captured"), ["applied"]);
    assert_eq!(world.json(&["members", "list"]).as_array().unwrap().len(), 1);
    world.verified();
}

#[test]
fn a_second_message_that_contradicts_the_first_is_a_dead_letter() {
    let world = World::up(&Options::default());
    send(&world, "cybersource", "membership", &["--id", "7401"]);
    world.drain();
    send(&world, "cybersource", "membership", &["--id", "7401", "--email", "charles.babbage@example.org"]);
    world.drain();
    let found = letters(&world);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["reason"], "conflicting_duplicate");
    assert_eq!(world.json(&["members", "list"]).as_array().unwrap().len(), 1);
    world.verified();
}

#[test]
fn an_unknown_member_is_exit_1_with_nothing_on_standard_output() {
    let world = World::up(&Options::default());
    for address in ["nobody@example.org", "not an address"] {
        let output = world.cli(&["members", "show", address, "--json"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_drain_loses_nothing_and_the_next_start_finishes() {
    let mut world = World::up(&Options::default());
    for n in 0..20 {
        send(
            &world,
            "cybersource",
            "membership",
            &["--id", &format!("75{n:02}"), "--email", &format!("m{n}@example.org")],
        );
    }
    assert_eq!(world.stop(), Some(0), "SIGTERM ends it in good order");
    world.start(&[]);
    world.drain();
    assert_eq!(world.json(&["members", "list"]).as_array().unwrap().len(), 20);
    world.verified();
}

#[test]
fn a_second_service_on_the_same_files_is_refused() {
    let world = World::up(&Options { embedded: true, ..Options::default() });
    let output = world.cli(&["up"]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("another"), "{said}");
}

#[test]
fn metrics_tell_what_happened() {
    let world = World::up(&Options::default());
    send(&world, "cybersource", "membership", &["--id", "7601"]);
    send(&world, "cybersource", "unknown-category", &["--id", "7602"]);
    world.drain();
    let (status, text) = world.ops_get("/metrics");
    assert_eq!(status, 200);
    for line in [
        "rollbook_ingest_requests_total{outcome=\"durable\",source=\"cybersource\"} 2",
        "rollbook_event_outcomes_total{outcome=\"applied\",processor=\"membership\"} 1",
        "rollbook_event_outcomes_total{outcome=\"failed\",processor=\"membership\"} 1",
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    for name in [
        "ingest_ack_seconds",
        "publish_confirm_seconds",
        "spool_depth",
        "delivery_attempts_total",
        "commit_seconds",
        "batch_events",
        "received_to_committed_seconds",
        "queue_ready",
        "queue_oldest_age_seconds",
        "source_last_event_timestamp_seconds",
        "build_info",
    ] {
        assert!(text.contains(&format!("rollbook_{name}")), "{name} is missing");
    }
    assert_eq!(world.ops_get("/healthz").0, 200);
    assert_eq!(world.ops_get("/readyz").0, 200);
}
