//! What the text of the tree must and must not hold.

use std::fs::read_to_string;

use super::{files, shown};

/// Lines over which a file has become two files.
const LONGEST_FILE: usize = 600;

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = files(&[".rs", ".sql", ".toml"])
        .iter()
        .map(|path| (read_to_string(path).unwrap().lines().count(), shown(path)))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines: {long:?}");
}

/// Clippy says so too; this also reads code behind features and in macros.
#[test]
fn only_app_reads_the_clock_and_the_environment() {
    let banned = ["Timestamp::now(", "SystemTime::now(", "Zoned::now(", "env::var(", "now_v7("];
    for path in files(&[".rs"]) {
        let name = shown(&path);
        let free = name.starts_with("crates/app/")
            || name.starts_with("tests/")
            || name.contains("/examples/")
            || name.contains("/tests/");
        if !free {
            let text = read_to_string(&path).unwrap();
            let found: Vec<_> = banned.iter().filter(|call| text.contains(**call)).collect();
            assert!(found.is_empty(), "{name} calls {found:?}; take a clock or an argument");
        }
    }
}

#[test]
fn sql_stands_in_its_adapters_alone() {
    let statements = ["SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE"];
    for path in files(&[".rs"]) {
        let name = shown(&path);
        // The suite of the store tampers with rows, to see that `verify` notices.
        let suite = "crates/store/src/conformance/";
        let holder = ["crates/sqlite/", "crates/store-", "crates/queue-sqlite/", "tests/", suite];
        if !holder.iter().any(|prefix| name.starts_with(prefix)) {
            let text = read_to_string(&path).unwrap();
            assert!(!statements.iter().any(|word| text.contains(word)), "{name} holds SQL");
        }
    }
}

/// A name that says nothing gathers everything.
#[test]
fn no_file_is_named_for_nothing() {
    for path in files(&[".rs"]) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let vague = ["util", "utils", "common", "helper", "helpers", "manager", "misc", "types"];
        assert!(!vague.contains(&stem.as_str()), "{}: name it for what it does", shown(&path));
    }
}

#[test]
fn every_module_says_why_it_is_there() {
    for path in files(&[".rs"]) {
        let text = read_to_string(&path).unwrap();
        let of_tests = shown(&path).contains("tests");
        assert!(of_tests || text.trim_start().starts_with("//!"), "{} has no module documentation", shown(&path));
    }
}

/// The same migrations, by number and name, wherever there is more than one backend.
#[test]
fn migrations_have_parity() {
    let names = |backend: &str| -> Vec<String> {
        let folder = format!("migrations/{backend}/");
        let mut names: Vec<_> = files(&[".sql"])
            .iter()
            .map(|path| shown(path))
            .filter_map(|name| name.strip_prefix(&folder).map(str::to_owned))
            .collect();
        names.sort();
        names
    };
    let sqlite = names("sqlite");
    assert!(sqlite.first().is_some_and(|first| first.starts_with("0001_idempotency")), "idempotency is migration 1");
    for (index, name) in sqlite.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name} breaks the numbering");
    }
    let postgres = names("postgres");
    assert!(postgres.is_empty() || postgres == sqlite, "migrations differ: {sqlite:?} and {postgres:?}");
}

/// Prose that nobody may write: a promise that no system keeps.
#[test]
fn nothing_promises_exactly_once_delivery() {
    for path in files(&[".rs", ".md", ".toml"]) {
        let name = shown(&path);
        let text = read_to_string(&path).unwrap().to_lowercase();
        let phrase = ["exactly", "once", "delivery"].join(" ");
        assert!(!text.contains(&phrase) && !text.contains(&phrase.replacen(' ', "-", 1)), "{name}");
    }
}
