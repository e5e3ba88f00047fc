//! `[points]`: what it becomes, and every mistake in it.

use rollbook_domain::{FactKind, Rate};
use rollbook_points::{Every, Lifetime, Most, Trigger};

use super::*;
use crate::wiring;

const SOURCES: &str = "[sources.shop]\nprovider = \"stripe\"\nsecrets = [{ env = \"S\" }]\n\
                       [sources.docusign]\nprovider = \"docusign-connect\"\nsecrets = [{ env = \"S\" }]\n";

fn with(points: &str) -> String {
    club(&format!("{SOURCES}{points}"))
}

#[test]
fn the_documented_section_is_what_it_says() {
    let resolved = resolve(&with(
        "[points]\nexpire_after = \"24 months\"\n\
         [[points.earn]]\non = \"payment_captured\"\npurpose = \"membership\"\nper_unit = 1\n\
         max_per_member = { points = 500, every = \"1 month\" }\nvalid_from = \"2019-01-01\"\n\
         [[points.earn]]\nname = \"half\"\non = \"payment_captured\"\nsource = \"shop\"\nper_unit = \"0.5\"\n\
         valid_until = 2020-12-31\n\
         [[points.earn]]\non = \"document_completed\"\ncategory = \"Guest\"\naward = 100\n",
    ));
    let rules = resolved.unwrap().points.unwrap();
    assert_eq!((rules.zone.iana_name(), rules.currency.as_str()), (Some("Europe/Berlin"), "EUR"));
    assert_eq!(rules.expire_after, Some(Lifetime::Months(24)));
    let [dues, half, signed] = &rules.earn[..] else { panic!("{rules:?}") };
    assert_eq!(dues.identity(), "payment_captured purpose=\"membership\"");
    assert_eq!(dues.rate, Rate::PerUnit { per_10000: 10_000 });
    assert_eq!(dues.most, Some(Most { points: 500, every: Every::Months(1) }));
    assert_eq!((half.rate, half.source.as_deref()), (Rate::PerUnit { per_10000: 5000 }, Some("shop")));
    assert_eq!(half.valid_until.map(|date| date.to_string()).as_deref(), Some("2020-12-31"));
    assert_eq!((signed.on, signed.rate), (Trigger::DocumentCompleted, Rate::Award { points: 100 }));
}

#[test]
fn without_the_section_nobody_is_subscribed() {
    let names = |text: &str| {
        let resolved = resolve(text).unwrap();
        let processors = wiring::processors(&resolved);
        processors.iter().map(|processor| processor.name()).collect::<Vec<_>>()
    };
    assert_eq!(names(&with("")), ["membership", "waiver"]);
    assert_eq!(names(&with("[points]")), ["membership", "waiver", "points"], "an empty one counts");
}

