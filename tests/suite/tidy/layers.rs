//! Which crate may use which.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// DESIGN section 2: crate, layer, and the crates of ours that it may use. The words come first: those of
/// callbacks, and upon them those of the ledger, which both stores carry out. Nothing points sideways
/// within a layer; shells never see adapters; adapters never see processors.
const LAYERS: &[(&str, u8, &[&str])] = &[
    ("domain", 0, &[]),
    ("crash", 2, &[]),
    ("sqlite", 2, &[]),
    ("telemetry", 2, &[]),
    ("providers", 2, &["domain"]),
    ("membership", 2, &["domain"]),
    ("waiver", 2, &["domain"]),
    ("points", 2, &["domain"]),
    ("ledger", 1, &["domain"]),
    ("queue", 2, &["domain"]),
    ("store", 2, &["domain", "ledger"]),
    ("queue-rabbitmq", 3, &["domain", "queue"]),
    ("queue-sqlite", 3, &["domain", "queue", "sqlite"]),
    ("store-postgres", 3, &["domain", "ledger", "store"]),
    ("store-sqlite", 3, &["domain", "ledger", "sqlite", "store"]),
    ("ingest", 3, &["crash", "domain", "providers", "queue", "telemetry"]),
    ("worker", 3, &["crash", "domain", "ledger", "providers", "queue", "store", "telemetry"]),
    ("teller", 3, &["crash", "domain", "ledger", "store", "telemetry"]),
    ("spool", 3, &["domain", "queue"]),
    ("simulate", 3, &["domain", "ledger", "providers", "store"]),
    (
        "app",
        4,
        &[
            "crash",
            "domain",
            "ingest",
            "ledger",
            "membership",
            "points",
            "providers",
            "queue",
            "queue-rabbitmq",
            "queue-sqlite",
            "simulate",
            "spool",
            "sqlite",
            "store",
            "store-postgres",
            "store-sqlite",
            "telemetry",
            "teller",
            "waiver",
            "worker",
        ],
    ),
];

/// Crates that must stay pure: no runtime, no network, no database, no randomness.
const PURE: &[&str] = &["domain", "providers", "membership", "waiver", "points", "ledger"];
const IMPURE: &[&str] = &["tokio", "hyper", "axum", "reqwest", "sqlx", "getrandom", "fastrand", "tracing", "lapin"];

/// Crates that may hold a backend, and what marks one.
const BACKENDS: &[(&str, &[&str])] = &[
    ("sqlx", &["sqlite", "queue-sqlite", "store-postgres", "store-sqlite", "tests"]),
    ("axum", &["app", "ingest"]),
    ("lapin", &["queue-rabbitmq", "tests"]),
];

/// Normal dependencies by crate, without our prefix.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(super::root())
        .output()
        .expect("cargo metadata runs");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let bare = |name: &Value| name.as_str().unwrap().trim_start_matches("rollbook-").to_owned();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            let normal = package["dependencies"].as_array().unwrap().iter().filter(|edge| edge["kind"].is_null());
            (bare(&package["name"]), normal.map(|edge| bare(&edge["name"])).collect())
        })
        .collect()
}

#[test]
fn every_crate_uses_only_what_its_layer_allows() {
    let layer_of: BTreeMap<_, _> = LAYERS.iter().map(|(name, layer, _)| (*name, *layer)).collect();
    for (name, used) in dependencies().iter().filter(|(name, _)| *name != "tests") {
        let (_, layer, allowed) =
            LAYERS.iter().find(|(known, ..)| known == name).unwrap_or_else(|| panic!("crate {name} is in no layer"));
        for other in used.iter().filter(|other| layer_of.contains_key(other.as_str())) {
            assert!(allowed.contains(&other.as_str()), "{name} must not use {other}");
            assert!(layer_of[other.as_str()] < *layer, "{name} -> {other} points sideways or up");
        }
    }
}

#[test]
fn the_table_names_no_crate_that_is_gone() {
    let there = dependencies();
    for (name, ..) in LAYERS {
        assert!(there.contains_key(*name), "{name} is in the table but not in the tree");
    }
}

#[test]
fn pure_crates_are_pure() {
    let there = dependencies();
    for name in PURE {
        for banned in IMPURE {
            assert!(!there[*name].contains(*banned), "{name} is pure and must not use {banned}");
        }
    }
}

#[test]
fn a_backend_stands_in_its_adapters_alone() {
    for (name, used) in dependencies() {
        for (library, holders) in BACKENDS {
            assert!(!used.contains(*library) || holders.contains(&name.as_str()), "{name} must not use {library}");
        }
    }
}
