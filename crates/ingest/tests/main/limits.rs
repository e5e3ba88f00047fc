//! Too much, too slow, too many, and things that are not HTTP.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use rollbook_ingest::Options;
use rstest::rstest;

use crate::toy::{Mood, signature};
use crate::wire::{Wire, exchange, request, signed};
use crate::world::{World, options, routes};

const SHORT: Duration = Duration::from_millis(150);

fn chunked(body: &[u8], chunk: usize) -> Vec<u8> {
    let head = format!(
        "POST /webhooks/toy HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntoy-signature: {}\r\n\r\n",
        signature(body)
    );
    let chunks = body.chunks(chunk).map(|part| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat());
    [head.into_bytes(), chunks.collect::<Vec<_>>().concat(), b"0\r\n\r\n".to_vec()].concat()
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_taken() {
    let world = World::plain();
    let body = vec![b'x'; 64 * 1024];
    assert_eq!(exchange(world.address, signed(&[], &body)).await.status, 200);
    assert_eq!(exchange(world.address, chunked(&body, 1000)).await.status, 200);
    assert_eq!(world.queue.stored()[1].envelope.body, body);
    world.stop().await;
}

/// The sender writes all of it before it looks for an answer, as most do.
#[tokio::test]
async fn a_sender_of_too_much_can_read_the_answer() {
    let world = World::plain();
    for bytes in [signed(&[], &vec![b'x'; 8 << 20]), chunked(&vec![b'x'; 8 << 20], 64 * 1024)] {
        let mut wire = Wire::open(world.address).await;
        wire.say(bytes).await;
        assert_eq!(wire.hear().await.status, 413);
        assert!(wire.ends().await);
    }
    assert_eq!(world.count("toy", "too_large"), 2);
    world.stop().await;
}

#[tokio::test]
async fn a_source_may_have_its_own_limit() {
    let world = World::plain();
    let small = |body: &[u8]| request("POST", "/webhooks/small", &[("toy-signature", &signature(body))], body);
    assert_eq!(exchange(world.address, small(b"0123456789")).await.status, 200);
    assert_eq!(exchange(world.address, small(b"0123456789A")).await.status, 413);
    world.stop().await;
}

#[tokio::test]
async fn expect_continue() {
    let world = World::plain();
    let head = |length: usize| {
        let signature = signature(b"hello");
        format!(
            "POST /webhooks/toy HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: {length}\r\n\
             toy-signature: {signature}\r\n\r\n"
        )
    };
    let mut wire = Wire::open(world.address).await;
    wire.say(head(5)).await;
    assert_eq!(wire.hear().await.status, 100);
    wire.say("hello").await;
    assert_eq!(wire.hear().await.status, 200);
    let refused = exchange(world.address, head(10_000_000)).await;
    assert_eq!(refused.status, 413, "without asking for the body first");
    world.stop().await;
}

#[rstest]
#[case::nothing_at_all("")]
#[case::half_a_line("POST /webhooks/toy HT")]
#[case::half_a_head("POST /webhooks/toy HTTP/1.1\r\nhost: a\r\n")]
#[tokio::test]
async fn a_slow_head_is_told_so(#[case] said: &str) {
    let world = World::start(Options { header_timeout: SHORT, ..options() }, routes());
    let mut wire = Wire::open(world.address).await;
    wire.say(said).await;
    let answer = wire.hear().await;
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
    assert!(wire.ends().await);
    world.counts("unknown", "timeout", 1).await;
    world.stop().await;
}

#[tokio::test]
async fn a_head_that_drips_is_not_waited_for_longer() {
    let world = World::start(Options { header_timeout: SHORT, ..options() }, routes());
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"first")).await;
    assert_eq!(wire.hear().await.status, 200);
    let started = Instant::now();
    for byte in b"POST /webhooks/toy HTTP/1.1\r\n".iter().cycle() {
        if wire.try_say([*byte]).await.is_err() || started.elapsed() > SHORT * 4 {
            break;
        }
        tokio::time::sleep(SHORT / 10).await;
    }
    let answer = wire.hear_or_end().await;
    assert!(answer.is_none_or(|answer| answer.status == 408));
    world.counts("unknown", "timeout", 1).await;
    world.stop().await;
}

