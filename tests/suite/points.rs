//! Points on the command line: what a till, a volunteer and a script see.
//!
//! Every command here is a process of its own beside a running service.

use std::os::unix::process::ExitStatusExt as _;

use rollbook_crash::COMMAND_POINTS;
use rollbook_tests::{Options, World};
use serde_json::Value;

pub fn outcome(told: &Value) -> (&str, &str) {
    (told["outcome"].as_str().unwrap(), told["reason"].as_str().unwrap_or_default())
}

pub fn balance(world: &World, owner: &str) -> (i64, i64, i64, i64) {
    let told = world.json(&["points", "balance", owner]);
    assert_eq!(told["owner"], owner);
    let number = |field: &str| told[field].as_i64().unwrap();
    (number("posted"), number("held"), number("available"), number("owed"))
}

/// Runs a command that may be refused, and tells what it printed.
pub fn ask(world: &World, arguments: &[&str]) -> Value {
    let output = world.cli(&[&["points"], arguments, &["--json"]].concat());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let expected = i32::from(told["outcome"] != "applied");
    assert_eq!(output.status.code(), Some(expected), "{told}");
    told
}

pub const ADA: &str = "ada@example.org";
pub const GRACE: &str = "grace@example.org";

#[test]
fn the_six_commands_move_what_they_say() {
    let world = World::up(&Options::default());
    assert_eq!(outcome(&ask(&world, &["award", ADA, "100", "--reason", "volunteered"])), ("applied", ""));
    assert_eq!(outcome(&ask(&world, &["redeem", ADA, "30"])), ("applied", ""));
    assert_eq!(outcome(&ask(&world, &["transfer", ADA, GRACE, "20"])), ("applied", ""));
    assert_eq!(balance(&world, ADA), (50, 0, 50, 0));
    let hold = ask(&world, &["hold", ADA, "40"]);
    assert_eq!(balance(&world, ADA), (50, 40, 10, 0));
    let refused = ask(&world, &["redeem", ADA, "11"]);
    assert_eq!(outcome(&refused), ("rejected", "insufficient_points"));
    let sentence = refused["detail"].as_str().unwrap();
    assert!(sentence.contains("50") && sentence.contains("40"), "it tells the balance and what is held: {sentence}");
    let id = hold["id"].as_str().unwrap();
    assert_eq!(outcome(&ask(&world, &["settle", id, "25"])), ("applied", ""));
    assert_eq!(balance(&world, ADA), (25, 0, 25, 0));
    assert_eq!(outcome(&ask(&world, &["void", id])), ("rejected", "hold_settled"));
    let second = ask(&world, &["hold", ADA, "25"]);
    assert_eq!(outcome(&ask(&world, &["void", second["id"].as_str().unwrap()])), ("applied", ""));
    assert_eq!(balance(&world, ADA), (25, 0, 25, 0));
    let third = ask(&world, &["hold", GRACE, "20"]);
    assert_eq!(outcome(&ask(&world, &["settle", third["id"].as_str().unwrap()])), ("applied", ""), "all of it");
    assert_eq!(balance(&world, GRACE), (0, 0, 0, 0));
    world.verified();
}

#[test]
fn the_same_key_gives_the_same_answer() {
    let world = World::up(&Options::default());
    let first = ask(&world, &["award", ADA, "10", "--id", "receipt 77"]);
    let refused = ask(&world, &["redeem", ADA, "11", "--id", "receipt 78"]);
    assert_eq!((&first["repeated"], &refused["repeated"]), (&Value::Bool(false), &Value::Bool(false)));
    ask(&world, &["award", ADA, "100"]);
    let again = |told: &Value| {
        let mut told = told.clone();
        told["repeated"] = true.into();
        told
    };
    assert_eq!(ask(&world, &["award", ADA, "10", "--id", "receipt 77"]), again(&first));
    assert_eq!(ask(&world, &["redeem", ADA, "11", "--id", "receipt 78"]), again(&refused), "a no stays a no");
    let by_id = first["id"].as_str().unwrap();
    assert_eq!(ask(&world, &["award", ADA, "10", "--id", by_id]), again(&first), "the printed id is the same key");
    let other = ask(&world, &["award", ADA, "12", "--id", "receipt 77"]);
    assert_eq!(outcome(&other), ("rejected", "conflicting_duplicate"));
    assert_eq!(other["repeated"], false, "it is another command");
    assert_eq!(balance(&world, ADA), (110, 0, 110, 0));
    world.verified();
}

