//! The answer to every kind of request, from the real binary.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rollbook_providers::Signed;
use rollbook_tests::{CLUBHOUSE, CYBERSOURCE, DOCUSIGN, Options, STRIPE, World, sign, sign_at};

const PAYMENT: &[u8] = b"transaction_id=7001&decision=ACCEPT&req_amount=15.00&req_currency=USD\
&req_merchant_defined_data1=membership&req_merchant_defined_data2=MU&req_merchant_defined_data3=ada%40example.org\
&signed_date_time=2026-03-01T12%3A00%3A00Z";

fn payment() -> Signed {
    sign("cybersource-secure-acceptance", CYBERSOURCE, PAYMENT, "7001")
}

fn form(body: impl Into<Vec<u8>>) -> Signed {
    Signed { headers: vec![("Content-Type".into(), "application/x-www-form-urlencoded".into())], body: body.into() }
}

#[test]
fn a_signed_callback_is_200_and_its_duplicate_too() {
    let world = World::up(&Options::default());
    assert_eq!(world.post("cybersource", &payment()).status, 200);
    assert_eq!(world.post("cybersource", &payment()).status, 200);
}

#[test]
fn content_type_is_no_gate() {
    let world = World::up(&Options::default());
    let mut odd = payment();
    odd.headers = vec![("Content-Type".into(), "application/json".into())];
    assert_eq!(world.post("cybersource", &odd).status, 200);
}

#[test]
fn a_forged_or_missing_signature_is_401_with_every_provider() {
    let world = World::up(&Options::default());
    let wrong = "whsec_dGhpcyBpcyBub3QgdGhlIGtleSBvZiBhbnlib2R5";
    let json = br#"{"type":"x","id":"evt_1","created":1}"#;
    for (source, provider, body) in [
        ("cybersource", "cybersource-secure-acceptance", PAYMENT),
        ("docusign", "docusign-connect", json),
        ("stripe", "stripe", json),
        ("clubhouse", "standard-webhooks", json),
    ] {
        assert_eq!(world.post(source, &sign(provider, wrong, body, "m1")).status, 401, "{source} forged");
        assert_eq!(world.post(source, &form(body)).status, 401, "{source} unsigned");
        assert_eq!(world.post(source, &form(&b""[..])).status, 401, "{source} empty");
    }
}

#[test]
fn one_changed_byte_is_401() {
    let world = World::up(&Options::default());
    let mut changed = sign("docusign-connect", DOCUSIGN, br#"{"event":"envelope-sent"}"#, "d1");
    changed.body[3] ^= 1;
    assert_eq!(world.post("docusign", &changed).status, 401);
}

#[test]
fn an_old_or_future_time_is_401_only_where_the_scheme_signs_one() {
    let world = World::up(&Options::default());
    let json = br#"{"id":"evt_1","type":"x","created":1,"data":{"object":{}}}"#;
    let now = jiff::Timestamp::now();
    let ago = |seconds: i64| now - jiff::SignedDuration::from_secs(seconds);
    for (source, provider, secret) in [("stripe", "stripe", STRIPE), ("clubhouse", "standard-webhooks", CLUBHOUSE)] {
        for (seconds, status) in [(0, 200), (290, 200), (310, 401), (-290, 200), (-310, 401)] {
            let signed = sign_at(provider, secret, json, "m2", ago(seconds));
            assert_eq!(world.post(source, &signed).status, status, "{source} {seconds} s ago");
        }
    }
    let years = 3600 * 24 * 1000;
    assert_eq!(world.post("docusign", &sign_at("docusign-connect", DOCUSIGN, json, "d", ago(years))).status, 200);
}

#[test]
fn verified_but_unreadable_is_200_and_a_dead_letter() {
    let world = World::up(&Options::default());
    let signed = sign("docusign-connect", DOCUSIGN, b"\xff\xfe this is no message", "d3");
    assert_eq!(world.post("docusign", &signed).status, 200);
    let half = sign("cybersource-secure-acceptance", CYBERSOURCE, b"decision=ACCEPT", "c3");
    assert_eq!(world.post("cybersource", &half).status, 200);
    world.drain();
    let letters = world.json(&["dead-letters", "list"]);
    let mut reasons: Vec<_> = letters.as_array().unwrap().iter().map(|row| row["reason"].as_str().unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons, ["missing_field", "unparseable"]);
}

#[test]
fn other_methods_are_405_and_other_places_404() {
    let world = World::up(&Options::default());
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] {
        let answer = world.request(method, "/webhooks/cybersource", "", b"");
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.head.to_lowercase().contains("allow: post"), "{}", answer.head);
    }
    for path in
        ["/", "/webhooks", "/webhooks/", "/webhooks/nobody", "/webhooks/cybersource/x", "/webhooks/..%2f", "/metrics"]
    {
        assert_eq!(world.request("POST", path, "", PAYMENT).status, 404, "{path}");
    }
}

#[test]
fn too_large_is_413_that_the_sender_can_read() {
    let world = World::up(&Options::default());
    let large = vec![b'a'; 3 << 20];
    let answer = world.request("POST", "/webhooks/cybersource", "", &large);
    assert_eq!(answer.status, 413);
    let mut chunked =
        b"POST /webhooks/cybersource HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for _ in 0..40 {
        chunked.extend_from_slice(b"10000\r\n");
        chunked.extend(std::iter::repeat_n(b'a', 0x10000));
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(world.raw(&chunked).status, 413);
}

