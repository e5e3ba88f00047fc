//! Our own processes are killed: by somebody, and by what they are fed.

use std::time::{Duration, Instant};

use rollbook_domain::Reason;
use rollbook_simulate::{Callback, Expect, Expected, Key, Mix, Stream, StreamOptions, Verdict};
use rollbook_tests::{Servers, callbacks, sources, stream};

use super::scene::{Scene, Shape};

#[test]
fn processes_are_killed_and_nothing_is_lost() {
    let servers = Servers::start(&["postgres", "rabbitmq"]);
    an_ingest_is_killed(&servers);
    a_worker_is_killed_with_a_full_prefetch(&servers);
    a_payload_kills_every_worker(&servers);
}

fn an_ingest_is_killed(servers: &Servers) {
    let shape = Shape { ingests: 2, ..Shape::default() };
    let mut scene = Scene::begin_as(servers, "ingest killed five times", shape);
    scene.put_off = true;
    for _ in 0..5 {
        scene.fleet.ingests[0].kill();
        scene.wait_acked(40);
        scene.fleet.ingests[0].start(&[]);
        scene.wait_acked(80);
    }
    scene.resumes();
    scene.end();
}

const PREFETCH: u64 = 96;

fn a_worker_is_killed_with_a_full_prefetch(servers: &Servers) {
    // A consumer holds three batches.
    let shape = Shape { extra: "[worker]\nbatch = 32", ..Shape::default() };
    let mut scene = Scene::begin_as(servers, "worker killed while it holds a full prefetch", shape);
    let mut somebody = scene.somebody_else();
    scene.execute(&mut somebody, "BEGIN");
    scene.execute(&mut somebody, "LOCK TABLE processed IN ACCESS EXCLUSIVE MODE");
    let until = Instant::now() + Duration::from_secs(30);
    while held(&scene) < 2 * PREFETCH {
        assert!(Instant::now() < until, "{} in hand", held(&scene));
    }
    scene.fleet.workers[0].kill();
    scene.execute(&mut somebody, "ROLLBACK");
    scene.fleet.workers[0].start(&[]);
    scene.resumes();
    scene.end();
}

/// Deliveries of membership in the hands of workers.
fn held(scene: &Scene<'_>) -> u64 {
    let queue = format!("{}.membership", scene.fleet.backends().prefix());
    let rows = scene.servers.broker_control(&["list_queues", "--no-table-headers", "name", "messages_unacknowledged"]);
    let row = rows.lines().find_map(|line| line.strip_prefix(&queue)?.strip_prefix('\t'));
    row.and_then(|count| count.trim().parse().ok()).unwrap_or_else(|| panic!("no {queue} in {rows}"))
}

/// A callback that kills whoever translates it, and the text by which it does. Its source is one that
/// a single processor hears of: of two, each would have a dead letter.
fn killer() -> (Callback, String) {
    let sources = sources().into_iter().filter(|source| source.name.as_str() == "cybersource").collect();
    let stream = Stream::new(&StreamOptions { seed: 666, mix: Mix::Plain, sources, ..stream(1) });
    let (mark, mut callbacks) = (stream.tag().to_owned(), stream.into_callbacks());
    let mut callback = callbacks.remove(0);
    let Expect::Accepted(facts) = &callback.expect else { panic!("a plain callback is accepted") };
    let due = Expected {
        key: Key::Unnamed(u64::MAX),
        any_of: vec![Verdict::DeadLetter(Reason::read("kills_worker".to_owned()))],
        ..facts[0].clone()
    };
    callback.expect = Expect::Accepted(vec![due]);
    (callback, mark)
}

fn a_payload_kills_every_worker(servers: &Servers) {
    let (callback, mark) = killer();
    let mut callbacks = callbacks(8_000);
    callbacks.insert(400, callback);
    let shape = Shape { callbacks, deadly: Some(&mark), extra: "[worker]\nbatch = 32", ..Shape::default() };
    let mut scene = Scene::begin_as(servers, "a payload kills every worker that looks at it", shape);
    let (began, mut letters) = (Instant::now(), 0);
    while letters == 0 {
        let deaths = scene.fleet.revive();
        assert!(began.elapsed() < Duration::from_secs(90), "no dead letter after {deaths} deaths");
        let found = scene.fleet.office().json(&["dead-letters", "list", "--reason", "kills_worker"]);
        letters = found.as_array().unwrap().len();
    }
    println!("  a dead letter after {} deaths and {:.1?}", scene.fleet.revive(), began.elapsed());
    scene.resumes();
    // The audit holds exactly one letter `kills_worker` against the sender's record.
    scene.end();
}