/// The process is killed on its way to the ledger, before anything is written and after all of it is.
#[test]
fn a_command_that_was_killed_happens_once_when_it_is_asked_again() {
    let world = World::up(&Options::default());
    ask(&world, &["award", ADA, "100"]);
    for (n, point) in COMMAND_POINTS.iter().enumerate() {
        let redeem = ["points", "redeem", ADA, "10", "--id", point, "--json"];
        let killed = world.cli_with(&redeem, &[("ROLLBOOK_CRASH_POINT", point)]);
        assert_eq!((killed.status.signal(), killed.stdout.len()), (Some(9), 0), "{point}: {killed:?}");
        let happened = n + usize::from(*point == "teller.committed");
        let left = |happened: usize| 100 - 10 * i64::try_from(happened).unwrap();
        assert_eq!(balance(&world, ADA).0, left(happened), "{point}");
        assert_eq!(outcome(&ask(&world, &redeem[1..6])), ("applied", ""));
        assert_eq!(balance(&world, ADA).0, left(n + 1), "{point}");
    }
    world.verified();
}

#[test]
fn what_was_spent_already_becomes_a_debt_that_is_paid_first() {
    let world = World::up(&Options::default());
    let award = ask(&world, &["award", ADA, "50"]);
    ask(&world, &["redeem", ADA, "40"]);
    let award = award["id"].as_str().unwrap();
    assert_eq!(outcome(&ask(&world, &["reverse", award])), ("applied", ""));
    assert_eq!(balance(&world, ADA), (0, 0, 0, 40));
    assert_eq!(outcome(&ask(&world, &["reverse", award])), ("rejected", "already_reversed"));
    ask(&world, &["award", ADA, "45"]);
    assert_eq!(balance(&world, ADA), (5, 0, 5, 0));
    world.verified();
}

#[test]
fn mistakes_are_told_and_change_nothing() {
    let world = World::up(&Options::default());
    let code = |arguments: &[&str]| {
        let output = world.cli(arguments);
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(!output.stderr.is_empty(), "{output:?}");
        output.status.code().unwrap()
    };
    assert_eq!(code(&["points", "balance", ADA, "--json"]), 1, "nobody knows this address");
    assert_eq!(code(&["points", "balance", "not an address", "--json"]), 2);
    for amount in ["0", "-5", "1.5", "ten", "9007199254740992", "99999999999999999999"] {
        assert_eq!(code(&["points", "award", ADA, amount, "--json"]), 2, "{amount}");
    }
    assert_eq!(code(&["points", "award", ADA, "5", "--id", "", "--json"]), 2, "it would be everybody's id");
    assert_eq!(code(&["points", "award", ADA, "5", "--expires", "2099-01-01", "--never-expires"]), 2);
    assert_eq!(code(&["points", "transfer", ADA, "Ada@Example.org", "5", "--json"]), 2, "to itself");
    assert_eq!(code(&["points", "award", ADA, "5", "--expires", "2001-01-01", "--json"]), 2);
    assert_eq!(code(&["points", "award", "group:00000000-0000-4000-8000-000000000001", "5", "--json"]), 1);
    assert_eq!(outcome(&ask(&world, &["settle", "no such hold", "5"])), ("rejected", "unknown_hold"));
    assert_eq!(outcome(&ask(&world, &["reverse", "no such transaction"])), ("rejected", "unknown_transaction"));
    world.verified();
}

