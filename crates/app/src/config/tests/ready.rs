//! What a good configuration becomes: defaults, sources, warnings, the digest, the template.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::super::{QueuePlace, StorePlace};
use super::resolve::Workers;
use super::*;

/// The configuration that the documentation shows.
const DOCUMENTED: &str = r#"
[organisation]
name = "Outing Club"
time_zone = "America/New_York"
currency = "USD"
[queue]
url = "sqlite:data/queue.db"            # or amqp://user:pass@host:5672/vhost (a list for a cluster), amqps://
[store]
url = "sqlite:data/rollbook.db"         # or postgres://user@host/db
[ingest]
listen = "127.0.0.1:8080"
max_body = "1MiB"
spool = "data/spool.db"                 # used when the broker is away
[ops]
listen = "127.0.0.1:9090"
[sources.cybersource]
provider = "cybersource-secure-acceptance"
secrets = [{ env = "CYBERSOURCE_SECRET" }]      # or { file = "…" }; several while rotating
allow_ips = ["198.241.162.0/24"]                # optional
[sources.docusign]
provider = "docusign-connect"
secrets = [{ env = "DOCUSIGN_SECRET" }]
[membership]
renewal_window_days = 40
[[membership.plans]]
category = "MU"
name = "MIT undergrad"
price = "15.00"
valid_from = "2019-01-01"                        # valid_until optional
[retry]
schedule = ["1s", "5s", "30s", "2m", "10m", "1h", "6h"]
"#;

#[test]
fn the_documented_file_is_accepted() {
    let pairs = [("CYBERSOURCE_SECRET", "an-invented-secret-1"), ("DOCUSIGN_SECRET", "an-invented-secret-2")];
    let resolved = resolve_with(DOCUMENTED, &pairs, false).unwrap();
    assert_eq!(resolved.warnings, Vec::<String>::new());
    let plan = &resolved.membership.plans[0];
    assert_eq!((plan.category.as_str(), plan.price.minor, plan.valid_until), ("MU", 1500, None));
    let names: Vec<_> = resolved.sources.iter().map(|source| source.provider.name()).collect();
    assert_eq!(names, ["cybersource-secure-acceptance", "docusign-connect"]);
    assert_eq!(resolved.sources[0].gates.allow_ips[0].to_string(), "198.241.162.0/24");
}

#[test]
fn an_organisation_alone_is_enough() {
    let resolved = resolve(&format!("\u{feff}{CLUB}")).unwrap();
    assert_eq!(resolved.queue, QueuePlace::Sqlite(PathBuf::from("data/queue.db")));
    assert_eq!(resolved.store, StorePlace::Sqlite(PathBuf::from("data/rollbook.db")));
    assert_eq!(resolved.min_free_disk_bytes, 256 << 20);
    assert_eq!(resolved.ingest.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((resolved.ingest.max_body_bytes, resolved.ingest.max_connections), (1 << 20, 1024));
    assert_eq!(resolved.ops.to_string(), "127.0.0.1:9090");
    assert_eq!(resolved.retry, [1, 5, 30, 120, 600, 3_600, 21_600].map(Duration::from_secs));
    assert_eq!(resolved.retention, Duration::from_hours(90 * 24));
    let worker = Workers { batch: 256, per_processor: 1, hand_back_after: Duration::from_mins(1) };
    assert_eq!(resolved.worker, worker);
    assert_eq!((resolved.membership.renewal_window_days, resolved.membership.purpose.as_str()), (40, "membership"));
    assert_eq!(resolved.warnings, ["no source is configured, so nothing can come in; add a `[sources.NAME]`"]);
}

#[test]
fn a_source_is_made_ready() {
    let text = club(
        "[ingest]\ntrusted_proxies = [\"::1\"]\n\
         [sources.shop]\nprovider = \"cybersource-secure-acceptance\"\naccount = \"merchant\"\nmax_body = \"64KiB\"\n\
         secrets = [{ env = \"S\", key_id = \"k1\" }, { env = \"T\", key_id = \"k2\" }]\n\
         allow_ips = [\"203.0.113.7\", \"2001:db8::/32\"]\nemail_field = \"req_member\"\n\
         basic_auth = [{ user = \"ada\", password = { env = \"S\" } }]\n\
         client_certs = { header = \"X-Cert\", fingerprints = [\"AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD\"] }\n",
    );
    let resolved = resolve_with(&text, &[("T", "another-invented-secret")], false).unwrap();
    let source = resolved.source("shop").unwrap();
    assert!(matches!(source.verifier, Verifier::Keys(_)));
    let ids: Vec<_> = source.secrets.iter().map(|secret| secret.key_id.as_deref()).collect();
    assert_eq!(ids, [Some("k1"), Some("k2")]);
    assert_eq!((source.account.as_str(), source.max_body_bytes), ("merchant", 64 << 10));
    assert_eq!(source.fields.email.as_deref(), Some("req_member"));
    let networks: Vec<_> = source.gates.allow_ips.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["203.0.113.7/32", "2001:db8::/32"]);
    assert_eq!(source.gates.basic_auth[0].user, "ada");
    let certificates = source.gates.client_certs.as_ref().unwrap();
    assert_eq!(certificates.header, "x-cert");
    assert_eq!(certificates.allowed, ["aabbccddeeff00112233445566778899aabbccdd"]);
    assert_eq!(resolved.source("shpo").unwrap_err().to_string(), "there is no source `shpo`; did you mean `shop`?");
}

