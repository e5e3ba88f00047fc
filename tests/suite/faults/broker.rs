//! The broker stops, hangs up, takes nothing and loses a queue.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rollbook_tests::{Servers, newcomers};

use super::scene::{Scene, Shape};

#[test]
fn the_broker_is_hurt_and_nothing_is_lost() {
    let servers = Servers::start(&["postgres", "rabbitmq"]);
    stops_and_starts(&servers);
    hangs_up(&servers);
    is_short_of_memory(&servers);
    loses_an_empty_queue(&servers);
    is_away_and_the_disk_full(&servers);
}

fn stops_and_starts(servers: &Servers) {
    let mut scene = Scene::begin(servers, "RabbitMQ stopped and started, then killed and started");
    for signal in ["TERM", "KILL"] {
        servers.halt("rabbitmq", signal);
        // From the first moment on they wait in the spool.
        scene.wait_acked(240);
        servers.resume("rabbitmq");
        scene.resumes();
    }
    scene.end();
}

fn hangs_up(servers: &Servers) {
    let mut scene = Scene::begin(servers, "all connections to RabbitMQ closed three times");
    for _ in 0..3 {
        scene.wait_acked(80);
        servers.broker_control(&["close_all_connections", "a test"]);
        scene.resumes();
    }
    scene.end();
}

fn is_short_of_memory(servers: &Servers) {
    let mut scene = Scene::begin(servers, "memory alarm for 20 s");
    servers.broker_control(&["set_vm_memory_high_watermark", "absolute", "1MB"]);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        scene.wait_acked(40);
    }
    servers.broker_control(&["set_vm_memory_high_watermark", "0.4"]);
    scene.resumes();
    scene.end();
}

/// Once while nobody works, so that what comes waits in `unrouted`, and once under the workers' hands.
fn loses_an_empty_queue(servers: &Servers) {
    let shape = Shape { callbacks: newcomers(1, 400), ..Shape::default() };
    let mut scene = Scene::begin_as(servers, "empty work queues deleted, without and with workers", shape);
    scene.rest();
    delete_work_queues(&scene);
    scene.play(newcomers(2, 400));
    scene.wait_acked(300);
    let waiting = scene.ready("unrouted");
    println!("  {waiting} wait in `unrouted`");
    assert!(waiting >= 300);
    scene.work();
    scene.resumes();
    scene.rest();
    scene.work();
    delete_work_queues(&scene);
    scene.play(newcomers(3, 4_000));
    scene.resumes();
    scene.end();
}

fn delete_work_queues(scene: &Scene<'_>) {
    for name in ["membership", "waiver"] {
        let queue = format!("{}.{name}", scene.fleet.backends().prefix());
        scene.servers.broker_control(&["delete_queue", &queue]);
    }
}

/// A spool that may take no more of its disk says so. Then somebody else fills the disk to its last byte,
/// and what the spool took waits until there is room to work.
fn is_away_and_the_disk_full(servers: &Servers) {
    let shape = Shape { spool_disk: Some(8 << 20), ..Shape::default() };
    let mut scene = Scene::begin_as(servers, "RabbitMQ away and the spool's disk full", shape);
    scene.put_off = true;
    let (began, before) = (Instant::now(), scene.traffic.acked());
    servers.halt("rabbitmq", "KILL");
    while scene.traffic.retries() < 100 {
        assert!(began.elapsed() < Duration::from_mins(1), "the disk does not fill up\n{}", scene.fleet.log_tails());
        std::thread::sleep(Duration::from_millis(20));
    }
    let kept = scene.traffic.acked() - before;
    println!("  {kept} kept before the disk was full, spool {:?}", scene.fleet.spooled());
    assert!(kept > 100, "the spool kept next to nothing: {kept}");
    let rest = scene.fleet.ingests[0].seen("spool/of-somebody-else");
    fill(&rest);
    servers.resume("rabbitmq");
    scene.resumes();
    std::fs::remove_file(rest).unwrap();
    scene.end();
}

/// Writes into a file until its disk is full.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    let fault = loop {
        if let Err(fault) = file.write_all(&[0; 4096]) {
            break fault;
        }
    };
    assert_eq!(fault.kind(), ErrorKind::StorageFull, "{fault}");
}
