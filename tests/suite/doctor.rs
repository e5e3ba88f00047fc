//! `rollbook doctor` on the real binary: what is well is green, what is not is named with the way out,
//! and nothing that is away makes it wait for long.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_queue_rabbitmq::RabbitQueue;
use rollbook_tests::{CLUBHOUSE, CYBERSOURCE, DOCUSIGN, Options, STRIPE, World, apart};
use serde_json::Value;
use sqlx::Executor as _;

/// The checks, and the exit code.
fn doctor(world: &World) -> (Vec<Value>, Option<i32>) {
    let output = world.cli(&["doctor", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    let checks = report["checks"].as_array().unwrap().clone();
    assert_eq!(report["ok"], checks.iter().all(|check| check["status"] == "ok"), "{report:#}");
    assert_eq!(report["ok"] == true, output.status.code() == Some(0), "{:?}: {report:#}", output.status);
    for check in &checks {
        assert!(check["status"] == "ok" || check["todo"].is_string(), "says what to do: {check}");
    }
    (checks, output.status.code())
}

fn named<'c>(checks: &'c [Value], name: &str) -> Vec<&'c Value> {
    checks.iter().filter(|check| check["name"] == name).collect()
}

/// The one finding of this name.
fn finding<'c>(checks: &'c [Value], name: &str) -> &'c Value {
    let found: Vec<_> = named(checks, name).into_iter().filter(|check| check["status"] != "ok").collect();
    assert_eq!(found.len(), 1, "{name} in {checks:#?}");
    found[0]
}

/// Puts every secret into a file that its owner alone may read.
fn keep_secrets_in_files(world: &World) {
    let mut text = fs::read_to_string(world.config()).unwrap();
    for (name, secret) in
        [("cybersource", CYBERSOURCE), ("docusign", DOCUSIGN), ("stripe", STRIPE), ("clubhouse", CLUBHOUSE)]
    {
        let file = world.folder().join(name);
        fs::write(&file, secret).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        let kept = text.replace(&format!("value = \"{secret}\""), &format!("file = \"{}\"", file.display()));
        assert_ne!(kept, text, "the test is out of date");
        text = kept;
    }
    fs::write(world.config(), text).unwrap();
    // The addresses of the servers may hold passwords.
    fs::set_permissions(world.config(), Permissions::from_mode(0o600)).unwrap();
}

