//! Our own processes are killed: by somebody, and by what they are fed.

use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use rollbook_domain::Reason;
use rollbook_simulate::{Callback, Expect, Expected, Key, Mix, Stream, StreamOptions, Verdict};
use rollbook_tests::{Servers, callbacks, stream};

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

/// A callback that kills whoever translates it, and the text by which it does.
fn killer() -> (Callback, String) {
    let stream = Stream::new(&StreamOptions { seed: 666, mix: Mix::Plain, ..stream(1) });
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
    let environment = [("ROLLBOOK_CRASH_ON_BODY", mark.as_str())];
    let shape = Shape { callbacks, environment: &environment, extra: "[worker]\nbatch = 32", ..Shape::default() };
    let mut scene = Scene::begin_as(servers, "a payload kills every worker that looks at it", shape);
    let deaths = supervise(&mut scene, &environment);
    println!("  {deaths} deaths");
    scene.resumes();
    scene.end();
}

/// Starts every worker again that died, until the killer is a dead letter; how often that was.
fn supervise(scene: &mut Scene<'_>, environment: &[(&str, &str)]) -> usize {
    let (mut deaths, until) = (0, Instant::now() + Duration::from_secs(120));
    loop {
        for worker in &mut scene.fleet.workers {
            if let Some(status) = worker.ended() {
                assert_eq!(status.signal(), Some(9), "ended by itself: {status}\n{}", worker.log_tail());
                worker.kill();
                worker.launch(&[], environment);
                deaths += 1;
            }
        }
        let letters = scene.fleet.office().json(&["dead-letters", "list", "--reason", "kills_worker"]);
        if !letters.as_array().unwrap().is_empty() {
            scene.fleet.workers.iter_mut().for_each(rollbook_tests::Process::wait_healthy);
            return deaths;
        }
        assert!(Instant::now() < until, "not a dead letter after {deaths} deaths\n{}", scene.fleet.log_tails());
        std::thread::sleep(Duration::from_millis(20));
    }
}
