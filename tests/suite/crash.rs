//! The headline test: the running service is killed again and again, at random moments and at every
//! named point of the path, while the providers go on sending. Then it drains, and what it recorded
//! is held against the *sender's own* record.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rollbook_crash::POINTS;
use rollbook_simulate::{Player, PlayerOptions, Record, Recorded, Retry};
use rollbook_tests::{Options, World, callbacks};
use tokio_util::sync::CancellationToken;

/// Each point is killed at this often; as many kills again come at random moments.
const ROUNDS: usize = 13;

const SEED: u64 = 20_261_121;

fn player(world: &World, rate: f64, stop: &CancellationToken) -> Player {
    let clock = Arc::new(Timestamp::now);
    let options = PlayerOptions {
        concurrency: 8,
        rate: Some(rate),
        timeout: Duration::from_secs(5),
        retry: Retry { first: Duration::from_millis(20), longest: Duration::from_millis(200), tries: 100_000 },
        seed: SEED,
        stop: stop.clone(),
        ..PlayerOptions::new(world.url(), clock)
    };
    Player::new(options).unwrap()
}

/// What the sender's record says must stand, stands once; and nothing else does.
async fn audit(world: &World, record: &Record) {
    let store = world.store().await;
    let found = rollbook_tests::audit(record, &*store).await;
    assert!(found.ok(), "{found:#?}");
    let recorded = Recorded::load(store.as_ref()).await.unwrap();
    let applied = recorded.events.iter().filter(|row| row.outcome == "applied").count();
    assert!(applied > record.sent.len() / 4, "the audit looked at next to nothing");
}

/// Waits until the process has killed itself, or kills it. A service that ends in any other way than
/// by SIGKILL has failed: it could not start over what the last kill left behind.
fn until_dead(world: &mut World, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if let Some(status) = world.ended() {
            assert_eq!(status.signal(), Some(9), "the service ended by itself: {status}\n{}", world.log_tail());
            world.kill();
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    world.kill();
    false
}

/// Dead letters are sent again, so that the keeper and the relay have work, too.
fn replay_some(world: &World) {
    let _ = world.cli(&["dead-letters", "replay", "--everything", "--limit", "20", "--json"]);
}

struct Killed {
    at_points: [usize; POINTS.len()],
    at_random: usize,
}

fn kill_over_and_over(world: &mut World) -> Killed {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut killed = Killed { at_points: [0; POINTS.len()], at_random: 0 };
    for round in 0..ROUNDS {
        for (index, point) in POINTS.iter().enumerate() {
            // Rare points are killed at their first passages, busy ones anywhere.
            let nth = if index < 6 { random.u32(1..60) } else { random.u32(1..3) };
            world.launch(&[], &[("ROLLBOOK_CRASH_POINT", &format!("{point}:{nth}"))]);
            if index >= 6 || round % 4 == 0 {
                replay_some(world);
            }
            if until_dead(world, Duration::from_secs(3)) {
                killed.at_points[index] += 1;
            } else {
                killed.at_random += 1;
            }
            world.launch(&[], &[]);
            if round % 2 == 0 {
                world.wait_healthy();
            }
            let _ = until_dead(world, Duration::from_millis(random.u64(20..300)));
            killed.at_random += 1;
        }
    }
    killed
}

/// Points move in the transactions that are killed, too; `verify` finds what was moved by half.
const EARNING: &str = "[points]\nexpire_after = \"90 years\"\n\
    [[points.earn]]\non = \"payment_captured\"\nper_unit = 1\nmax_per_member = { points = 60, every = \"1 year\" }\n\
    [[points.earn]]\non = \"member_registered\"\naward = 100\n\
    [[points.earn]]\non = \"document_completed\"\naward = 7\n";

#[test]
fn two_hundred_kills_lose_nothing_and_double_nothing() {
    let schedule = r#"["50ms", "100ms", "200ms", "400ms", "800ms", "1s", "2s", "2s", "4s", "4s"]"#.to_owned();
    let mut world = World::new(&Options { schedule, extra: EARNING.to_owned(), ..Options::default() });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let stop = CancellationToken::new();
    let player = player(&world, 60.0, &stop);
    let callbacks = callbacks(6000);
    let playing = runtime.spawn(async move { player.play(callbacks).await.unwrap() });

    let killed = kill_over_and_over(&mut world);
    let kills = killed.at_random + killed.at_points.iter().sum::<usize>();
    println!("{kills} kills: {:?} at {POINTS:?}, {} at random moments", killed.at_points, killed.at_random);
    assert!(kills >= 200, "only {kills} kills");
    for (point, times) in POINTS.iter().zip(killed.at_points) {
        assert!(times > 0, "never killed at {point}");
    }

    world.start(&[]);
    // What was not sent yet stays unsent; what is under way gets its answer.
    stop.cancel();
    let record = runtime.block_on(playing).unwrap();
    world.drain();
    runtime.block_on(audit(&world, &record));
    world.verified();
    assert_eq!(world.stop(), Some(0));
}
