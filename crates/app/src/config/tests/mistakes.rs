//! Every mistake gives one sentence, with its place and the way out.

use proptest::prelude::*;

use super::*;

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    check(&[
        (
            "[membership]\nrenewal_window = 40",
            "rollbook.toml line 6: unknown key `membership.renewal_window`; did you mean `renewal_window_days`?",
        ),
        ("[stroe]\nurl = \"sqlite:x\"", "rollbook.toml line 5: unknown key `stroe`; did you mean `store`?"),
        ("[store]\nuri = \"sqlite:x\"", "rollbook.toml line 6: unknown key `store.uri`; did you mean `url`?"),
        ("[ops]\nqqqq = 1\nzzzz = 2", "rollbook.toml line 6: unknown key `ops.qqqq`; known here: `listen`"),
        (
            "[sources.shop]\nprovider = \"stripe\"\nsecret = [{ env = \"S\" }]",
            "rollbook.toml line 7: unknown key `sources.shop.secret`; did you mean `secrets`?",
        ),
        (
            "[sources.shop]\nprovider = \"stripe\"\nsecrets = [{ env = \"S\", keyid = \"a\" }]",
            "rollbook.toml line 7: unknown key `sources.shop.secrets[0].keyid`; did you mean `key_id`?",
        ),
        (
            "[[membership.plans]]\ncategory = \"a\"\n[[membership.plans]]\nprise = \"1\"",
            "rollbook.toml line 5: `membership.plans[0].price` is missing; add a line such as `price = \"15.00\"`",
        ),
        (
            "[[membership.plans]]\ncategory = \"a\"\nprise = \"1\"",
            "rollbook.toml line 7: unknown key `membership.plans[0].prise`; did you mean `price`?",
        ),
    ]);
}