#[test]
fn slow_and_half_open_clients_keep_nobody_out() {
    let world = World::up(&Options::default());
    let stuck: Vec<TcpStream> = (0..200)
        .map(|n| {
            let mut stream = TcpStream::connect(("127.0.0.1", world.port())).unwrap();
            let part: &[u8] = if n % 2 == 0 {
                b"POST /webhooks/cyb"
            } else {
                b"POST /webhooks/stripe HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"
            };
            stream.write_all(part).unwrap();
            stream
        })
        .collect();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(world.post("cybersource", &payment()).status, 200);
    drop(stuck);
}

#[test]
fn every_gate_must_pass() {
    let mut world = World::new(&Options::default());
    let text = std::fs::read_to_string(world.config()).unwrap();
    let gated = text
        .replace(
            "provider = \"cybersource-secure-acceptance\"",
            "provider = \"cybersource-secure-acceptance\"\nallow_ips = [\"198.51.100.0/24\"]\nbasic_auth = [{ user = \"bank\", password = { value = \"invented-basic-password\" } }]",
        )
        .replace(
            "provider = \"docusign-connect\"",
            "provider = \"docusign-connect\"\nclient_certs = { header = \"x-client-cert\", fingerprints = [\"AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD\", \"0123456789abcdef0123456789abcdef01234567\"] }",
        )
        .replace("[ops]", "trusted_proxies = [\"127.0.0.1\"]\n[ops]");
    std::fs::write(world.config(), gated).unwrap();
    world.start(&[]);
    let with = |source: &str, signed: &Signed, lines: &str| world.post_with(source, signed, lines).status;
    let basic = "Authorization: Basic YmFuazppbnZlbnRlZC1iYXNpYy1wYXNzd29yZA==\r\n";
    let inside = "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n";
    let outside = "X-Forwarded-For: 198.51.100.7, 203.0.113.9\r\n";
    assert_eq!(with("cybersource", &payment(), &format!("{basic}{inside}")), 200);
    assert_eq!(with("cybersource", &payment(), basic), 403, "the proxy itself is not on the list");
    assert_eq!(with("cybersource", &payment(), &format!("{basic}{outside}")), 403, "only the right-most hop counts");
    assert_eq!(with("cybersource", &payment(), inside), 401);
    assert_eq!(
        with("cybersource", &form(PAYMENT), &format!("{basic}{inside}")),
        401,
        "gates do not replace the signature"
    );

    let document = sign("docusign-connect", DOCUSIGN, br#"{"event":"envelope-sent"}"#, "d9");
    for known in
        ["aabbccddeeff00112233445566778899aabbccdd", "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF:01:23:45:67"]
    {
        assert_eq!(with("docusign", &document, &format!("X-Client-Cert: {known}\r\n")), 200);
    }
    assert_eq!(with("docusign", &document, "X-Client-Cert: 00\r\n"), 403);
    assert_eq!(with("docusign", &document, ""), 403);
}

#[test]
fn a_nearly_full_disk_is_503_with_retry_after_and_never_a_lie() {
    let mut world = World::new(&Options::default());
    let text = std::fs::read_to_string(world.config()).unwrap();
    let full = text.replace("[store]", "min_free_disk = \"1000000GiB\"\n[store]");
    std::fs::write(world.config(), &full).unwrap();
    world.start(&[]);
    let answer = world.post("cybersource", &payment());
    assert_eq!(answer.status, 503);
    assert!(answer.head.to_lowercase().contains("retry-after"), "{}", answer.head);
    assert_eq!(world.stop(), Some(0));
    std::fs::write(world.config(), text).unwrap();
    world.start(&[]);
    world.drain();
    assert_eq!(world.json(&["events", "list"]).as_array().unwrap().len(), 0, "what was refused is not there");
}

/// Holds the store's write lock, as a process gone mad would: every commit is kept out.
struct Locked {
    runtime: tokio::runtime::Runtime,
    connection: sqlx::SqliteConnection,
}

impl Locked {
    fn new(world: &World) -> Self {
        use sqlx::{ConnectOptions as _, Executor as _};
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let path = world.folder().join("rollbook.db");
        let connection = runtime.block_on(async {
            let mut connection = sqlx::sqlite::SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            connection.execute("BEGIN IMMEDIATE").await.unwrap();
            connection
        });
        Self { runtime, connection }
    }

    fn release(mut self) {
        use sqlx::Executor as _;
        self.runtime.block_on(self.connection.execute("ROLLBACK")).unwrap();
    }
}

#[test]
fn a_locked_store_neither_keeps_the_service_from_starting_nor_from_stopping() {
    let mut world = World::up(&Options::default());
    assert_eq!(world.stop(), Some(0));
    let locked = Locked::new(&world);
    world.start(&[]);
    assert_eq!(world.post("cybersource", &payment()).status, 200);
    assert_eq!(world.ops_get("/readyz").0, 503, "the store cannot be written");
    let asked = Instant::now();
    world.stop();
    assert!(asked.elapsed() < Duration::from_secs(15), "it took {:?} to stop", asked.elapsed());
    locked.release();
    world.start(&[]);
    world.drain();
    assert_eq!(world.ops_get("/readyz").0, 200);
    assert_eq!(world.json(&["members", "list"]).as_array().unwrap().len(), 1);
    world.verified();
}

#[test]
fn ingest_answers_while_the_store_is_away() {
    let world = World::up(&Options::default());
    let locked = Locked::new(&world);
    for n in 0..50 {
        let body = String::from_utf8_lossy(PAYMENT).replace("7001", &format!("70{n:02}"));
        let signed = sign("cybersource-secure-acceptance", CYBERSOURCE, body.as_bytes(), "c");
        assert_eq!(world.post("cybersource", &signed).status, 200);
    }
    let settled = |world: &World| world.json(&["events", "list"]).as_array().unwrap().len();
    assert_eq!(settled(&world), 0);
    locked.release();
    world.drain();
    assert_eq!(settled(&world), 50);
    world.verified();
}
