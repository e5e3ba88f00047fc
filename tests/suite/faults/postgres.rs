//! The database stops, hangs up and stands still. Callbacks are taken all the while.

use std::time::{Duration, Instant};

use rollbook_tests::{Servers, newcomers};

use super::scene::{RATE, Scene};

#[test]
fn the_database_is_hurt_and_nothing_is_lost() {
    let servers = Servers::start(&["postgres", "rabbitmq"]);
    stops_and_starts(&servers);
    hangs_up_again_and_again(&servers);
    is_locked_by_somebody_else(&servers);
    is_down_while_callbacks_are_acknowledged(&servers);
}

fn stops_and_starts(servers: &Servers) {
    let mut scene = Scene::begin(servers, "PostgreSQL stopped with `immediate` and started");
    // SIGQUIT is how it is told to stop at once.
    servers.halt("postgres", "QUIT");
    scene.wait_acked(240);
    servers.resume("postgres");
    scene.resumes();
    scene.end();
}

fn hangs_up_again_and_again(servers: &Servers) {
    let mut scene = Scene::begin(servers, "every backend connection terminated 20 times");
    let mut operator = scene.somebody_else();
    for _ in 0..20 {
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        scene.execute(&mut operator, sql);
        scene.wait_acked(20);
    }
    scene.resumes();
    scene.end();
}

fn is_locked_by_somebody_else(servers: &Servers) {
    for (fault, sql) in [
        ("a table locked for 10 s by somebody else", "LOCK TABLE processed IN ACCESS EXCLUSIVE MODE"),
        ("all people locked for 10 s by somebody else", "LOCK TABLE person IN EXCLUSIVE MODE"),
    ] {
        let mut scene = Scene::begin(servers, fault);
        let mut somebody = scene.somebody_else();
        scene.execute(&mut somebody, "BEGIN");
        scene.execute(&mut somebody, sql);
        std::thread::sleep(Duration::from_secs(10));
        assert!(scene.held_up(&mut somebody) > 0, "{fault}: nobody waits for it");
        scene.execute(&mut somebody, "ROLLBACK");
        scene.resumes();
        scene.end();
    }
}

/// The promise is 50 ms. A machine on which other things run gets room; the figure is printed.
const ACKNOWLEDGED: Duration = Duration::from_millis(250);

/// 20 s, or the minute that is promised where `ROLLBOOK_TEST_LONG` is set.
fn is_down_while_callbacks_are_acknowledged(servers: &Servers) {
    let long = std::env::var_os("ROLLBOOK_TEST_LONG").is_some();
    let seconds = if long { 60 } else { 20 };
    let mut scene = Scene::begin(servers, "PostgreSQL down for long");
    let more = newcomers(5, seconds * 80);
    servers.halt("postgres", "QUIT");
    let began = Instant::now();
    let url = scene.fleet.ingests[0].url();
    scene.played = scene.traffic.play_out(more, &url, RATE);
    let down = began.elapsed();
    servers.resume("postgres");
    scene.resumes();
    let p99 = Duration::from_micros(scene.played.ack.value_at_quantile(0.99));
    let acked = scene.played.sent.iter().filter(|sent| sent.answer.acked() && sent.answer.tries == 1).count();
    println!("  down for {down:.1?}: {acked} of {} acknowledged at once, p99 {p99:.1?}", scene.played.sent.len());
    assert_eq!(acked, scene.played.sent.len(), "some were put off");
    assert!(p99 < ACKNOWLEDGED, "p99 {p99:?}");
    scene.end();
}
