//! The overlay of the environment, and where things are kept.

use std::path::PathBuf;

use super::super::StorePlace;
use super::*;

fn overlaid(pairs: &[(&str, &str)]) -> Resolved {
    resolve_with(CLUB, pairs, false).unwrap()
}

fn refused(pairs: &[(&str, &str)]) -> String {
    resolve_with(CLUB, pairs, false).expect_err("refused").to_string()
}

#[test]
fn the_environment_overlays_the_file() {
    let sqlite = |path: &str| StorePlace::Sqlite(PathBuf::from(path));
    assert_eq!(overlaid(&[("ROLLBOOK__STORE__URL", "sqlite:/srv/x.db")]).store, sqlite("/srv/x.db"));
    assert_eq!(overlaid(&[("rollbook__Store__Url", "sqlite:x.db")]).store, sqlite("x.db"));
    assert_eq!(overlaid(&[("ROLLBOOK__WORKER__BATCH", "16")]).worker.batch, 16);
    assert_eq!(overlaid(&[("ROLLBOOK__ORGANISATION__NAME", "2019")]).organisation, "2019");
    assert_eq!(overlaid(&[("ROLLBOOK__RETRY__SCHEDULE", "[\"1s\", \"2s\"]")]).retry.len(), 2);
    assert_eq!(overlaid(&[("ROLLBOOK__INGEST__LISTEN", "[::1]:8081")]).ingest.listen.port(), 8081);
    assert_eq!(overlaid(&[("ROLLBOOK__INGEST__TRUSTED_PROXIES", "10.0.0.1")]).ingest.trusted_proxies.len(), 1);
    assert_eq!(overlaid(&[("ROLLBOOK_CONFIG", "x"), ("ROLLBOOKISH", "y")]).organisation, "Club");
    let whole = "{ provider = \"stripe\", secrets = [{ env = \"S\" }] }";
    let two = [("ROLLBOOK__SOURCES__SHOP", whole), ("ROLLBOOK__SOURCES__SHOP__ACCOUNT", "acct")];
    assert_eq!(overlaid(&two).sources[0].account.as_str(), "acct");
}

#[test]
fn a_dash_in_a_source_name_is_an_underscore_in_a_variable() {
    let text = club("[sources.my-shop]\nprovider = \"stripe\"\nsecrets = [{ env = \"S\" }]");
    let resolved = resolve_with(&text, &[("ROLLBOOK__SOURCES__MY_SHOP__ACCOUNT", "acct")], false).unwrap();
    let names: Vec<_> = resolved.sources.iter().map(|source| (source.name.as_str(), source.account.as_str())).collect();
    assert_eq!(names, [("my-shop", "acct")]);
}

#[test]
fn a_variable_that_is_wrong_is_named_and_not_quoted() {
    for (pairs, expected) in [
        (
            &[("ROLLBOOK__STORE__URI", "x")][..],
            "environment variable ROLLBOOK__STORE__URI: unknown key `store.uri`; did you mean `url`?",
        ),
        (
            &[("ROLLBOOK__STROE__URL", "x")],
            "environment variable ROLLBOOK__STROE__URL: unknown key `stroe`; did you mean `store`?",
        ),
        (
            &[("ROLLBOOK__WORKER__BATCH", "many")],
            "environment variable ROLLBOOK__WORKER__BATCH: `worker.batch` must be a whole number from 1 to 10000",
        ),
        (
            &[("ROLLBOOK__STORE__URL__HOST", "x")],
            "environment variable ROLLBOOK__STORE__URL__HOST: `store.url` must be text in quotes, not a section",
        ),
        (
            &[("ROLLBOOK__ORGANISATION__NAME__X", "x")],
            "environment variable ROLLBOOK__ORGANISATION__NAME__X: `organisation.name` is no section, so nothing inside it can be set; give the whole of `organisation.name`",
        ),
        (
            &[("ROLLBOOK__STORE__URL", "sqlite:a"), ("rollbook__store__url", "sqlite:b")],
            "environment variable rollbook__store__url: `ROLLBOOK__STORE__URL`, `rollbook__store__url` set the same key; unset one of them",
        ),
        (
            &[("ROLLBOOK__SOURCES__SHOP__SECRETS", SECRET)],
            "environment variable ROLLBOOK__SOURCES__SHOP__SECRETS: `sources.shop.secrets` must be a list such as `secrets = [{ file = \"…\" }]`",
        ),
    ] {
        assert_eq!(refused(pairs), expected);
    }
}

#[test]
fn each_thing_has_a_file_of_its_own() {
    for (more, expected) in [
        (
            "[store]\nurl = \"sqlite:data/./queue.db\"",
            "line 6: `store.url` is the same file as `queue.url`; give each its own",
        ),
        (
            "[ingest]\nspool = \"data/queue.db\"",
            "line 6: `ingest.spool` is the same file as `queue.url`; give each its own",
        ),
        (
            "[ingest]\nspool = \"data/rollbook.db\"",
            "line 6: `ingest.spool` is the same file as `store.url`; give each its own",
        ),
        ("[ingest]\nspool = \"\"", "line 6: `ingest.spool` is empty; name a file such as `data/spool.db`"),
    ] {
        assert_eq!(sentence(&club(more)), format!("rollbook.toml {expected}"));
    }
}

#[test]
fn an_address_that_is_none_is_told_what_one_looks_like() {
    for (more, expected) in [
        (
            "[queue]\nurl = \"amqp:rabbit\"",
            "line 6: `queue.url` names no server; write it like `amqp://user:password@host:5672/vhost`",
        ),
        (
            "[queue]\nurl = [\"amqps://ada:hunter2@a\", \"sqlite:x.db\"]",
            "line 6: `queue.url` lists what is not one cluster; a list holds `amqp:` or `amqps:` addresses only",
        ),
        (
            "[queue]\nurl = \"amqp://rabbit\"\nprefix = \"our club\"",
            "line 7: `queue.prefix` must have 1 to 64 letters, digits, dots, dashes or underscores",
        ),
        (
            "[store]\nurl = \"postgres:club\"",
            "line 6: `store.url` names no database; write it like `postgres://user:password@host:5432/database`",
        ),
        (
            "[store]\nurl = \"amqp://ada:hunter2@db/club\"",
            "line 6: `store.url` must begin with `sqlite:`, or with `postgres:` for PostgreSQL",
        ),
        (
            "[store]\nurl = \"data/x.db\"",
            "line 6: `store.url` must begin with `sqlite:`, or with `postgres:` for PostgreSQL",
        ),
        (
            "[queue]\nurl = \"sqlite::memory:\"",
            "line 6: `queue.url` names no file; write it like `sqlite:data/queue.db`",
        ),
        ("[queue]\nurl = \"sqlite:\"", "line 6: `queue.url` names no file; write it like `sqlite:data/queue.db`"),
        (
            "[queue]\nurl = \"sqlite:x.db?mode=ro\"",
            "line 6: `queue.url` names no file; write it like `sqlite:data/queue.db`",
        ),
        ("[queue]\nurl = []", "line 6: `queue.url` is an empty list; give an address such as `sqlite:data/queue.db`"),
        (
            "[queue]\nurl = [\"sqlite:a\", \"sqlite:b\"]",
            "line 6: `queue.url` lists what is not one cluster; a list holds `amqp:` or `amqps:` addresses only",
        ),
    ] {
        assert_eq!(sentence(&club(more)), format!("rollbook.toml {expected}"));
    }
}
