//! Points that callbacks earn, from the request to the balance.

mod any_order;
#[path = "../../crates/points/tests/points/history.rs"]
mod history;
#[path = "../../crates/points/tests/points/world.rs"]
#[expect(dead_code, reason = "the stories of the crate need more of it")]
mod world;

use std::time::{Duration, Instant};

use rollbook_tests::{CLUBHOUSE, Options, World, sign};
use serde_json::{Value, json};

const ADA: &str = "ada@example.org";

/// Nothing expires while this test is still run by anybody.
const RULES: &str = r#"
[points]
expire_after = "90 years"
[[points.earn]]
on = "payment_captured"
purpose = "membership"
per_unit = 1
max_per_member = { points = 60, every = "1 month" }
[[points.earn]]
on = "member_registered"
award = 100
[[points.earn]]
on = "document_completed"
award = 7
"#;

fn club() -> World {
    World::up(&Options { extra: RULES.to_owned(), ..Options::default() })
}

fn say(world: &World, id: &str, kind: &str, at: &str, data: &Value) {
    let body = json!({ "type": kind, "timestamp": at, "data": data }).to_string();
    let signed = sign("standard-webhooks", CLUBHOUSE, body.as_bytes(), id);
    assert_eq!(world.post("clubhouse", &signed).status, 200);
}

fn pays(world: &World, transaction: &str, more: &Value) {
    pays_at(world, transaction, "2026-03-04T15:00:00Z", more);
}

fn pays_at(world: &World, transaction: &str, at: &str, more: &Value) {
    let mut data = json!({ "transaction": transaction, "amount": "40.00", "currency": "USD", "purpose": "membership",
        "category": "NA", "email": " Ada@Example.org" });
    data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    say(world, &format!("pays-{transaction}"), "payment_captured", at, &data);
}

fn returns(world: &World, transaction: &str, refunded: &str) {
    let data = json!({ "transaction": transaction, "refunded": refunded, "currency": "USD" });
    let id = format!("returns-{transaction}-{refunded}");
    say(world, &id, "payment_refunded", "2026-03-05T15:00:00Z", &data);
}

/// Posted, and owed.
fn balance(world: &World, owner: &str) -> (i64, i64) {
    let told = world.json(&["points", "balance", owner]);
    (told["posted"].as_i64().unwrap(), told["owed"].as_i64().unwrap())
}

#[test]
fn a_payment_earns_and_its_refund_takes_back() {
    let world = club();
    pays(&world, "1", &json!({}));
    world.drain();
    assert_eq!(balance(&world, ADA), (100 + 40, 0), "they were registered by it, too");
    say(&world, "signed", "document_completed", "2026-03-04T16:00:00Z", &json!({ "document": "d", "email": ADA }));
    pays(&world, "2", &json!({}));
    pays(&world, "rental", &json!({ "purpose": "rental", "category": null }));
    world.drain();
    assert_eq!(balance(&world, ADA), (100 + 7 + 60, 0), "the cap of the month");
    returns(&world, "1", "10.50");
    world.drain();
    assert_eq!(balance(&world, ADA), (100 + 7 + 60, 0), "69 were earned, which is still above the cap");
    returns(&world, "1", "40.00");
    world.drain();
    assert_eq!(balance(&world, ADA), (100 + 7 + 40, 0));
    let events = world.json(&["events", "list"]);
    let of_rental = events
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["processor"] == "points" && event["event_key"] == "payment:rental:captured");
    assert_eq!(of_rental.map(|event| event["reason"].as_str().unwrap()).collect::<Vec<_>>(), ["no_rule"]);
    world.verified();
}

/// Points are switched on when there are payments already: whoever wants those to earn has them replayed,
/// as often as they like. Switched off, what is left in the queue waits.
#[test]
fn payments_of_before_earn_once_they_are_replayed_to_the_processor() {
    let mut world = World::up(&Options::default());
    pays(&world, "1", &json!({}));
    world.drain();
    let refused = world.cli(&["events", "replay", "--to", "points", "--kind", "payment_captured"]);
    assert_eq!(refused.status.code(), Some(2), "nobody would work on it");
    assert_eq!(world.stop(), Some(0));
    world.configure(&Options { extra: RULES.to_owned(), ..Options::default() });
    world.start(&[]);
    returns(&world, "1", "10.00");
    for _ in 0..2 {
        world.json(&["events", "replay", "--to", "points", "--kind", "payment_captured"]);
        world.drain();
        world.json(&["dead-letters", "replay", "--everything"]);
        world.drain();
    }
    assert_eq!(balance(&world, ADA), (30, 0), "who had registered before is given nothing for it");
    world.verified();
}

