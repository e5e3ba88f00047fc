//! What reaches the queue.

use bytes::Bytes;
use rollbook_domain::DeliveryKey;

use crate::wire::{exchange, signed};
use crate::world::{NOW_S, World};

#[tokio::test]
async fn the_envelope_holds_the_bytes_as_they_came() {
    let world = World::plain();
    let body = b"\x00\xff{\"a\" : 1 }\r\n\r\n";
    let headers = [
        ("Toy-Id", "evt_1"),
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer nobody-needs-this"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    assert_eq!(exchange(world.address, signed(&headers, body)).await.status, 200);
    let message = world.queue.stored().remove(0);
    assert_eq!(message.to, ["membership".into(), "waiver".into()]);
    assert!(!message.redecide);
    let envelope = message.envelope;
    assert_eq!(envelope.body, Bytes::from_static(body));
    assert_eq!(envelope.source, "toy".into());
    assert_eq!(envelope.delivery_key, "evt_1".into());
    assert_eq!(envelope.received_at.as_second(), NOW_S);
    assert_eq!(envelope.id.0.get_version_num(), 7);
    let kept = [("toy-id", "evt_1"), ("content-type", "application/json")];
    assert_eq!(envelope.headers, kept.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(envelope.trace.as_deref(), Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
    world.stop().await;
}

#[tokio::test]
async fn what_the_sender_does_not_name_is_made() {
    let world = World::plain();
    let odd = "k".repeat(2000);
    for headers in [&[][..], &[("traceparent", "pat@example.org")], &[("toy-id", &*odd)], &[("toy-id", "a\tb")]] {
        assert_eq!(exchange(world.address, signed(headers, b"hello")).await.status, 200);
    }
    let envelopes: Vec<_> = world.queue.stored().into_iter().map(|message| message.envelope).collect();
    let hash = DeliveryKey::from("body:2cf24dba5fb0a30e26e83b2ac5b9e29e");
    assert_eq!([&envelopes[0].delivery_key, &envelopes[1].delivery_key], [&hash, &hash]);
    assert_eq!(envelopes[2].delivery_key.as_str(), "k".repeat(512));
    assert_eq!(envelopes[3].delivery_key.as_str(), "ab");
    for envelope in &envelopes {
        let trace = envelope.trace.as_deref().unwrap();
        assert!(trace.len() == 55 && trace.starts_with("00-") && !trace.contains('@'), "{trace}");
    }
    assert_ne!(envelopes[0].id, envelopes[1].id);
    assert_ne!(envelopes[0].trace, envelopes[1].trace);
    world.stop().await;
}

#[tokio::test]
async fn a_duplicate_is_answered_like_the_first() {
    let world = World::plain();
    for _ in 0..3 {
        assert_eq!(exchange(world.address, signed(&[("toy-id", "evt_1")], b"hello")).await.status, 200);
    }
    assert_eq!(world.queue.stored().len(), 3, "telling duplicates apart is the worker's work");
    world.stop().await;
}
