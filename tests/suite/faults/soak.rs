//! The database dies and comes back in the middle of the soak, while tills are killed.

use std::time::Duration;

use rollbook_tests::{Options, Process, Servers};
use serde_json::Value;

#[test]
fn the_database_dies_in_the_middle_of_the_soak() {
    let servers = Servers::start(&["postgres"]);
    let backends = servers.backends();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let process = Process::new("up", folder.path(), &backends, &Options::default());
    assert!(process.cli(&["migrate"]).status.success());
    let arguments = ["simulate", "--groups", "5", "--members", "20", "--seconds", "45", "--json"];
    let report = std::thread::scope(|scope| {
        let soak = scope.spawn(|| process.cli(&arguments));
        for _ in 0..3 {
            std::thread::sleep(Duration::from_secs(6));
            // SIGQUIT is how it is told to stop at once: it recovers from its log.
            servers.halt("postgres", "QUIT");
            std::thread::sleep(Duration::from_secs(1));
            servers.resume("postgres");
        }
        let output = soak.join().expect("it ends");
        serde_json::from_slice::<Value>(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    });
    assert_eq!(report["ok"], true, "{report}");
    let count = |field: &str| report["tally"][field].as_u64().unwrap_or_default();
    assert!(count("applied") > 500 && report["killed"].as_u64() >= Some(3), "{report}");
    println!("  {report}");
    process.verified();
    backends.clear();
}