/// Looks again until every queue is there: a service that has just started is still making them.
fn doctor_of_a_running_service(world: &World) -> (Vec<Value>, Option<i32>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let (checks, code) = doctor(world);
        if named(&checks, "queue-topology").iter().all(|check| check["status"] == "ok") {
            return (checks, code);
        }
        assert!(Instant::now() < deadline, "{checks:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What is told of the servers under test and not of a mistake: they are fast and careless.
fn of_the_test_servers(check: &Value) -> bool {
    ["store-privileges", "store-durability"].contains(&check["name"].as_str().unwrap())
}

#[test]
fn a_service_that_is_well_has_no_finding() {
    let mut world = World::new(&Options::default());
    keep_secrets_in_files(&world);
    world.start(&[]);
    for (source, sample) in
        [("cybersource", "membership"), ("docusign", "waiver"), ("stripe", "membership"), ("clubhouse", "membership")]
    {
        world.json(&["send", source, "--sample", sample]);
    }
    world.drain();
    let (checks, code) = doctor_of_a_running_service(&world);
    let bad: Vec<_> = checks.iter().filter(|check| check["status"] != "ok" && !of_the_test_servers(check)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let backends = world.backends();
    if backends.server.is_none() {
        assert_eq!(code, Some(0), "{checks:#?}");
    }
    let queue = if backends.broker.is_some() { "queue-topology" } else { "queue-service" };
    let store = if backends.server.is_some() { "store-clock" } else { "store-file" };
    for name in [queue, store, "store-migrations", "source-events", "disk-space", "file-permissions"] {
        assert!(!named(&checks, name).is_empty(), "{name} is looked at: {checks:#?}");
    }
    assert_eq!(named(&checks, "source-events").len(), 4);
    let text = String::from_utf8(world.cli(&["doctor"]).stdout).unwrap();
    assert!(text.contains("WHAT TO DO") && text.contains("source-events"), "{text}");
}

#[test]
fn a_secret_that_everybody_can_read_is_found() {
    let world = World::new(&Options::default());
    keep_secrets_in_files(&world);
    fs::set_permissions(world.folder(), Permissions::from_mode(0o755)).unwrap();
    assert!(named(&doctor(&world).0, "file-permissions")[0]["status"] == "ok");
    let secret = world.folder().join("stripe");
    fs::set_permissions(&secret, Permissions::from_mode(0o644)).unwrap();
    let (checks, code) = doctor(&world);
    assert_eq!(code, Some(3));
    let command = finding(&checks, "file-permissions")["todo"].as_str().unwrap().to_owned();
    assert_eq!(command, format!("chmod o-rwx {}", secret.display()));
}

#[test]
fn a_secret_that_cannot_be_had_is_a_problem() {
    let world = World::new(&Options::default());
    keep_secrets_in_files(&world);
    fs::remove_file(world.folder().join("stripe")).unwrap();
    let (checks, code) = doctor(&world);
    let secrets = finding(&checks, "secrets");
    assert_eq!((secrets["status"].as_str(), code), (Some("problem"), Some(3)), "{secrets}");
    assert!(secrets["detail"].as_str().unwrap().contains("sources.stripe.secrets[0]"), "{secrets}");
}

/// Whatever is in the queue's place and is not as ours must be.
#[test]
fn a_queue_that_is_not_ours_is_named_with_the_way_out() {
    let world = World::new(&Options::default());
    let Some(broker) = world.backends().broker.clone() else {
        fs::write(world.folder().join("queue.db"), "a shopping list, not a database. ".repeat(100)).unwrap();
        let (checks, code) = doctor(&world);
        assert_eq!((finding(&checks, "queue-file")["status"].as_str(), code), (Some("problem"), Some(3)));
        return;
    };
    // A work queue of this name has other arguments than a level of retries. It is declared last.
    let odd = "waiver.retry.1200ms";
    let prefix = world.backends().prefix().to_owned();
    apart(replace(broker.clone(), prefix.clone(), odd));
    let (checks, code) = doctor(&world);
    let topology = finding(&checks, "queue-topology");
    assert_eq!((topology["status"].as_str(), code), (Some("problem"), Some(3)), "{topology}");
    let command = topology["todo"].as_str().unwrap();
    assert!(
        command.contains("rabbitmqctl delete_queue ") && command.ends_with(&format!("{prefix}.{odd}")),
        "{command}"
    );
    apart(remove(broker, prefix, odd));
    let missing = &doctor(&world).0;
    let topology = finding(missing, "queue-topology");
    assert_eq!(topology["status"], "warning", "{topology}");
    assert!(topology["todo"].as_str().unwrap().contains("rollbook work"), "{topology}");
}

fn options(broker: String, prefix: String, levels_ms: &[u64]) -> rollbook_queue_rabbitmq::Options {
    let levels = levels_ms.iter().copied().map(Duration::from_millis).collect();
    let options = rollbook_queue_rabbitmq::Options::new(vec![broker], Arc::new(jiff::Timestamp::now));
    rollbook_queue_rabbitmq::Options { prefix, levels, ..options }
}

/// Everything as a worker makes it, but for one queue, which is of another kind.
async fn replace(broker: String, prefix: String, odd: &str) {
    let queue = RabbitQueue::connect(options(broker.clone(), prefix.clone(), &[4_000])).await.unwrap();
    queue.declare(&[odd.into()]).await.unwrap();
    queue.leave();
    let queue = RabbitQueue::connect(options(broker, prefix, &[100, 300, 1_000])).await.unwrap();
    for processor in ["membership", "dead-letters", "waiver"] {
        let declared = queue.declare(&[processor.into()]).await;
        assert_eq!(declared.is_ok(), processor != "waiver", "{declared:?}");
    }
    queue.leave();
}

/// Also takes along what every queue needs.
async fn remove(broker: String, prefix: String, odd: &str) {
    rollbook_queue_rabbitmq::remove(&options(broker, prefix, &[4_000]), &[odd.into()]).await.unwrap();
}

#[test]
fn an_older_schema_names_the_command() {
    let world = World::new(&Options::default());
    let migrated = world.cli(&["migrate"]);
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    assert_eq!(named(&doctor(&world).0, "store-migrations")[0]["status"], "ok");
    forget_the_last_migration(&world);
    let (checks, code) = doctor(&world);
    let migrations = finding(&checks, "store-migrations");
    assert_eq!((migrations["status"].as_str(), code), (Some("problem"), Some(3)), "{migrations}");
    assert!(migrations["todo"].as_str().unwrap().contains("rollbook migrate"), "{migrations}");
}

fn forget_the_last_migration(world: &World) {
    const FORGET: &str = "DELETE FROM schema_migration WHERE number = (SELECT max(number) FROM schema_migration)";
    let (server, file) = (world.backends().database(), world.folder().join("rollbook.db"));
    apart(async move {
        use sqlx::Connection as _;
        if let Some(url) = server {
            sqlx::PgConnection::connect(&url).await.unwrap().execute(FORGET).await.unwrap();
        } else {
            let url = format!("sqlite:{}", file.display());
            sqlx::SqliteConnection::connect(&url).await.unwrap().execute(FORGET).await.unwrap();
        }
    });
}

#[test]
fn servers_that_are_away_or_silent_are_problems_within_ten_seconds() {
    let world = World::new(&Options { embedded: true, ..Options::default() });
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = silent.local_addr().unwrap().port();
    let usual = fs::read_to_string(world.config()).unwrap();
    let folder = world.folder().display();
    for port in [1, mute] {
        let text = usual
            .replace(&format!("sqlite:{folder}/queue.db"), &format!("amqp://ada:s3cret@127.0.0.1:{port}/club"))
            .replace(&format!("sqlite:{folder}/rollbook.db"), &format!("postgres://ada:s3cret@127.0.0.1:{port}/club"));
        assert_ne!(text, usual, "the test is out of date");
        fs::write(world.config(), text).unwrap();
        let asked = Instant::now();
        let (checks, code) = doctor(&world);
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
        assert_eq!(code, Some(3));
        for name in ["queue-reachable", "store-reachable"] {
            assert_eq!(finding(&checks, name)["status"], "problem");
        }
        let ours = |check: &&Value| {
            let name = check["name"].as_str().unwrap();
            name.starts_with("queue") || name.starts_with("store") || name == "source-events"
        };
        assert!(checks.iter().filter(ours).all(|check| check["status"] != "ok"), "{checks:#?}");
        assert!(checks.iter().filter(ours).count() > 10, "{checks:#?}");
        assert!(!format!("{checks:?}").contains("s3cret"));
    }
}
