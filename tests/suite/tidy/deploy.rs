//! What `deploy/` says of the program is what the program is: metric names and configuration keys.

use std::collections::BTreeSet;
use std::fs::{create_dir_all, read_to_string, write};
use std::path::Path;
use std::process::{Command, Output};

use super::{files, root, shown};

const EXAMPLE: &str = "deploy/rollbook.example.toml";
const COMPOSE: &str = "deploy/compose/secrets/rollbook.toml";

/// The words of `text` that begin with `rollbook_`, without that prefix.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    text.split("rollbook_").skip(1).filter_map(|rest| rest.split(ends).next()).collect()
}

/// Whether telemetry has this metric. A histogram is read by the names of its parts.
fn has(list: &str, metric: &str) -> bool {
    let parts = ["_bucket", "_sum", "_count"].into_iter().filter_map(|part| metric.strip_suffix(part));
    std::iter::once(metric).chain(parts).any(|name| list.contains(&format!("\"{name}\"")))
}

/// An alert over a name that nobody exports never fires, and nobody notices.
#[test]
fn alerts_and_dashboards_name_metrics_that_exist() {
    let list = read_to_string(root().join("crates/telemetry/src/metrics.rs")).unwrap();
    let mut seen = 0;
    for path in files(&[".yml", ".yaml", ".json"]).iter().filter(|path| shown(path).starts_with("deploy/")) {
        let text = read_to_string(path).unwrap();
        for metric in metrics_in(&text) {
            assert!(has(&list, metric), "{} reads rollbook_{metric}, which nothing exports", shown(path));
            seen += 1;
        }
    }
    assert!(seen > 20, "only {seen} names found: the test looks in the wrong place");
}

/// The keys that a configuration gives or shows in a comment.
fn keys_in(text: &str) -> BTreeSet<&str> {
    text.lines()
        .map(|line| line.trim_start_matches(['#', ' ']))
        .filter_map(|line| line.split_once(" = "))
        .map(|(key, _)| key)
        .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect()
}

#[test]
fn the_fleets_example_shows_every_key_that_init_writes() {
    let template = read_to_string(root().join("crates/app/src/config/template.toml")).unwrap();
    let example = read_to_string(root().join(EXAMPLE)).unwrap();
    let missing: Vec<_> = keys_in(&template).difference(&keys_in(&example)).copied().collect();
    assert!(missing.is_empty(), "{EXAMPLE} lacks {missing:?}");
}

/// Writes the secrets that `deployed` names into `folder`, and the configuration that names them there.
fn prepare(deployed: &str, folder: &Path) {
    let mut text = read_to_string(root().join(deployed)).unwrap();
    create_dir_all(folder.join("secrets")).unwrap();
    for place in ["/run/secrets", "/run/credentials/rollbook-ingest.service"] {
        text = text.replace(place, "secrets");
    }
    for secret in ["cybersource", "docusign", "stripe"] {
        write(folder.join("secrets").join(secret), format!("whsec_invented-{secret}-key-for-tests\n")).unwrap();
    }
    write(folder.join("rollbook.toml"), text).unwrap();
}

fn rollbook(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(rollbook_tests::binary());
    command.args(arguments).current_dir(folder).env_remove("ROLLBOOK_CONFIG").output().expect("the binary runs")
}

#[rstest::rstest]
#[case(EXAMPLE)]
#[case(COMPOSE)]
fn deployed_configurations_are_accepted_without_a_warning(#[case] deployed: &str) {
    let folder = tempfile::tempdir().unwrap();
    prepare(deployed, folder.path());
    let check = rollbook(folder.path(), &["config", "check"]);
    let said = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(check.status.success(), "{deployed}: {said}");
    assert!(said.is_empty(), "{deployed}: {said}");
}
