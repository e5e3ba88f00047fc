//! The code for each case.

use base64::Engine as _;
use ipnet::IpNet;
use rollbook_ingest::{ClientCerts, Gates, Route, Verifier};
use rollbook_providers::{PROVIDERS, Secret};
use rstest::rstest;

use crate::toy::TOY;
use crate::wire::{Wire, exchange, request, signed};
use crate::world::{NOW_S, World, options, route, routes};

#[tokio::test]
async fn a_signed_callback_is_stored_before_it_is_answered() {
    let world = World::plain();
    let answer = exchange(world.address, signed(&[], b"hello")).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "Recorded.\n"));
    assert_eq!(world.queue.stored().len(), 1);
    assert_eq!(world.count("toy", "durable"), 1);
    let rendered = world.metrics.render().unwrap();
    for line in [
        "rollbook_ingest_ack_seconds_count{source=\"toy\"} 1",
        "rollbook_publish_confirm_seconds_count 1",
        "rollbook_source_last_event_timestamp_seconds{source=\"toy\"} 1705320000",
        "rollbook_source_insecure{source=\"toy\"} 0",
        "rollbook_source_insecure{source=\"open\"} 1",
    ] {
        assert!(rendered.lines().any(|found| found == line), "{line}\n{rendered}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_success_answer_is_the_providers_own() {
    let world = World::plain();
    let signature = crate::toy::signature(b"hello");
    let bytes = request("POST", "/webhooks/quiet", &[("toy-signature", &signature)], b"hello");
    let answer = exchange(world.address, bytes).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    world.stop().await;
}

#[rstest]
#[case("/", "not_found")]
#[case("/webhooks", "not_found")]
#[case("/webhooks/", "not_found")]
#[case("/webhooks/other", "not_found")]
#[case("/webhooks/Toy", "not_found")]
#[case("/WEBHOOKS/toy", "not_found")]
#[case("/webhooks/toy/", "not_found")]
#[case("/webhooks/toy/more", "not_found")]
#[case("/webhooks/../webhooks/toy", "not_found")]
#[case("/webhooks/..%2f..%2fetc%2fpasswd", "not_found")]
#[case("/webhooks/%74oy", "not_found")]
#[case("/webhooks/toy%00", "not_found")]
#[case("/webhooks/toy;a=b", "not_found")]
#[case("//webhooks/toy", "not_found")]
#[tokio::test]
async fn paths_that_are_no_source(#[case] path: &str, #[case] outcome: &str) {
    let world = World::plain();
    let signature = crate::toy::signature(b"x");
    for method in ["POST", "GET"] {
        let answer = exchange(world.address, request(method, path, &[("toy-signature", &signature)], b"x")).await;
        assert_eq!(answer.status, 404, "{answer:?}");
        assert!(!answer.body.contains("other") && !answer.body.contains("passwd"), "{answer:?}");
    }
    assert_eq!(world.count("unknown", outcome), 2);
    assert!(world.queue.stored().is_empty());
    world.stop().await;
}

#[rstest]
#[case(b"\xff\xfe")]
#[case(b"\xc3\xa9")]
#[case(b"toy\x00")]
#[case(b"toy\x7f")]
#[case(b"a b")]
#[tokio::test]
async fn odd_bytes_in_a_path_are_refused_and_harmless(#[case] name: &[u8]) {
    let world = World::plain();
    let bytes = [b"POST /webhooks/", name, b" HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"].concat();
    let answer = exchange(world.address, bytes).await;
    assert!(matches!(answer.status, 400 | 404), "{answer:?}");
    assert_eq!(exchange(world.address, signed(&[], b"hello")).await.status, 200);
    world.stop().await;
}

#[rstest]
#[case("/webhooks/toy?retry=1&name=pat%40example.org")]
#[case("http://rollbook.example.org/webhooks/toy")]
#[tokio::test]
async fn other_ways_to_write_the_same_address(#[case] target: &str) {
    let world = World::plain();
    let signature = crate::toy::signature(b"x");
    let answer = exchange(world.address, request("POST", target, &[("toy-signature", &signature)], b"x")).await;
    assert_eq!(answer.status, 200);
    world.stop().await;
}

#[rstest]
#[case("GET")]
#[case("PUT")]
#[case("PATCH")]
#[case("DELETE")]
#[case("OPTIONS")]
#[case("TRACE")]
#[case("BREW")]
#[tokio::test]
async fn other_methods(#[case] method: &str) {
    let world = World::plain();
    let answer = exchange(world.address, request(method, "/webhooks/toy", &[], b"")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(world.count("toy", "method"), 1);
    world.stop().await;
}

#[tokio::test]
async fn the_method_head_is_answered_without_a_body() {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    wire.say(request("HEAD", "/webhooks/toy", &[], b"")).await;
    assert_eq!(wire.hear_head().await.status, 405);
    wire.say(signed(&[], b"hello")).await;
    assert_eq!(wire.hear().await.status, 200, "the connection goes on");
    world.stop().await;
}

#[rstest]
#[case(&[], "signature_missing")]
#[case(&[("toy-signature", "no hex")], "signature_malformed")]
#[case(&[("toy-signature", "00ff")], "signature_mismatch")]
#[case(&[("toy-signature", "SIGNED"), ("toy-time", "1705319000")], "signature_stale")]
#[case(&[("toy-signature", "SIGNED"), ("toy-time", "1705321000")], "signature_stale")]
#[tokio::test]
async fn bad_signatures(#[case] headers: &[(&str, &str)], #[case] outcome: &str) {
    let world = World::plain();
    let signature = crate::toy::signature(b"hello");
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (*name, if *value == "SIGNED" { &signature } else { *value })).collect();
    let answer = exchange(world.address, request("POST", "/webhooks/toy", &headers, b"hello")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(world.count("toy", outcome), 1);
    assert!(world.queue.stored().is_empty());
    world.stop().await;
}

#[tokio::test]
async fn every_built_in_provider_is_believed_only_when_it_signed() {
    let secret =
        Secret { key_id: Some("key-1".into()), text: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".into() };
    let body = b"{\"hello\":\"there\"}";
    let routes = PROVIDERS.iter().map(|provider| Route {
        provider: *provider,
        verifier: Verifier::Keys(provider.keys(std::slice::from_ref(&secret)).unwrap()),
        ..route(provider.name(), &TOY)
    });
    let world = World::start(options(), routes.collect());
    for provider in PROVIDERS {
        let now = jiff::Timestamp::from_second(NOW_S).unwrap();
        let body: &[u8] = if provider.name().starts_with("cybersource") {
            b"transaction_id=1&req_access_key=key-1&signed_field_names=transaction_id"
        } else {
            body
        };
        let signed = provider.sign(&secret, body, "msg_1", now).unwrap();
        let headers: Vec<_> = signed.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = format!("/webhooks/{}", provider.name());
        let good = exchange(world.address, request("POST", &path, &headers, &signed.body)).await;
        assert_eq!(good.status, provider.success_status(), "{}", provider.name());
        let forged = signed.body.iter().map(|byte| if *byte == b'1' || *byte == b'h' { b'0' } else { *byte });
        let forged = exchange(world.address, request("POST", &path, &headers, &forged.collect::<Vec<_>>())).await;
        assert_eq!(forged.status, 401, "{}", provider.name());
        let unsigned = exchange(world.address, request("POST", &path, &[], body)).await;
        assert_eq!(unsigned.status, 401, "{}", provider.name());
        let empty = exchange(world.address, request("POST", &path, &[], b"")).await;
        assert_eq!(empty.status, 401, "{}", provider.name());
    }
    assert_eq!(world.queue.stored().len(), PROVIDERS.len());
    world.stop().await;
}

#[tokio::test]
async fn a_content_type_is_no_gate_and_an_empty_body_is_a_body() {
    let world = World::plain();
    for kind in ["application/json", "text/xml", "nonsense", ""] {
        assert_eq!(exchange(world.address, signed(&[("content-type", kind)], b"hello")).await.status, 200);
    }
    assert_eq!(exchange(world.address, signed(&[], b"")).await.status, 200);
    let bare = format!("POST /webhooks/toy HTTP/1.0\r\ntoy-signature: {}\r\n\r\n", crate::toy::signature(b""));
    assert_eq!(exchange(world.address, bare).await.status, 200, "HTTP/1.0 without a length");
    world.stop().await;
}

#[tokio::test]
async fn a_source_without_verifier_takes_what_anybody_sends() {
    let world = World::plain();
    assert_eq!(exchange(world.address, request("POST", "/webhooks/open", &[], b"anything")).await.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn a_panic_is_answered_and_the_front_lives_on() {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"panic")).await;
    assert_eq!(wire.hear().await.status, 500);
    wire.say(signed(&[], b"hello")).await;
    assert_eq!(wire.hear().await.status, 200, "even the connection lives on");
    assert_eq!(world.count("toy", "panicked"), 1);
    world.stop().await;
}

fn gated() -> Vec<Route> {
    let nets: Vec<IpNet> = vec!["192.0.2.0/24".parse().unwrap()];
    let fingerprints = vec!["aa".repeat(32)];
    let certs = ClientCerts { header: "x-fingerprint".into(), fingerprints };
    let basic_auth = vec![("pat".into(), "invented".into())];
    let with = |source: &str, gates: Gates| Route { gates, ..route(source, &TOY) };
    vec![
        with("ip", Gates { allow_ips: nets.clone(), ..Gates::default() }),
        with("auth", Gates { basic_auth: basic_auth.clone(), ..Gates::default() }),
        with("cert", Gates { client_certs: Some(certs.clone()), ..Gates::default() }),
        with("all", Gates { allow_ips: nets, basic_auth, client_certs: Some(certs) }),
    ]
}

/// What a request that comes through a proxy at 127.0.0.1 and is signed well is answered.
#[rstest]
#[case("ip", &[], 403, "forbidden_ip")]
#[case("ip", &[("x-forwarded-for", "192.0.2.7")], 200, "durable")]
#[case("ip", &[("x-forwarded-for", "192.0.2.7, 203.0.113.1")], 403, "forbidden_ip")]
#[case("ip", &[("x-forwarded-for", "not an address")], 403, "forbidden_ip")]
#[case("auth", &[], 401, "unauthorized")]
#[case("auth", &[("authorization", "AUTH")], 200, "durable")]
#[case("cert", &[], 403, "forbidden_certificate")]
#[case("cert", &[("x-fingerprint", "CERT")], 200, "durable")]
#[case("all", &[("x-forwarded-for", "192.0.2.7"), ("x-fingerprint", "CERT"), ("authorization", "AUTH")], 200, "durable")]
#[case("all", &[("x-forwarded-for", "192.0.2.7"), ("x-fingerprint", "CERT")], 401, "unauthorized")]
#[tokio::test]
async fn gates(#[case] source: &str, #[case] headers: &[(&str, &str)], #[case] status: u16, #[case] outcome: &str) {
    let proxied = rollbook_ingest::Options { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..options() };
    let world = World::start(proxied, gated());
    let auth = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode("pat:invented"));
    let cert = "AA:".repeat(32);
    let signature = crate::toy::signature(b"hello");
    let meant = |value| match value {
        "AUTH" => auth.as_str(),
        "CERT" => cert.trim_end_matches(':'),
        plain => plain,
    };
    let mut lines: Vec<_> = headers.iter().map(|(name, value)| (*name, meant(*value))).collect();
    lines.push(("toy-signature", &signature));
    let answer = exchange(world.address, request("POST", &format!("/webhooks/{source}"), &lines, b"hello")).await;
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(world.count(source, outcome), 1);
    assert_eq!(answer.header("www-authenticate").is_some(), status == 401);
    world.stop().await;
}

#[tokio::test]
async fn a_direct_sender_is_not_believed_about_address_and_certificate() {
    let world = World::start(options(), gated());
    let signature = crate::toy::signature(b"hello");
    let cert = "aa".repeat(32);
    let lines = [("toy-signature", &*signature), ("x-forwarded-for", "192.0.2.7"), ("x-fingerprint", &*cert)];
    for source in ["ip", "cert"] {
        let answer = exchange(world.address, request("POST", &format!("/webhooks/{source}"), &lines, b"hello")).await;
        assert_eq!(answer.status, 403, "{source}");
    }
    world.stop().await;
}

#[tokio::test]
async fn gates_stand_before_the_body() {
    let world = World::start(options(), gated());
    let mut wire = Wire::open(world.address).await;
    wire.say("POST /webhooks/auth HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n").await;
    assert_eq!(wire.hear().await.status, 401, "before a byte of the body came");
    world.stop().await;
}

#[rstest]
#[case(vec![route("a b", &TOY)])]
#[case(vec![route("toy", &TOY), route("toy", &TOY)])]
#[case(vec![Route { to: vec![], ..route("toy", &TOY) }])]
#[case(vec![Route { gates: Gates { basic_auth: vec![("pat".into(), String::new())], ..Gates::default() }, ..route("toy", &TOY) }])]
#[case(routes().into_iter().chain([route("..", &TOY)]).collect())]
#[tokio::test]
async fn a_route_that_cannot_work_is_refused_at_the_start(#[case] routes: Vec<Route>) {
    let bound = rollbook_ingest::Ingest::bind(
        options(),
        routes,
        std::sync::Arc::new(crate::toy::ToyQueue::new()),
        std::sync::Arc::new(rollbook_telemetry::Metrics::new("test").unwrap()),
        std::sync::Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
        std::sync::Arc::new(|| [0; 10]),
    );
    assert!(matches!(bound.err(), Some(rollbook_ingest::BindError::Route { .. })));
}
