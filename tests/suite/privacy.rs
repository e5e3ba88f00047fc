//! No personal data, secret, signature or body in any log line, at any level.

use std::process::{Command, Stdio};

use rollbook_tests::binary;

#[test]
fn the_demonstration_at_trace_level_logs_nothing_personal() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(binary())
        .args(["demo", "-vv", "--events", "600", "--json", "--folder"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{}: {said}", output.status);
    let log = std::fs::read_to_string(folder.path().join("service.log")).unwrap();
    assert!(log.lines().count() > 100, "the log is not at trace level");
    let secrets: Vec<_> = std::fs::read_dir(folder.path().join("secrets"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap().trim().to_owned())
        .collect();
    assert!(!secrets.is_empty());
    let telling = ["@", "%40", "example.org", "signature=", "v1=", "whsec_", "req_bill_to", "Releasor", "forename"];
    for line in log.lines().chain(said.lines()) {
        for word in telling.iter().copied().chain(secrets.iter().map(String::as_str)) {
            assert!(!line.contains(word), "`{word}` in: {line}");
        }
    }
}
