//! A discount paid with points: held at the quote, settled with the bill. Whatever dies in between, the
//! member loses nothing that they were promised, and pays it once.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollbook_crash::COMMAND_POINTS;
use rollbook_domain::{Email, PersonId};
use rollbook_ledger::{Asset, Owner};
use rollbook_tests::{Options, World};
use serde_json::Value;

use crate::points::{ADA, ask, balance, outcome};

const QUOTE: [&str; 6] = ["hold", ADA, "40", "--id", "quote 12", "--never-expires"];
const BILL: [&str; 5] = ["settle", "quote 12", "40", "--id", "bill 12"];

/// The till is killed at this point of its way, and has told nobody anything.
fn killed(world: &World, arguments: &[&str], point: &str) {
    let arguments = [&["points"], arguments, &["--json"]].concat();
    let killed = world.cli_with(&arguments, &[("ROLLBOOK_CRASH_POINT", point)]);
    assert_eq!((killed.status.signal(), killed.stdout.len()), (Some(9), 0), "{point}: {killed:?}");
}

/// The till is killed before anything is written, then after all of it is, then it is let through,
/// and at last it asks once more than it needs to.
fn through_crashes(world: &World, arguments: &[&str]) -> Value {
    for point in COMMAND_POINTS {
        killed(world, arguments, point);
    }
    let told = ask(world, arguments);
    assert_eq!((outcome(&told), &told["repeated"]), (("applied", ""), &Value::Bool(true)), "the second kill was late");
    assert_eq!(ask(world, arguments), told);
    told
}

#[test]
fn a_quote_is_billed_once_whatever_is_killed() {
    let mut world = World::up(&Options::default());
    ask(&world, &["award", ADA, "100"]);
    let quote = through_crashes(&world, &QUOTE);
    assert_eq!(balance(&world, ADA), (100, 40, 60, 0), "held once");
    world.kill();
    let greedy = ask(&world, &["redeem", ADA, "100"]);
    assert_eq!(outcome(&greedy), ("rejected", "insufficient_points"), "nobody else spends what was promised");
    world.start(&[]);
    assert_eq!(balance(&world, ADA), (100, 40, 60, 0));
    through_crashes(&world, &BILL);
    assert_eq!(balance(&world, ADA), (60, 0, 60, 0), "paid once");
    let other = ask(&world, &["settle", quote["id"].as_str().unwrap(), "--id", "bill 12, printed again"]);
    assert_eq!(outcome(&other), ("rejected", "hold_settled"), "another id does not bill it twice either");
    let history = world.json(&["points", "history", ADA]);
    let spent = history.as_array().unwrap().iter().filter(|row| row["amount"].as_i64() < Some(0));
    assert_eq!(spent.count(), 1, "{history:#}");
    world.verified();
}

/// When the only open hold ends.
async fn end_of_hold(world: &World) -> Timestamp {
    let owner = Owner::Person(PersonId::of_first_address(&Email::parse(ADA).unwrap()));
    let holds = world.store().await.open_holds(Asset::Points, owner).await.unwrap();
    assert_eq!(holds.len(), 1);
    holds[0].expires_at.unwrap()
}

fn wait_until(moment: Timestamp) {
    while Timestamp::now() <= moment {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The sweep of the service gives them back; nobody has to ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_is_never_billed_gives_its_points_back() {
    let mut world = World::up(&Options::default());
    ask(&world, &["award", ADA, "100"]);
    ask(&world, &["hold", ADA, "40", "--id", "quote 13", "--expires", "2 seconds"]);
    world.kill();
    assert_eq!(balance(&world, ADA), (100, 40, 60, 0));
    wait_until(end_of_hold(&world).await);
    assert_eq!(balance(&world, ADA), (100, 40, 60, 0), "nothing has moved by itself");
    world.start(&[]);
    let deadline = Timestamp::now() + SignedDuration::from_secs(30);
    while balance(&world, ADA) != (100, 0, 100, 0) {
        assert!(Timestamp::now() < deadline, "the sweep never came:\n{}", world.log_tail());
        std::thread::sleep(Duration::from_millis(50));
    }
    let late = ask(&world, &["settle", "quote 13"]);
    assert_eq!(outcome(&late), ("rejected", "hold_expired"));
    let sentence = late["detail"].as_str().unwrap();
    assert!(sentence.contains("100 points") && sentence.contains("none are held"), "{sentence}");
    let history = world.json(&["points", "history", ADA]);
    let expiry = history.as_array().unwrap().iter().find(|row| row["kind"] == "expire").unwrap();
    assert_eq!((&expiry["held"], &expiry["available"]), (&(-40).into(), &100.into()));
    world.verified();
}

/// Who was quoted in time gets it, though the bill comes after the date of the points.
#[test]
fn points_that_are_held_outlive_their_date() {
    let world = World::up(&Options::default());
    let told = Timestamp::now();
    ask(&world, &["award", ADA, "50", "--expires", "10 seconds"]);
    ask(&world, &QUOTE);
    // An award is made after it was asked for, so this is late enough only once it is seen to be gone.
    wait_until(told + SignedDuration::from_secs(10));
    while ask(&world, &["redeem", ADA, "1"])["balance"]["posted"] != 40 {
        assert!(Timestamp::now() < told + SignedDuration::from_secs(30), "ten points lie there for ever");
    }
    assert_eq!(outcome(&ask(&world, &BILL)), ("applied", ""));
    assert_eq!(balance(&world, ADA), (0, 0, 0, 0));
    world.verified();
}
