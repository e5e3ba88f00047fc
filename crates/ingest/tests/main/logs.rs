//! What the log says, and what it never says.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::toy::{Mood, SECRET, signature};
use crate::wire::{Wire, exchange, request, signed};
use crate::world::World;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// Everything that any crate says on this thread, at every level.
    fn capture() -> (Self, DefaultGuard) {
        let log = Self::default();
        let everything = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .finish();
        (log, tracing::subscriber::set_default(everything))
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn no_secret_signature_header_or_body_at_any_level() {
    let (log, _guard) = Log::capture();
    let world = World::plain();
    let (mail, password) = ("pat@example.org", "Basic aW52ZW50ZWQ6cGFzc3dvcmQ=");
    let body = format!("{{\"email\":\"{mail}\"}}");
    let headers = [("toy-id", "id-of-the-sender"), ("authorization", password), ("x-mail", mail)];
    exchange(world.address, signed(&headers, body.as_bytes())).await;
    exchange(world.address, request("POST", &format!("/webhooks/{mail}"), &headers, body.as_bytes())).await;
    exchange(world.address, request("POST", &format!("/webhooks/toy?who={mail}"), &headers, body.as_bytes())).await;
    exchange(world.address, request("POST", "/webhooks/small", &headers, body.as_bytes())).await;
    exchange(world.address, request("GET", "/webhooks/toy", &headers, body.as_bytes())).await;
    for mood in [Mood::Away, Mood::Full(std::time::Duration::ZERO)] {
        world.queue.set(mood);
        exchange(world.address, signed(&headers, body.as_bytes())).await;
    }
    let mut garbage = Wire::open(world.address).await;
    garbage.say(format!("{mail}\r\n{password}\r\n\r\n")).await;
    while garbage.hear_or_end().await.is_some() {}
    world.stop().await;
    let lines = log.lines();
    assert!(lines.len() > 8, "the capture works: {lines:?}");
    for unsaid in [mail, "pat%40", "aW52ZW50ZWQ6", SECRET, &signature(body.as_bytes()), "id-of-the-sender"] {
        assert!(!lines.iter().any(|line| line.contains(unsaid)), "{unsaid}: {lines:#?}");
    }
}

#[tokio::test]
async fn one_line_a_request() {
    let (log, _guard) = Log::capture();
    let world = World::plain();
    exchange(world.address, signed(&[], b"hello")).await;
    exchange(world.address, request("GET", "/webhooks/toy", &[], b"")).await;
    let id = world.queue.stored()[0].envelope.id.to_string();
    world.stop().await;
    let lines: Vec<_> = log.lines().into_iter().filter(|line| line.contains("duration_us=")).collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for part in ["DEBUG rollbook_ingest", "source=\"toy\"", "outcome=\"durable\"", "status=200", &id] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(lines[1].contains("outcome=\"method\"") && lines[1].contains("status=405"), "{}", lines[1]);
}

#[tokio::test]
async fn forgeries_do_not_flood_the_log() {
    let (log, _guard) = Log::capture();
    let world = World::plain();
    let started = std::time::Instant::now();
    let stale = signed(&[("toy-time", "1705319000")], b"hello");
    for _ in 0..50 {
        exchange(world.address, &stale).await;
        exchange(world.address, request("POST", "/webhooks/toy", &[], b"hello")).await;
    }
    world.stop().await;
    let warned = |word: &str| log.lines().iter().filter(|line| line.contains(" WARN ") && line.contains(word)).count();
    let most = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    for word in ["signature_stale", "signature_missing"] {
        assert!((1..=most).contains(&warned(word)), "{word}: {} of at most {most}", warned(word));
    }
    assert!(warned("skew_s=1000") >= 1);
}

#[tokio::test]
async fn a_source_without_verifier_shouts() {
    let (log, _guard) = Log::capture();
    World::plain().stop().await;
    let shouts: Vec<_> = log.lines().into_iter().filter(|line| line.contains("NOT CHECKED")).collect();
    assert_eq!(shouts.len(), 1);
    assert!(shouts[0].contains(" WARN ") && shouts[0].contains("source=\"open\""), "{}", shouts[0]);
}