#[test]
fn a_secret_file_loses_one_newline() {
    let folder = tempfile::tempdir().unwrap();
    let environment = Environment::default();
    let text = club("[sources.shop]\nprovider = \"stripe\"\nsecrets = [{ file = \"s\" }]");
    let context = Context { environment: &environment, base: folder.path(), need: Need::Serving { insecure: false } };
    for (written, read) in [
        ("an-invented-secret\n", Some("an-invented-secret")),
        ("an-invented-secret\r\n", Some("an-invented-secret")),
        ("an-invented-secret\n\n", Some("an-invented-secret\n")),
        (" an-invented-secret", Some(" an-invented-secret")),
        ("\n", None),
    ] {
        std::fs::write(folder.path().join("s"), written).unwrap();
        let resolved = parse(&text, Path::new("rollbook.toml"), &environment).unwrap().resolve(&context);
        match resolved {
            Ok(resolved) => assert_eq!(Some(resolved.sources[0].secrets[0].text.as_str()), read),
            Err(fault) => assert_eq!(
                (fault.to_string(), None),
                (
                    "rollbook.toml line 7: `sources.shop.secrets[0]` is empty: file `s`; put the secret there".into(),
                    read
                )
            ),
        }
    }
}

#[test]
fn what_is_risky_is_warned_about() {
    let source = |name: &str, rest: &str| format!("[sources.{name}]\nprovider = \"docusign-connect\"\n{rest}\n");
    let verified = |name: &str| source(name, "secrets = [{ env = \"S\" }]");
    for (more, expected) in [
        (verified("a"), &[][..]),
        (
            source("a", "secrets = [{ value = \"short\" }]"),
            &[
                "`sources.a.secrets[0]` stands in the configuration itself; keep it in a `file` or in `env`",
                "`sources.a.secrets[0]` is only 5 bytes long; use at least 16",
            ],
        ),
        (
            verified("a") + &verified("b"),
            &[
                "`sources.a` and `sources.b` have the same secret, so what one was sent the other would believe; give each its own",
            ],
        ),
        (
            source("a", "secrets = [{ env = \"S\" }]\naccount = \"one\"")
                + &source("b", "secrets = [{ env = \"S\" }]\naccount = \"one\""),
            &[],
        ),
        (
            source("a", "verifier = \"insecure-none\""),
            &["`sources.a` verifies nothing: anybody who reaches it can make records"],
        ),
        (
            verified("a").replace("docusign-connect", "stripe"),
            &[
                "`membership.plans` is empty, so every membership payment will be a dead letter `unknown_category`; add `[[membership.plans]]`",
            ],
        ),
    ] {
        assert_eq!(resolve_with(&club(&more), &[], true).unwrap().warnings, expected, "{more}");
    }
}

#[test]
fn records_are_read_without_any_secret() {
    let environment = Environment::default();
    let text = club("[sources.shop]\nprovider = \"stripe\"\nsecrets = [{ env = \"MISSING\" }]");
    let config = parse(&text, Path::new("rollbook.toml"), &environment).unwrap();
    let context = Context { environment: &environment, base: Path::new("/srv"), need: Need::Records };
    let resolved = config.resolve(&context).unwrap();
    assert!(matches!(resolved.sources[0].verifier, Verifier::Unread));
    assert_eq!(resolved.store, StorePlace::Sqlite(PathBuf::from("/srv/data/rollbook.db")));
}

