//! Secrets are masked wherever a configuration can be printed, and what is printed is whole.

use super::*;

fn everything() -> String {
    club(&format!(
        "[ingest]\ntrusted_proxies = [\"127.0.0.1\"]\n\
         [sources.shop]\nprovider = \"stripe\"\n\
         secrets = [{{ value = \"{SECRET}\" }}, {{ env = \"S\", key_id = \"k\" }}]\n\
         basic_auth = [{{ user = \"ada\", password = {{ value = \"{SECRET}\" }} }}]\n\
         client_certs = {{ header = \"x-cert\", fingerprints = [\"{}\"] }}\n\
         max_body = \"2MiB\"\npurpose_field = \"p\"\ncategory_field = \"c\"\nemail_field = \"e\"\nname_field = \"n\"\npoints_group_field = \"g\"\n\
         [[membership.plans]]\ncategory = \"a\"\nprice = \"1\"\nvalid_from = 2019-01-01\nvalid_until = \"2020-01-01\"\n\
         [points]\nexpire_after = \"1 year\"\n[[points.earn]]\non = \"payment_captured\"\nper_unit = 2\n\
         max_per_member = {{ points = 5, every = \"1 day\" }}\n",
        "ab".repeat(32)
    ))
}

#[test]
fn no_print_holds_a_secret() {
    let environment = environment(&[("S", SECRET)]);
    let config = parse(&everything(), Path::new("rollbook.toml"), &environment).unwrap();
    let context = Context { environment: &environment, base: Path::new(""), need: Need::Serving { insecure: false } };
    let resolved = config.resolve(&context).unwrap();
    let shown = config.shown();
    for print in [
        format!("{config:?}"),
        format!("{resolved:?}"),
        format!("{:?}", resolved.sources[0].secrets),
        format!("{:?}", resolved.sources[0].gates),
        format!("{:?}", resolved.sources[0].verifier),
        resolved.warnings.join("\n"),
        shown.toml(),
        shown.json().to_string(),
    ] {
        assert!(!print.is_empty() && !print.contains("hunter2"), "{print}");
    }
    assert_eq!(shown.json()["sources"]["shop"]["secrets"][0]["value"], "***");
    assert_eq!(shown.json()["sources"]["shop"]["secrets"][1]["env"], "S");
    assert_eq!(shown.json()["sources"]["shop"]["basic_auth"][0]["password"]["value"], "***");
}

#[test]
fn what_is_shown_is_a_configuration_again() {
    let environment = environment(&[("S", SECRET), ("ROLLBOOK__WORKER__BATCH", "16")]);
    let file = Path::new("rollbook.toml");
    let shown = parse(&everything(), file, &environment).unwrap().shown();
    let again = parse(&shown.toml(), file, &Environment::default()).unwrap().shown();
    assert_eq!((shown.toml(), shown.json()), (again.toml(), again.json()));
    assert!(shown.toml().starts_with("[organisation]\nname = \"Club\""), "{}", shown.toml());
    assert_eq!(shown.json()["queue"]["url"], "sqlite:data/queue.db");
    assert_eq!(shown.json()["worker"]["batch"], 16);
    assert_eq!(shown.json()["retry"]["schedule"][6], "6h");
    assert_eq!(shown.json()["sources"]["shop"]["account"], "shop");
}