/// Payments go to membership and points, documents to waiver and points.
#[test]
fn a_source_is_sent_to_whoever_wants_what_it_says() {
    let resolved = resolve(&with("[points]")).unwrap();
    let processors = wiring::processors(&resolved);
    let to = |name: &str| {
        let source = resolved.source(name).unwrap();
        wiring::subscribers(source.provider, &processors).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(to("shop"), ["membership", "points"]);
    assert_eq!(to("docusign"), ["waiver", "points"]);
    assert!(processors[2].wants().contains(&FactKind::MemberRegistered));
}

#[test]
fn the_digest_names_the_rules_of_earning_too() {
    let digest = |points: &str| resolve(&with(points)).unwrap().rules_digest;
    let rule = "[[points.earn]]\non = \"payment_captured\"\n";
    let base = format!("[points]\n{rule}per_unit = 1\n");
    let same = [base.replace("per_unit = 1", "per_unit = \"1.0\""), base.replace("\n[[", "\n\n[[")];
    assert!(same.iter().all(|text| digest(text) == digest(&base)));
    let changed = [
        String::new(),
        "[points]\n".to_owned(),
        base.clone(),
        base.replace("= 1", "= 2"),
        base.replace("[points]", "[points]\nexpire_after = \"1 year\""),
        base.replace("per_unit", "award"),
        format!("{base}purpose = \"x\""),
        format!("{base}category = \"x\""),
        format!("{base}source = \"shop\""),
        format!("{base}name = \"x\""),
        format!("{base}valid_from = \"2019-01-01\""),
        format!("{base}valid_until = \"2019-01-01\""),
        format!("{base}max_per_member = {{ points = 1, every = \"1 day\" }}"),
        format!("{base}max_per_member = {{ points = 1, every = \"1 week\" }}"),
    ];
    let digests: std::collections::BTreeSet<_> = changed.iter().map(|text| digest(text)).collect();
    assert_eq!(digests.len(), changed.len());
    let other = "[[points.earn]]\non = \"member_registered\"\naward = 1\n";
    let (one, two) =
        (format!("[points]\n{rule}per_unit = 1\n{other}"), format!("[points]\n{other}{rule}per_unit = 1\n"));
    assert_eq!(digest(&one), digest(&two), "the order of rules decides nothing");
}

fn rule(rest: &str) -> String {
    format!("[[points.earn]]\non = \"payment_captured\"\n{rest}")
}

/// Line 11 is the first of each.
fn refused(table: &[(String, String)]) {
    for (text, expected) in table {
        assert_eq!(sentence(&with(text)), format!("rollbook.toml {expected}"), "{text}");
    }
}

#[test]
fn slips_of_the_pen_say_what_to_write() {
    refused(&[
        (
            "[points]\nexpires_after = \"24 months\"".to_owned(),
            "line 12: unknown key `points.expires_after`; did you mean `expire_after`?".to_owned(),
        ),
        (
            "[points]\nexpire_after = \"24 hours\"".to_owned(),
            "line 12: `points.expire_after` is no calendar time: `24 hours`; \
             write one like `24 months`, `2 years` or `90 days`"
                .to_owned(),
        ),
        (rule("per_units = 1"), "line 13: unknown key `points.earn[0].per_units`; did you mean `per_unit`?".to_owned()),
        (
            "[[points.earn]]\nper_unit = 1".to_owned(),
            "line 11: `points.earn[0].on` is missing; add a line such as `on = \"payment_captured\"`".to_owned(),
        ),
        (
            "[[points.earn]]\non = \"payment_capture\"\naward = 1".to_owned(),
            "line 12: `points.earn[0].on` is nothing that earns: `payment_capture`; did you mean `payment_captured`?"
                .to_owned(),
        ),
    ]);
}

#[test]
fn a_rate_that_is_none_says_what_to_write() {
    let rate = "must be from 0.0001 to 10000, with at most 4 decimals; write `1`, or `\"0.5\"` in quotes";
    refused(&[
        (rule(""), "line 11: `points.earn[0]` gives nothing; add `per_unit = 1` or `award = 100`".to_owned()),
        (
            rule("per_unit = 1\naward = 1"),
            "line 14: `points.earn[0].award` and `per_unit` cannot both be given; make two rules of it".to_owned(),
        ),
        (rule("per_unit = 0"), format!("line 13: `points.earn[0].per_unit` {rate}")),
        (rule("per_unit = \"-1\""), format!("line 13: `points.earn[0].per_unit` {rate}")),
        (
            rule("per_unit = 0.5"),
            "line 13: `points.earn[0].per_unit` has decimals, so it must stand in quotes, such as `\"0.5\"`".to_owned(),
        ),
        (rule("award = 0"), "line 13: `points.earn[0].award` must be a whole number from 1 to 1000000000".to_owned()),
    ]);
}

#[test]
fn a_cap_that_is_none_says_what_to_write() {
    refused(&[
        (
            rule("award = 1\nmax_per_member = 500"),
            "line 14: `points.earn[0].max_per_member` must be a section, not a number".to_owned(),
        ),
        (
            rule("award = 1\nmax_per_member = { point = 500 }"),
            "line 14: unknown key `points.earn[0].max_per_member.point`; did you mean `points`?".to_owned(),
        ),
        (
            rule("award = 1\nmax_per_member = { every = \"1 month\" }"),
            "line 14: `points.earn[0].max_per_member` has no `points`; \
             write it like `{ points = 500, every = \"1 month\" }`"
                .to_owned(),
        ),
        (
            rule("award = 1\nmax_per_member = { points = 5, every = \"5 months\" }"),
            "line 14: `points.earn[0].max_per_member.every` is no period of the calendar: `5 months`; \
             write `1 day`, `1 week`, `1 year`, or 1, 2, 3, 4 or 6 months"
                .to_owned(),
        ),
    ]);
}

#[test]
fn rules_that_can_give_nothing_or_too_much_say_why() {
    refused(&[
        (
            rule("award = 1\nvalid_from = \"1 May\""),
            "line 14: `points.earn[0].valid_from` is no date: `1 May`; write one like `2019-01-31`".to_owned(),
        ),
        (
            rule("award = 1\nvalid_from = \"2019-02-01\"\nvalid_until = \"2019-01-01\""),
            "line 11: `points.earn[0]` cannot be used: it ends on 2019-01-01, before it starts on 2019-02-01"
                .to_owned(),
        ),
        (
            "[[points.earn]]\non = \"member_registered\"\nper_unit = 1".to_owned(),
            "line 11: `points.earn[0]` cannot be used: points per unit need a payment, and member_registered has none; \
             give `award`"
                .to_owned(),
        ),
        (
            rule("award = 1\nsource = \"shops\""),
            "line 14: `points.earn[0].source` names no source: `shops`; did you mean `shop`?".to_owned(),
        ),
        (
            rule("award = 1\nsource = \"docusign\""),
            "line 14: `points.earn[0].source` is `docusign`, and docusign-connect never says payment_captured; \
             name another source"
                .to_owned(),
        ),
        (
            rule("award = 1\n") + &rule("award = 2"),
            "line 14: `points.earn[1]` is named \"payment_captured\" like `points.earn[0]` and earns on the same days; \
             give one of them a `name`, or end one by `valid_until` before the other begins"
                .to_owned(),
        ),
    ]);
}