#[test]
fn the_digest_names_what_decides_and_nothing_else() {
    let digest = |text: &str| {
        resolve(&text.replace("_SECRET", "").replace("CYBERSOURCE", "S").replace("DOCUSIGN", "S")).unwrap().rules_digest
    };
    let plan = |category: &str| {
        format!("[[membership.plans]]\ncategory = \"{category}\"\nprice = \"1\"\nvalid_from = \"2019-01-01\"\n")
    };
    let base = digest(DOCUMENTED);
    assert!(base.len() == 12 && base.chars().all(|c| c.is_ascii_hexdigit()), "{base}");
    for (from, to) in [
        ("\"15.00\"", "\"15\""),
        ("MIT undergrad", "Undergraduate"),
        ("127.0.0.1:8080", "127.0.0.1:8081"),
        ("data/rollbook.db", "data/records.db"),
        ("Outing Club", "Other Club"),
        ("renewal_window_days = 40\n", ""),
        ("{ env = \"CYBERSOURCE_SECRET\" }", "{ value = \"an-invented-secret-3\" }"),
    ] {
        assert_eq!(digest(&DOCUMENTED.replace(from, to)), base, "{from}");
    }
    let changed = [
        ("\"15.00\"", "\"16.00\""),
        ("\"MU\"", "\"MG\""),
        ("2019-01-01\"", "2019-01-02\""),
        ("2019-01-01\"", "2019-01-01\"\nvalid_until = \"2030-01-01\""),
        ("America/New_York", "Europe/Berlin"),
        ("\"USD\"", "\"EUR\""),
        ("days = 40", "days = 41"),
        ("[membership]", "[membership]\npurpose = \"dues\""),
        ("allow_ips", "category_field = \"x\"\nallow_ips"),
        ("allow_ips", "email_field = \"x\"\nallow_ips"),
        ("allow_ips", "account = \"x\"\nallow_ips"),
    ];
    let digests: BTreeSet<_> = changed.iter().map(|(from, to)| digest(&DOCUMENTED.replacen(from, to, 1))).collect();
    assert_eq!(digests.len(), changed.len());
    assert!(!digests.contains(&base));
    assert_eq!(digest(&club(&(plan("a") + &plan("b")))), digest(&club(&(plan("b") + &plan("a")))));
}

#[test]
fn the_template_is_accepted_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let random = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let files = template::files(&folder.path().join("rollbook.toml"), random);
    for file in &files {
        std::fs::create_dir_all(file.path.parent().unwrap()).unwrap();
        std::fs::write(&file.path, &file.contents).unwrap();
    }
    let environment = Environment::default();
    let config = read_file(&folder.path().join("rollbook.toml"), &environment).unwrap();
    let context = Context { environment: &environment, base: Path::new(""), need: Need::Serving { insecure: false } };
    let resolved = config.resolve(&context).unwrap();
    assert_eq!(resolved.warnings, Vec::<String>::new());
    let secrets: BTreeSet<_> = resolved.sources.iter().map(|source| source.secrets[0].text.clone()).collect();
    assert_eq!(secrets.len(), 3);
    let configuration = &files.last().unwrap().contents;
    assert!(secrets.iter().all(|secret| secret.len() >= 64 && !configuration.contains(secret)));
    let modes: Vec<_> = files.iter().map(|file| file.mode).collect();
    assert!(!configuration.contains("\"secrets/"), "{configuration}");
    assert_eq!(modes, [0o600, 0o600, 0o600, 0o644]);
}

#[test]
fn the_template_writes_down_the_defaults() {
    let files = template::files(Path::new("rollbook.toml"), [7; 96]);
    assert_eq!(files[0].path, Path::new("secrets/cybersource"));
    let environment = Environment::default();
    let written = parse(&files.last().unwrap().contents, Path::new("rollbook.toml"), &environment).unwrap();
    let default = parse(CLUB, Path::new("rollbook.toml"), &environment).unwrap();
    let shown = |config: &Config| config.shown().json();
    for section in ["queue", "store", "ingest", "ops", "retry", "retention", "worker"] {
        assert_eq!(shown(&written)[section], shown(&default)[section]);
    }
}

/// Every line that the template comments out is a key that may be used.
#[test]
fn what_the_template_comments_out_is_valid() {
    let files = template::files(Path::new("rollbook.toml"), [7; 96]);
    let code = |line: &str| {
        line.strip_prefix("# ").filter(|rest| rest.starts_with('[') || rest.contains(" = ")).map(str::to_owned)
    };
    let prose = |line: &str| line.contains("both:") || line.contains("environment:");
    let lines = files.last().unwrap().contents.lines().map(str::to_owned);
    let whole: Vec<_> = lines.map(|line| if prose(&line) { line } else { code(&line).unwrap_or(line) }).collect();
    let config = parse(&whole.join("\n"), Path::new("rollbook.toml"), &Environment::default()).unwrap();
    assert!(config.sources.contains_key("standard"));
    assert!(config.membership.plans[0].valid_until.is_some());
    assert_eq!(config.points.unwrap().earn.len(), 2);
    assert!(config.sources["docusign"].client_certs.is_some());
}