#[test]
fn an_organisation_is_needed() {
    for (text, expected) in [
        ("", "rollbook.toml: `organisation.name` is missing; add a line such as `name = \"Outing Club\"`"),
        (
            "[organisation]\nname = \"Club\"\ncurrency = \"EUR\"",
            "rollbook.toml line 1: `organisation.time_zone` is missing; add a line such as `time_zone = \"America/New_York\"`",
        ),
        (
            "[organisation]\nname = \"Club\"\ntime_zone = \"US/Estern\"\ncurrency = \"EUR\"",
            "rollbook.toml line 3: `organisation.time_zone` names no time zone: `US/Estern`; did you mean `US/Eastern`?",
        ),
        (
            "[organisation]\nname = \"Club\"\ntime_zone = \"qqqqqqqq\"\ncurrency = \"EUR\"",
            "rollbook.toml line 3: `organisation.time_zone` names no time zone: `qqqqqqqq`; give an IANA name such as `Europe/Berlin`",
        ),
        (
            "[organisation]\nname = \"Club\"\ntime_zone = \"Europe/Berlin\"\ncurrency = \"Euro\"",
            "rollbook.toml line 4: `organisation.currency` is no currency: `Euro`; give an ISO 4217 code such as `USD`",
        ),
        (
            "[organisation]\nname = \" \"",
            "rollbook.toml line 2: `organisation.name` is empty; give the organisation's name",
        ),
        ("organisation = 3", "rollbook.toml line 1: `organisation` must be a section, not a number"),
        ("[organisation]\nname = 3", "rollbook.toml line 2: `organisation.name` must be text in quotes, not a number"),
    ] {
        assert_eq!(sentence(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_toml_says_where_and_quotes_nothing() {
    let sentence = sentence(&club(&format!("[sources.shop]\nsecrets = [{{ value = \"{SECRET} }}]\n")));
    assert!(sentence.starts_with("rollbook.toml line 6: this is no TOML: "), "{sentence}");
    assert!(!sentence.contains("hunter2") && !sentence.contains('\n'), "{sentence}");
    let twice = super::sentence(&club("[store]\nurl = \"a\"\nurl = \"b\""));
    assert_eq!(twice, "rollbook.toml line 7: this is no TOML: duplicate key");
    let large = super::sentence(&club("[worker]\nbatch = 99999999999999999999"));
    assert_eq!(large, "rollbook.toml line 6: this is no TOML: a number is too large");
}

#[test]
fn plans_are_checked() {
    let plan = |rest: &str| format!("[[membership.plans]]\ncategory = \"adult\"\n{rest}");
    let priced = |price: &str| plan(&format!("price = {price}\nvalid_from = \"2019-01-01\""));
    let at = "rollbook.toml line 7: `membership.plans[0].price`";
    for (price, expected) in [
        ("\"15.005\"", "has too many decimals: `15.005`; EUR has 2"),
        ("\"15.000\"", "has too many decimals: `15.000`; EUR has 2"),
        ("\"-15.00\"", "must be above zero: `-15.00`"),
        ("\"0.00\"", "must be above zero: `0.00`"),
        ("\"fifteen\"", "is no price: `fifteen`: it is not a decimal number; write one like `15.00`"),
        ("\"15,00\"", "is no price: `15,00`: it is not a decimal number; write one like `15.00`"),
        ("\"\"", "is no price: ``: it is not a decimal number; write one like `15.00`"),
        ("\"99999999999999999999\"", "is no price: `99999999999999999999`: it is out of range; write one like `15.00`"),
        ("15.00", "must be text in quotes, not a number"),
        ("15", "must be text in quotes, not a number"),
    ] {
        assert_eq!(sentence(&club(&priced(price))), format!("{at} {expected}"));
    }
    check(&[
        (
            &plan("price = \"1\"\nvalid_from = \"2019-02-30\""),
            "rollbook.toml line 8: `membership.plans[0].valid_from` is no date: `2019-02-30`; write one like `2019-01-31`",
        ),
        (
            &plan("price = \"1\"\nvalid_from = \"01/02/2019\""),
            "rollbook.toml line 8: `membership.plans[0].valid_from` is no date: `01/02/2019`; write one like `2019-01-31`",
        ),
        (
            &plan("price = \"1\"\nvalid_from = \"2019-02-01\"\nvalid_until = \"2019-01-01\""),
            "rollbook.toml line 9: `membership.plans[0].valid_until` is before `valid_from`, 2019-02-01; swap or mend them",
        ),
        (
            "[membership]\nplans = [\"adult\"]",
            "rollbook.toml line 6: `membership.plans[0]` must look like `{ category = \"adult\", price = \"15.00\", valid_from = \"2019-01-01\" }`",
        ),
        (
            "[membership]\nrenewal_window_days = 400",
            "rollbook.toml line 6: `membership.renewal_window_days` must be a whole number from 0 to 365",
        ),
        (
            "[membership]\nrenewal_window_days = \"40\"",
            "rollbook.toml line 6: `membership.renewal_window_days` must be a whole number from 0 to 365",
        ),
        (
            "[membership]\npurpose = \"\"",
            "rollbook.toml line 6: `membership.purpose` is empty; leave it out to mean `membership`",
        ),
    ]);
}

#[test]
fn plans_of_one_category_may_touch_but_not_overlap() {
    let plan = |category: &str, from: &str, until: &str| {
        let until = if until.is_empty() { String::new() } else { format!("valid_until = \"{until}\"\n") };
        format!("[[membership.plans]]\ncategory = \"{category}\"\nprice = \"1\"\nvalid_from = \"{from}\"\n{until}")
    };
    let clash = "`membership.plans[1]` overlaps `membership.plans[0]`, both of category `a`; \
                 end one by `valid_until` before the other begins";
    for (one, other, overlap) in [
        (plan("a", "2019-01-01", ""), plan("a", "2020-01-01", ""), true),
        (plan("a", "2019-01-01", "2020-01-01"), plan("a", "2020-01-01", ""), true),
        (plan("a", "2020-01-01", ""), plan("a", "2019-01-01", "2020-01-01"), true),
        (plan("a", "2019-01-01", "2019-12-31"), plan("a", "2020-01-01", ""), false),
        (plan("a", "2020-01-01", ""), plan("a", "2019-01-01", "2019-12-31"), false),
        (plan("a", "2019-01-01", ""), plan(" a", "2019-01-01", ""), true),
        (plan("a", "2019-01-01", ""), plan("b", "2019-01-01", ""), false),
    ] {
        let result = resolve(&club(&format!("{one}{other}")));
        match result {
            Ok(_) => assert!(!overlap, "{one}{other}"),
            Err(fault) => assert!(overlap && fault.to_string().ends_with(clash), "{fault}"),
        }
    }
}

#[test]
fn listeners_and_limits_are_checked() {
    check(&[
        (
            "[ingest]\nlisten = \"8080\"",
            "rollbook.toml line 6: `ingest.listen` is no address with a port: `8080`; write one like `127.0.0.1:8080`",
        ),
        (
            "[ops]\nlisten = \"127.0.0.1:99999\"",
            "rollbook.toml line 6: `ops.listen` is no address with a port: `127.0.0.1:99999`; write one like `127.0.0.1:8080`",
        ),
        (
            "[ops]\nlisten = \"127.0.0.1:8080\"",
            "rollbook.toml line 6: `ops.listen` is the address of `ingest.listen`; give it another port",
        ),
        (
            "[ingest]\nmax_body = \"1M\"",
            "rollbook.toml line 6: `ingest.max_body` is no size up to 256MiB: `1M`; write one like `1MiB`",
        ),
        (
            "[ingest]\nmax_body = 1048576",
            "rollbook.toml line 6: `ingest.max_body` must be text in quotes, not a number",
        ),
        (
            "[ingest]\nmax_body = \"0B\"",
            "rollbook.toml line 6: `ingest.max_body` is no size up to 256MiB: `0B`; write one like `1MiB`",
        ),
        (
            "[sources.shop]\nprovider = \"stripe\"\nsecrets = [{ env = \"S\" }]\nmax_body = \"1GB\"",
            "rollbook.toml line 8: `sources.shop.max_body` is no size up to 256MiB: `1GB`; write one like `1MiB`",
        ),
        (
            "[ingest]\nmax_connections = 0",
            "rollbook.toml line 6: `ingest.max_connections` must be a whole number from 1 to 65535",
        ),
        (
            "[queue]\nmin_free_disk = \"some\"",
            "rollbook.toml line 6: `queue.min_free_disk` is no size; write one such as `256MiB`",
        ),
        (
            "[queue]\nmin_free_disk = \"1KiB\"",
            "rollbook.toml line 6: `queue.min_free_disk` is less than 1MiB, with which a full disk could not be emptied; write one such as `256MiB`",
        ),
    ]);
}

#[test]
fn times_are_checked() {
    let hint = "write one like `30s`, `10m`, `6h` or `90 days`";
    let schedule = |list: &str| format!("[retry]\nschedule = {list}");
    check(&[
        (
            &schedule("[]"),
            "rollbook.toml line 6: `retry.schedule` is empty; give at least one wait, such as `[\"1s\"]`",
        ),
        (
            &schedule("[\"5s\", \"1s\"]"),
            "rollbook.toml line 6: `retry.schedule[1]` is shorter than the wait before it: `1s`; a wait may not shrink",
        ),
        (
            &schedule("[\"60s\", \"60s\", \"59s\"]"),
            "rollbook.toml line 6: `retry.schedule[2]` is shorter than the wait before it: `59s`; a wait may not shrink",
        ),
        (
            &schedule("[\"soon\"]"),
            &format!("rollbook.toml line 6: `retry.schedule[0]` is no length of time: `soon`; {hint}"),
        ),
        (&schedule("[1]"), "rollbook.toml line 6: `retry.schedule[0]` must be text in quotes, not a number"),
        (
            "[retention]\nenvelopes = \"3 months\"",
            &format!("rollbook.toml line 6: `retention.envelopes` is no length of time: `3 months`; {hint}"),
        ),
        (
            "[worker]\nhand_back_after = \"0s\"",
            &format!("rollbook.toml line 6: `worker.hand_back_after` is no length of time: `0s`; {hint}"),
        ),
        ("[worker]\nbatch = 0", "rollbook.toml line 6: `worker.batch` must be a whole number from 1 to 10000"),
        (
            "[worker]\nper_processor = 1.5",
            "rollbook.toml line 6: `worker.per_processor` must be a whole number from 1 to 64",
        ),
    ]);
}

#[test]
fn a_file_that_is_not_there_says_how_to_make_one() {
    let missing = read_file(Path::new("does/not/exist.toml"), &Environment::default()).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "cannot read `does/not/exist.toml`: no such file or directory; \
         write one with `rollbook config init`, or name another with --config"
    );
    let folder = read_file(Path::new("/"), &Environment::default()).unwrap_err();
    assert_eq!(folder.to_string(), "cannot read `/`: is a directory; mend it, or name another with --config");
}

#[test]
fn depth_and_size_are_bounded() {
    for text in [
        "a.".repeat(100_000) + "a = 1",
        "a = ".to_owned() + &"[".repeat(100_000),
        "[a".to_owned() + &".a".repeat(100_000) + "]",
    ] {
        assert!(resolve(&text).is_err());
    }
    let large = sentence(&"# padding\n".repeat(200_000));
    assert_eq!(large, "rollbook.toml: this file is over 1 MiB, so it can be no configuration; give another");
}

/// Words of the grammar, so that some of the texts get far.
fn word() -> impl Strategy<Value = String> {
    let known = "[organisation]|[[membership.plans]]|[sources.shop]|[a.b]|name|time_zone|currency|secrets|price|=|\
                 \"UTC\"|\"EUR\"|\"15.00\"|{ env = \"S\" }|{|}|[|]|,|.|\"|'|\n|2019-01-01|1|-1|1e9|0x|true|#|é|\u{0}";
    prop_oneof![4 => proptest::sample::select(known.split('|').collect::<Vec<_>>()).prop_map(str::to_owned), 1 => ".{0,3}"]
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_in_one_line(words in proptest::collection::vec(word(), 0..40), tail in "\\PC{0,40}") {
        for text in [words.join(" "), club(&words.join("\n")), format!("{CLUB}{tail}")] {
            if let Err(fault) = resolve(&text) {
                let sentence = fault.to_string();
                prop_assert!(!sentence.is_empty());
                prop_assert!(fault != ConfigError::Unreadable(String::new()));
            }
        }
    }

    #[test]
    fn any_environment_is_read_or_refused(name in "[A-Za-z_.-]{0,20}", value in "\\PC{0,40}") {
        let name = format!("ROLLBOOK__{name}");
        let _ = resolve_with(CLUB, &[(&name, &value)], false);
    }
}
