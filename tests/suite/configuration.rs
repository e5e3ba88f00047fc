//! Every configuration mistake gives one clear sentence and exit code 2.

use rollbook_tests::{Options, World};
use rstest::rstest;

/// Puts `now` where `was` stood, and asks both `config check` and `up`.
#[rstest]
#[case::unknown_key("renewal_window_days", "renewal_window", &["renewal_window", "renewal_window_days"])]
#[case::unknown_section("[retry]", "[retries]", &["retries", "retry"])]
#[case::missing_secret("secrets = [{ value = \"invented-docusign-key-for-tests-only\" }]", "", &["docusign", "secret"])]
#[case::absent_variable("{ value = \"invented-docusign-key-for-tests-only\" }", "{ env = \"ROLLBOOK_TEST_ABSENT\" }", &["ROLLBOOK_TEST_ABSENT"])]
#[case::empty_secret("invented-docusign-key-for-tests-only", "", &["docusign", "empty"])]
#[case::bad_time_zone("America/New_York", "America/New_Yrok", &["America/New_Yrok", "America/New_York"])]
#[case::three_decimals("price = \"15.00\"", "price = \"15.001\"", &["15.001"])]
#[case::overlapping_plans("category = \"MG\"", "category = \"MU\"", &["MU", "overlap"])]
#[case::unknown_provider("provider = \"stripe\"", "provider = \"strip\"", &["strip", "stripe"])]
#[case::no_toml("[organisation]", "[organisation", &["rollbook.toml"])]
fn a_mistake_is_one_sentence_and_exit_2(#[case] was: &str, #[case] now: &str, #[case] says: &[&str]) {
    let world = World::new(&Options::default());
    let text = std::fs::read_to_string(world.config()).unwrap();
    assert!(text.contains(was), "the test is out of date");
    std::fs::write(world.config(), text.replace(was, now)).unwrap();
    for command in [&["config", "check"][..], &["up"]] {
        let output = world.cli(command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{command:?}: {said}");
        let sentence: Vec<_> = said.lines().filter(|line| line.starts_with("rollbook: ")).collect();
        assert_eq!(sentence.len(), 1, "{command:?}: {said}");
        for word in says {
            assert!(sentence[0].contains(word), "{word} is missing in: {said}");
        }
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_missing_file_says_how_to_make_one() {
    let world = World::new(&Options::default());
    std::fs::remove_file(world.config()).unwrap();
    let output = world.cli(&["up"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("config init"));
}

#[test]
fn a_switched_off_verifier_needs_the_flag() {
    let mut world = World::new(&Options::default());
    let text = std::fs::read_to_string(world.config()).unwrap();
    let open =
        text.replace("secrets = [{ value = \"invented-cybersource-key-for-tests\" }]", "verifier = \"insecure-none\"");
    assert_ne!(open, text);
    std::fs::write(world.config(), open).unwrap();
    let output = world.cli(&["config", "check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--insecure"));
    world.start_with(&["--insecure"], &[]);
    assert!(world.ops_get("/metrics").1.contains("rollbook_source_insecure{source=\"cybersource\"} 1"));
}

#[test]
fn what_init_writes_is_accepted_and_keeps_its_secrets_to_itself() {
    let world = World::new(&Options::default());
    std::fs::remove_file(world.config()).unwrap();
    assert!(world.cli(&["config", "init"]).status.success());
    let check = world.cli(&["config", "check"]);
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    assert!(check.stderr.is_empty(), "no warning: {}", String::from_utf8_lossy(&check.stderr));
    let shown = String::from_utf8(world.cli(&["config", "show"]).stdout).unwrap();
    for entry in std::fs::read_dir(world.folder().join("secrets")).unwrap() {
        let secret = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!shown.contains(secret.trim()), "config show prints a secret");
    }
    assert_eq!(world.cli(&["config", "init"]).status.code(), Some(1), "it never overwrites unasked");
}