#[test]
fn the_history_adds_up_and_the_liability_is_what_owners_have() {
    let world = World::up(&Options::default());
    ask(&world, &["award", ADA, "100", "--expires", "2099-12-31", "--reason", "boots, \"wide\""]);
    ask(&world, &["award", ADA, "50"]);
    ask(&world, &["redeem", ADA, "30"]);
    ask(&world, &["redeem", ADA, "500"]);
    let history = world.json(&["points", "history", ADA]);
    let rows = history.as_array().unwrap();
    let applied = rows.iter().filter(|row| row["outcome"] == "applied");
    let amounts: Vec<_> = applied.clone().map(|row| row["amount"].as_i64().unwrap()).collect();
    assert_eq!(amounts, [100, 50, -30]);
    assert_eq!(applied.map(|row| row["posted"].as_i64().unwrap()).collect::<Vec<_>>(), [100, 150, 120]);
    assert_eq!(rows.iter().filter(|row| row["reason"] == "insufficient_points").count(), 1);
    let liability = world.json(&["points", "liability"]);
    assert_eq!((liability["posted"].as_i64(), liability["undated"].as_i64()), (Some(120), Some(50)));
    assert_eq!(liability["expiring"][0]["month"], "2099-12", "a date is valid on its day");
    let statement = world.cli(&["points", "statement", ADA, "--csv"]);
    let text = String::from_utf8(statement.stdout).unwrap();
    assert!(text.starts_with("date,what,points,held,balance,available,owed,for,transaction,hold\n"), "{text}");
    assert!(text.contains(",earned,100,0,100,100,0,\"boots, \"\"wide\"\"\","), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
}

/// The text that a command prints.
fn text(world: &World, arguments: &[&str]) -> String {
    let output = world.cli(&[&["points"], arguments].concat());
    String::from_utf8(output.stdout).unwrap()
}

/// As points that are earned now, unless somebody says otherwise.
#[test]
fn an_award_expires_when_earned_points_would() {
    let rules = "[points]\nexpire_after = \"24 months\"\n[[points.earn]]\non = \"payment_captured\"\nper_unit = 1\n";
    let world = World::up(&Options { extra: rules.to_owned(), ..Options::default() });
    ask(&world, &["award", ADA, "1"]);
    ask(&world, &["award", ADA, "20", "--expires", "2099-12-31"]);
    ask(&world, &["award", ADA, "300", "--never-expires"]);
    let liability = world.json(&["points", "liability"]);
    assert_eq!((&liability["undated"], &liability["expiring"][1]["points"]), (&300.into(), &20.into()));
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let months =
        |count: i64| jiff::Timestamp::now().to_zoned(zone.clone()).checked_add(jiff::Span::new().months(count));
    let expected = months(24).unwrap().strftime("%Y-%m").to_string();
    assert_eq!(liability["expiring"][0]["month"], expected.as_str(), "by the calendar of the club's zone");
    assert_eq!(liability["expiring"][0]["points"], 1);
    assert!(text(&world, &["award", ADA, "4"]).contains(&format!("expires  {expected}")));
    assert!(text(&world, &["award", ADA, "4", "--expires", "2099-12-31"]).contains("at the end of 2099-12-31"));
    assert!(text(&world, &["award", ADA, "4", "--never-expires"]).contains("expires  never"));
    world.verified();
}

#[test]
fn without_a_rule_an_award_never_expires() {
    let world = World::up(&Options::default());
    assert!(text(&world, &["award", ADA, "5"]).contains("expires  never"));
    assert_eq!(world.json(&["points", "liability"])["undated"], 5);
}

#[test]
fn what_is_asked_again_says_so() {
    let world = World::up(&Options::default());
    let award = ["award", ADA, "10", "--id", "receipt 1"];
    assert!(text(&world, &award).starts_with("10 points awarded to ada@example.org\n"));
    assert!(text(&world, &award).starts_with("already applied before, nothing new happened: 10 points awarded"));
    let redeem = ["redeem", ADA, "11", "--id", "receipt 2"];
    assert!(text(&world, &redeem).starts_with("rejected: this needs 11 points and 10 are available"));
    assert!(text(&world, &redeem).starts_with("already rejected before, nothing new happened"));
}

/// Which hold, how much, and what is free again; and why something was refused.
#[test]
fn holds_stand_in_the_history_and_in_the_statement() {
    let world = World::up(&Options::default());
    ask(&world, &["award", ADA, "100"]);
    let hold = ask(&world, &["hold", ADA, "40", "--reason", "quote 12"]);
    let hold = hold["id"].as_str().unwrap();
    assert!(text(&world, &["balance", ADA]).contains(&format!("hold {hold}: 40, expires ")));
    ask(&world, &["redeem", ADA, "61"]);
    ask(&world, &["settle", hold, "25"]);
    let history = world.json(&["points", "history", ADA]);
    let told = |row: &Value| ["amount", "held", "posted", "available"].map(|field| row[field].as_i64().unwrap());
    let rows: Vec<_> = history.as_array().unwrap().iter().map(told).collect();
    assert_eq!(rows, [[100, 0, 100, 100], [0, 40, 100, 60], [0, 0, 100, 60], [-25, -40, 75, 75]]);
    assert_eq!((history[1]["hold"].as_str(), history[3]["hold"].as_str()), (Some(hold), Some(hold)));
    assert!(history[2]["detail"].as_str().unwrap().contains("of which 40 are held"), "{history:#}");
    let printed = text(&world, &["history", ADA]);
    assert!(printed.contains("+40") && printed.contains("this needs 61 points"), "{printed}");
    let statement = text(&world, &["statement", ADA, "--csv"]);
    let lines: Vec<_> = statement.lines().collect();
    assert!(lines[2].contains(",held,0,40,100,60,0,quote 12,"), "{statement}");
    assert!(lines[3].contains(",redeemed,-25,-40,75,75,0,,") && lines[3].ends_with(hold), "{statement}");
    assert_eq!(lines.len(), 4, "what was refused is no part of it");
}

#[test]
fn a_group_is_spent_by_those_who_may() {
    let world = World::up(&Options::default());
    let made = world.json(&["groups", "create", "Hiking", ADA]);
    let group = format!("group:{}", made["id"].as_str().unwrap());
    world.json(&["groups", "join", &group, GRACE, "--role", "viewer"]);
    ask(&world, &["award", &group, "100"]);
    assert_eq!(outcome(&ask(&world, &["redeem", &group, "10", "--actor", ADA])), ("applied", ""));
    assert_eq!(outcome(&ask(&world, &["redeem", &group, "10", "--actor", GRACE])), ("rejected", "not_a_spender"));
    world.json(&["groups", "join", &group, GRACE, "--role", "spender"]);
    assert_eq!(outcome(&ask(&world, &["redeem", &group, "10", "--actor", GRACE])), ("applied", ""));
    world.json(&["groups", "leave", &group, GRACE]);
    assert_eq!(outcome(&ask(&world, &["redeem", &group, "10", "--actor", GRACE])), ("rejected", "not_a_spender"));
    assert_eq!(balance(&world, &group), (80, 0, 80, 0), "the points stay");
    let invited = world.json(&["groups", "invite", &group, "--role", "spender"]);
    world.json(&["groups", "join", invited["code"].as_str().unwrap(), GRACE]);
    assert_eq!(outcome(&ask(&world, &["redeem", &group, "10", "--actor", GRACE])), ("applied", ""));
    let used = world.cli(&["groups", "join", invited["code"].as_str().unwrap(), "eve@example.org", "--json"]);
    assert_eq!(used.status.code(), Some(1), "an invitation is for one person");
    assert_eq!(world.json(&["groups", "members", &group]).as_array().unwrap().len(), 2);
    assert_eq!(world.json(&["groups", "show", &group])["balance"]["available"], 70);
    world.verified();
}

/// Runs these commands at once, a process each, and tells the words of their outcomes.
fn at_once(world: &World, commands: &[Vec<String>]) -> Vec<(String, String)> {
    let start = std::sync::Barrier::new(commands.len());
    std::thread::scope(|scope| {
        let one = |command: &Vec<String>| {
            let words: Vec<_> = command.iter().map(String::as_str).collect();
            start.wait();
            let told = ask(world, &words);
            let (outcome, reason) = outcome(&told);
            (outcome.to_owned(), reason.to_owned())
        };
        let threads: Vec<_> = commands.iter().map(|command| scope.spawn(move || one(command))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn sixty_four_tills_redeem_the_last_points_and_one_gets_them() {
    let world = World::up(&Options::default());
    ask(&world, &["award", ADA, "50"]);
    let told = at_once(&world, &vec![words(&["redeem", ADA, "50"]); 64]);
    assert_eq!(told.iter().filter(|told| told.0 == "applied").count(), 1, "{told:?}");
    assert_eq!(told.iter().filter(|told| told.1 == "insufficient_points").count(), 63, "{told:?}");
    assert_eq!(balance(&world, ADA), (0, 0, 0, 0));
    world.verified();
}

#[test]
fn a_hold_is_settled_or_voided_and_never_both() {
    let world = World::up(&Options::default());
    for _ in 0..5 {
        ask(&world, &["award", ADA, "50"]);
        let before = balance(&world, ADA).0;
        let hold = ask(&world, &["hold", ADA, "50"])["id"].as_str().unwrap().to_owned();
        let mut commands = vec![words(&["settle", &hold, "50"]); 8];
        commands.extend(vec![words(&["void", &hold]); 8]);
        let told = at_once(&world, &commands);
        assert_eq!(told.iter().filter(|told| told.0 == "applied").count(), 1, "{told:?}");
        let settled = told[..8].iter().any(|told| told.0 == "applied");
        let left = if settled { before - 50 } else { before };
        assert_eq!(balance(&world, ADA), (left, 0, left, 0));
    }
    world.verified();
}

#[test]
fn several_members_spend_a_groups_last_points_and_one_gets_them() {
    let world = World::up(&Options::default());
    let made = world.json(&["groups", "create", "Climbing", ADA]);
    let group = format!("group:{}", made["id"].as_str().unwrap());
    let members: Vec<_> = (0..16).map(|n| format!("member{n}@example.org")).collect();
    for member in &members {
        world.json(&["groups", "join", &group, member]);
    }
    ask(&world, &["award", &group, "30"]);
    let commands: Vec<_> = members.iter().map(|member| words(&["redeem", &group, "30", "--actor", member])).collect();
    let told = at_once(&world, &commands);
    assert_eq!(told.iter().filter(|told| told.0 == "applied").count(), 1, "{told:?}");
    assert_eq!(balance(&world, &group), (0, 0, 0, 0));
    world.verified();
}