/// The refund overtakes its payment, everything comes twice, and what was spent becomes a debt.
#[test]
fn neither_order_nor_repetition_changes_a_balance() {
    let world = club();
    for _ in 0..2 {
        returns(&world, "1", "40.00");
        pays(&world, "1", &json!({}));
        pays(&world, "2", &json!({}));
    }
    world.drain();
    assert_eq!(balance(&world, ADA), (100 + 40, 0));
    world.json(&["points", "redeem", ADA, "130"]);
    say(
        &world,
        "lost",
        "payment_disputed",
        "2026-03-06T15:00:00Z",
        &json!({ "transaction": "2", "dispute": "x", "phase": "lost" }),
    );
    world.drain();
    assert_eq!(balance(&world, ADA), (0, 30));
    assert!(world.json(&["dead-letters", "list"]).as_array().unwrap().is_empty());
    world.verified();
}

/// Whoever sent it has a wrong clock.
#[test]
fn a_payment_from_the_future_lets_nothing_expire() {
    let world = club();
    world.json(&["points", "award", ADA, "30", "--expires", "1 day"]);
    pays_at(&world, "1", "2096-03-04T15:00:00Z", &json!({}));
    world.drain();
    assert_eq!(balance(&world, ADA), (30 + 100 + 40, 0));
    world.verified();
}

#[test]
fn a_history_names_members_by_their_address() {
    let world = club();
    pays(&world, "1", &json!({}));
    world.drain();
    world.json(&["points", "transfer", ADA, "grace@example.org", "5", "--actor", ADA]);
    let history = world.json(&["points", "history", "grace@example.org"]);
    assert_eq!(
        (&history[0]["other_email"], &history[0]["actor_email"]),
        (&json!("Ada@Example.org"), &json!("Ada@Example.org"))
    );
    let history = world.json(&["points", "history", ADA, "--limit", "1"]);
    assert_eq!(history[0]["other_email"], Value::Null, "nobody is registered with that one");
    let text = String::from_utf8(world.cli(&["points", "history", "grace@example.org"]).stdout).unwrap();
    assert!(text.contains("Ada@Example.org") && !text.contains("person:"), "{text}");
}

#[test]
fn what_waits_for_points_that_were_taken_out_of_the_configuration_is_shown() {
    let slow = Options { schedule: r#"["1h"]"#.to_owned(), ..Options::default() };
    let mut world = World::up(&Options { extra: RULES.to_owned(), ..slow.clone() });
    let group = world.json(&["groups", "create", "Hiking"])["id"].as_str().unwrap().to_owned();
    pays(&world, "1", &json!({ "points_group": group }));
    let retrying = || {
        let status = world.json(&["status"]);
        let points = status["queues"].as_array().unwrap().iter().find(|queue| queue["processor"] == "points").unwrap();
        points["retrying"].as_u64().unwrap()
    };
    let deadline = Instant::now() + Duration::from_secs(30);
    while retrying() == 0 {
        assert!(Instant::now() < deadline, "the payment does not wait for its payer to join\n{}", world.log_tail());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(world.stop(), Some(0));
    world.configure(&slow);
    let status = world.json(&["status"]);
    assert_eq!(
        (&status["unattended"][0]["processor"], &status["unattended"][0]["retrying"]),
        (&json!("points"), &json!(1))
    );
}

#[test]
fn a_payment_earns_for_a_group_once_its_payer_belongs_to_it() {
    let world = club();
    let made = world.json(&["groups", "create", "Hiking", "grace@example.org"]);
    let (id, group) = (made["id"].as_str().unwrap(), format!("group:{}", made["id"].as_str().unwrap()));
    pays(&world, "1", &json!({ "points_group": id }));
    pays(&world, "2", &json!({ "points_group": "our hiking group" }));
    world.drain();
    let letters = world.json(&["dead-letters", "list"]);
    let reasons: std::collections::BTreeSet<_> =
        letters.as_array().unwrap().iter().map(|letter| letter["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["bad_group", "not_a_member"].into());
    assert_eq!(balance(&world, ADA), (100, 0), "membership is none of the group's business");
    world.json(&["groups", "join", &group, ADA, "--role", "viewer"]);
    world.json(&["dead-letters", "replay", "--reason", "not_a_member"]);
    world.drain();
    assert_eq!((balance(&world, &group), balance(&world, ADA)), ((40, 0), (100, 0)));
    world.verified();
}