#[rstest]
#[case("content-length: 100\r\n\r\nhalf")]
#[case("content-length: 100\r\n\r\n")]
#[case("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")]
#[tokio::test]
async fn a_slow_body_is_told_so(#[case] rest: &str) {
    let world = World::start(Options { body_timeout: SHORT, ..options() }, routes());
    let mut wire = Wire::open(world.address).await;
    wire.say(format!("POST /webhooks/toy HTTP/1.1\r\nhost: a\r\n{rest}")).await;
    let answer = wire.hear().await;
    assert_eq!((answer.status, answer.header("connection")), (408, Some("close")));
    assert!(wire.ends().await);
    assert_eq!(world.count("toy", "timeout"), 1);
    world.stop().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_recorded() {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    wire.say("POST /webhooks/toy HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf").await;
    wire.hush().await;
    assert!(wire.hear_or_end().await.is_none_or(|answer| answer.status == 400));
    world.counts("toy", "aborted", 1).await;
    assert!(world.queue.stored().is_empty());
    world.stop().await;
}

#[tokio::test]
async fn a_resting_connection_is_closed_without_a_word() {
    let world = World::start(Options { keep_alive_timeout: SHORT, ..options() }, routes());
    let mut wire = Wire::open(world.address).await;
    wire.say(signed(&[], b"hello")).await;
    assert_eq!(wire.hear().await.status, 200);
    assert!(wire.ends().await);
    assert_eq!(world.count("unknown", "timeout"), 0);
    world.stop().await;
}

#[tokio::test]
async fn a_connection_may_rest_longer_than_a_head_may_take() {
    let world = World::start(Options { header_timeout: SHORT, ..options() }, routes());
    let mut wire = Wire::open(world.address).await;
    for _ in 0..2 {
        wire.say(signed(&[], b"hello")).await;
        assert_eq!(wire.hear().await.status, 200);
        tokio::time::sleep(SHORT * 2).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn a_sender_may_close_its_half_and_wait() {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    world.queue.set(Mood::Held);
    wire.say(signed(&[], b"hello")).await;
    wire.hush().await;
    world.queue.entered().await;
    world.queue.let_go(1);
    assert_eq!(wire.hear().await.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_order() {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    let bad = request("POST", "/webhooks/toy", &[], b"unsigned");
    let nowhere = request("POST", "/nowhere", &[], b"with a body");
    wire.say([signed(&[], b"one"), bad, nowhere, signed(&[], b"two")].concat()).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(wire.hear().await.status);
    }
    assert_eq!(statuses, [200, 401, 404, 200]);
    world.stop().await;
}

#[rstest]
#[case::many_lines("a: b\r\n".repeat(10_000))]
#[case::one_long_line(format!("a: {}\r\n", "b".repeat(1 << 20)))]
#[case::one_line_too_many("a: b\r\n".repeat(257))]
#[tokio::test]
async fn a_head_that_is_too_large(#[case] lines: String) {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    wire.say(format!("POST /webhooks/toy HTTP/1.1\r\n{lines}\r\n")).await;
    assert_eq!(wire.hear().await.status, 431);
    assert!(wire.ends().await);
    world.counts("unknown", "bad_request", 1).await;
    world.stop().await;
}

#[tokio::test]
async fn two_hundred_header_lines_are_fine() {
    let world = World::plain();
    let names: Vec<_> = (0..200).map(|number| format!("x-docusign-signature-{number}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "c2lnbmF0dXJl")).collect();
    assert_eq!(exchange(world.address, signed(&headers, b"hello")).await.status, 200);
    world.stop().await;
}

#[rstest]
#[case(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n")]
#[case(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
#[case(b"\x00\x00\x00\x00\r\n\r\n\r\n\r\n")]
#[case(b"POST /webhooks/toy HTTP/9.9\r\n\r\n")]
#[case(b"POST /webhooks/toy HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab")]
#[case(b"POST /webhooks/toy HTTP/1.1\r\ncontent-length: -1\r\n\r\n")]
#[case(b"POST /webhooks/toy HTTP/1.1\r\nbad header\r\n\r\n")]
#[tokio::test]
async fn what_is_not_http_is_refused(#[case] bytes: &[u8]) {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    wire.say(bytes).await;
    let answer = wire.hear_or_end().await;
    assert!(answer.as_ref().is_none_or(|answer| answer.status == 400), "{answer:?}");
    assert!(wire.ends().await);
    assert_eq!(exchange(world.address, signed(&[], b"hello")).await.status, 200);
    world.stop().await;
}

/// A length and chunks in one message is how requests are smuggled past a proxy: only the chunks
/// may count, and the connection must not go on with what the length would have hidden.
#[tokio::test]
async fn a_message_with_two_lengths_hides_no_second_request() {
    let world = World::plain();
    let mut wire = Wire::open(world.address).await;
    let hidden = String::from_utf8(signed(&[], b"hidden")).unwrap();
    let head = "POST /webhooks/toy HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n";
    wire.say(format!("{head}content-length: {}\r\n\r\n0\r\n\r\n{hidden}", 5 + hidden.len())).await;
    assert!(wire.hear_or_end().await.is_none_or(|answer| matches!(answer.status, 400 | 401)));
    world.shutdown.cancel();
    let stored = world.queue.clone();
    world.stop().await;
    assert!(stored.stored().iter().all(|message| message.envelope.body != b"hidden"[..]));
}

#[tokio::test]
async fn bodies_never_take_more_memory_than_they_may() {
    let world = World::start(Options { max_buffered_bytes: 20_000, ..options() }, routes());
    world.queue.set(Mood::Held);
    let mut first = Wire::open(world.address).await;
    first.say(signed(&[], &[b'x'; 15_000])).await;
    world.queue.entered().await;
    let second = exchange(world.address, signed(&[], &[b'x'; 15_000])).await;
    assert_eq!((second.status, second.header("retry-after")), (503, Some("5")));
    world.queue.let_go(1);
    assert_eq!(first.hear().await.status, 200);
    world.queue.set(Mood::Fine);
    assert_eq!(exchange(world.address, signed(&[], &[b'x'; 15_000])).await.status, 200, "it is free again");
    world.stop().await;
}

#[tokio::test]
async fn a_connection_that_rests_makes_room_for_one_that_waits() {
    let world = World::start(Options { max_connections: 1, ..options() }, routes());
    let mut resting = Wire::open(world.address).await;
    resting.say(signed(&[], b"hello")).await;
    assert_eq!(resting.hear().await.status, 200);
    assert_eq!(exchange(world.address, signed(&[], b"hello")).await.status, 200);
    assert!(resting.ends().await);
    world.stop().await;
}

#[tokio::test]
async fn half_open_connections_keep_nobody_out_for_long() {
    let world = World::start(Options { max_connections: 4, header_timeout: SHORT, ..options() }, routes());
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(Wire::open(world.address).await);
    }
    assert_eq!(exchange(world.address, signed(&[], b"hello")).await.status, 200);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_who_never_reads_is_given_up() {
    let world = World::start(Options { header_timeout: SHORT, max_connections: 1, ..options() }, routes());
    let mut deaf = Wire::open(world.address).await;
    let questions = request("GET", "/webhooks/toy", &[], b"").repeat(1000);
    let asking = async { while deaf.try_say(&questions).await.is_ok() {} };
    tokio::time::timeout(Duration::from_mins(1), asking).await.expect("the server closes");
    assert_eq!(exchange(world.address, signed(&[], b"hello")).await.status, 200);
    world.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, the front answers the next good callback, and stores only that.
    #[test]
    fn arbitrary_bytes_do_no_harm(noise in proptest::collection::vec(any::<u8>(), 0..2000), cut in any::<u16>(), flip in any::<u8>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::plain();
            let mut mutated = signed(&[("toy-id", "evt_1")], b"a real body");
            let place = usize::from(cut) % (mutated.len() - 11);
            mutated[place] ^= flip.max(1);
            for bytes in [noise, mutated] {
                let mut wire = Wire::open(world.address).await;
                wire.say(bytes).await;
                wire.hush().await;
                while wire.hear_or_end().await.is_some() {}
            }
            let before = world.queue.stored();
            assert!(before.iter().all(|message| message.envelope.body == b"a real body"[..]));
            assert_eq!(exchange(world.address, signed(&[], b"good")).await.status, 200);
            world.stop().await;
        });
    }
}
