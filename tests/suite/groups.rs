//! Groups on the command line: nothing happens to one twice, and nothing stays unexplained.

use rollbook_tests::{Options, World};
use serde_json::{Value, json};

const ADA: &str = "ada@example.org";
const BOB: &str = "bob@example.org";
const GRACE: &str = "grace@example.org";

/// Runs a command that may be refused, and tells what it printed.
fn ask(world: &World, arguments: &[&str]) -> Value {
    let output = world.cli(&[&["groups"], arguments, &["--json"]].concat());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let expected = i32::from(told["outcome"] != "applied");
    assert_eq!(output.status.code(), Some(expected), "{told}");
    told
}

fn text(world: &World, arguments: &[&str]) -> String {
    let output = world.cli(&[&["groups"], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn history(world: &World, group: &str) -> Vec<Value> {
    world.json(&["groups", "history", group]).as_array().unwrap().clone()
}

#[test]
fn whatever_happens_to_a_group_is_told_with_who_asked_and_why() {
    let world = World::up(&Options::default());
    let because = |reason| ["--actor", ADA, "--reason", reason];
    let made = ask(&world, &[&["create", "Hiking", ADA][..], &because("voted in May")].concat());
    let group = made["group"].as_str().unwrap();
    assert_eq!(made["id"], group, "a group has the id of the command that made it");
    ask(&world, &[&["join", group, BOB, "--role", "viewer"][..], &because("new here")].concat());
    ask(&world, &[&["join", group, BOB, "--role", "spender"][..], &because("buys the maps")].concat());
    ask(&world, &["leave", group, BOB, "--actor", BOB, "--reason", "moved away"]);
    let invited = ask(&world, &[&["invite", group, "--role", "viewer"][..], &because("a guest")].concat());
    ask(&world, &["join", invited["code"].as_str().unwrap(), GRACE]);
    let refused = ask(&world, &["leave", group, ADA]);
    assert_eq!((&refused["reason"], &refused["group"]), (&json!("last_owner"), &made["group"]));
    assert!(refused["detail"].as_str().unwrap().contains("last owner"), "{refused}");

    let told = history(&world, group);
    let column = |field: &str| told.iter().map(|change| change[field].clone()).collect::<Vec<_>>();
    assert_eq!(column("kind"), ["created", "joined", "role_changed", "left", "invited", "joined"]);
    let roles = ["owner", "viewer", "spender", "spender", "viewer", "viewer"];
    assert_eq!(column("role"), roles, "the one given, the one they had when they left, or the one offered");
    let reasons = json!(["voted in May", "new here", "buys the maps", "moved away", "a guest", null]);
    assert_eq!(json!(column("reason")), reasons);
    let members = world.json(&["groups", "members", group]);
    let person = |role: &str| members.as_array().unwrap().iter().find(|member| member["role"] == role).unwrap();
    let (ada, bob) = (person("owner")["person"].clone(), person("spender")["person"].clone());
    let grace = person("viewer")["person"].clone();
    assert_eq!(column("person"), [ada.clone(), bob.clone(), bob.clone(), bob.clone(), Value::Null, grace]);
    assert_eq!(column("actor"), [ada.clone(), ada.clone(), ada.clone(), bob, ada, Value::Null]);
    assert_eq!(told[5]["invitation"], invited["id"], "who let them in");
    let shown = text(&world, &["history", group]);
    assert!(shown.contains("buys the maps") && shown.contains("joined (by invitation)"), "{shown}");
    assert!(!shown.contains(invited["code"].as_str().unwrap()), "the code is a secret");
    world.verified();
}

#[test]
fn the_same_key_changes_a_group_once() {
    let world = World::up(&Options::default());
    let create = ["create", "Hiking", ADA, "--id", "minutes of May"];
    let made = ask(&world, &create);
    let group = made["group"].as_str().unwrap();
    let join = ["join", group, BOB, "--id", "minutes of June", "--reason", "voted in"];
    let joined = ask(&world, &join);
    ask(&world, &["leave", group, BOB]);
    let invite = ["invite", group, "--id", "minutes of July"];
    let invited = ask(&world, &invite);
    let before = history(&world, group);

    let again = ask(&world, &create);
    assert_eq!((&again["id"], &again["repeated"]), (&made["id"], &json!(true)));
    assert_eq!(ask(&world, &join)["repeated"], true);
    let printed = ["join", group, BOB, "--id", joined["id"].as_str().unwrap()];
    assert_eq!(ask(&world, &printed)["repeated"], true, "the printed id is the same key");
    let again = ask(&world, &invite);
    assert_eq!((&again["id"], &again["code"], &again["repeated"]), (&invited["id"], &Value::Null, &json!(true)));
    assert!(text(&world, &join).contains("already applied before, nothing new happened"));
    assert!(text(&world, &invite).contains("is not kept"));
    for other in [
        &["join", group, GRACE, "--id", "minutes of June"][..],
        &["join", group, BOB, "--id", "minutes of June", "--actor", ADA],
        &["create", "Climbing", ADA, "--id", "minutes of May"],
        &["leave", group, BOB, "--id", "minutes of July"],
    ] {
        assert_eq!(ask(&world, other)["reason"], "conflicting_duplicate", "{other:?}");
    }
    assert_eq!(history(&world, group), before, "nothing happened since");
    let members = world.json(&["groups", "members", group]);
    let gone = members.as_array().unwrap().iter().filter(|member| !member["left_at"].is_null());
    assert_eq!(gone.count(), 1, "who left does not come back by a repeated command");
    world.verified();
}

#[test]
fn what_was_so_already_is_kept_with_its_key() {
    let world = World::up(&Options::default());
    let made = ask(&world, &["create", "Hiking", ADA]);
    let group = made["group"].as_str().unwrap();
    ask(&world, &["join", group, BOB]);
    assert!(text(&world, &["join", group, BOB, "--id", "late"]).contains("(it was so already)"));
    ask(&world, &["leave", group, BOB]);
    assert_eq!(ask(&world, &["join", group, BOB, "--id", "late"])["repeated"], true);
    let kinds: Vec<_> = history(&world, group).iter().map(|change| change["kind"].clone()).collect();
    assert_eq!(kinds, ["created", "joined", "unchanged", "left"]);
    world.verified();
}

#[test]
fn mistakes_about_groups_are_told_and_change_nothing() {
    let world = World::up(&Options::default());
    let made = ask(&world, &["create", "Hiking", ADA]);
    let group = made["group"].as_str().unwrap();
    let code = |arguments: &[&str]| {
        let output = world.cli(&[&["groups"], arguments, &["--json"]].concat());
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{output:?}");
        output.status.code().unwrap()
    };
    assert_eq!(code(&["join", group, BOB, "--actor", "nobody"]), 2);
    assert_eq!(code(&["join", group, BOB, "--reason", "two\nlines"]), 2);
    assert_eq!(code(&["leave", group, BOB, "--reason", &"x".repeat(501)]), 2);
    assert_eq!(code(&["history", "Hiking"]), 2);
    assert_eq!(code(&["history", "group:00000000-0000-4000-8000-000000000001"]), 1);
    let nowhere = ask(&world, &["join", "00000000-0000-4000-8000-000000000001", BOB]);
    assert_eq!(nowhere["reason"], "unknown_group");
    assert_eq!(ask(&world, &["join", "join-0123", BOB])["reason"], "unknown_invitation");
    assert_eq!(history(&world, group).len(), 1);
    world.verified();
}
