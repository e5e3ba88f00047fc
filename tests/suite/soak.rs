//! The soak of the ledger: twenty members of five groups at several tills, of which one is killed now
//! and then, while every invariant is checked.

use rollbook_tests::{Options, World};

/// Seconds that it takes in `tests/run`.
const SECONDS: &str = "60";

#[test]
fn members_and_groups_keep_trading_while_tills_die() {
    let world = World::up(&Options::default());
    let arguments = ["simulate", "--groups", "5", "--members", "20", "--seconds", SECONDS, "--json"];
    let output = world.cli(&arguments);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    assert_eq!(output.status.code(), Some(0), "{report}");
    assert_eq!(report["ok"], true, "{report}");
    let count = |field: &str| report["tally"][field].as_u64().unwrap();
    // A soak in which nothing was refused, or nobody was killed, shows nothing.
    assert!(count("applied") > 1_000 && count("rejected") > 100, "{report}");
    assert!(report["killed"].as_u64() >= Some(5) && report["verified"].as_u64() >= Some(5), "{report}");
    world.verified();
}
