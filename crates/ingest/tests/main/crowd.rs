//! Strangers who take all places and finish nothing.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use rollbook_ingest::Options;
use rstest::rstest;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::toy::{Mood, signature};
use crate::wire::{Wire, exchange, signed};
use crate::world::{World, options, routes};

/// Providers give up after 5 s; an answer that takes so long is too late for comfort.
const SOON: Duration = Duration::from_secs(2);

const NOTHING: &str = "";
const HALF_A_HEAD: &str = "POST /webhooks/toy HTTP/1.1\r\nhost: a\r\n";
const HALF_A_BODY: &str = "POST /webhooks/toy HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf";

#[derive(Clone, Copy)]
enum From {
    /// The address of the good senders.
    Here,
    /// One other address.
    Elsewhere,
    /// A peer whose connections are not counted.
    Proxy,
    Everywhere,
}

impl From {
    fn address(self, number: usize) -> IpAddr {
        let [high, low] = u16::try_from(number % 200).unwrap().to_be_bytes();
        Ipv4Addr::from(match self {
            Self::Here => [127, 0, 0, 1],
            Self::Elsewhere => [127, 0, 0, 9],
            Self::Proxy => [127, 0, 0, 2],
            Self::Everywhere => [127, 0, 1 + high, low + 1],
        })
        .into()
    }
}

fn house(max_connections: usize) -> World {
    World::start(Options { max_connections, ..options() }, routes())
}

async fn strangers(world: &World, count: usize, from: From, said: &str) -> Vec<Wire> {
    let mut all = Vec::with_capacity(count);
    for number in 0..count {
        let mut wire = Wire::open_from(from.address(number), world.address).await;
        // Those who came first may be gone already.
        let _ = wire.try_say(said).await;
        all.push(wire);
    }
    all
}

async fn answered_soon(world: &World, body: &[u8]) -> Duration {
    let started = Instant::now();
    let answer = timeout(SOON, exchange(world.address, signed(&[], body))).await.expect("an answer in time");
    assert_eq!(answer.status, 200);
    started.elapsed()
}

/// As providers do: whoever is sent away before the server had the time to read what they say, because the
/// machine is busy and the crowd pushes, comes again at once.
async fn answered_soon_in_the_end(world: &World, body: &[u8]) -> Duration {
    let started = Instant::now();
    let asking = async {
        loop {
            let mut wire = Wire::open(world.address).await;
            let _ = wire.try_say(signed(&[], body)).await;
            if let Some(answer) = wire.hear_or_end().await {
                return answer;
            }
            println!("sent away after {:?}", started.elapsed());
        }
    };
    assert_eq!(timeout(SOON, asking).await.expect("an answer in time").status, 200);
    started.elapsed()
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_delay_no_good_callback(
    #[values(8, 1024)] places: usize,
    #[values(NOTHING, HALF_A_HEAD, HALF_A_BODY)] said: &str,
    #[values(From::Here, From::Elsewhere, From::Proxy, From::Everywhere)] from: From,
) {
    let world = house(places);
    let crowd = strangers(&world, places + 76, from, said).await;
    let delay = answered_soon(&world, b"hello").await;
    println!("answered after {delay:?}");
    drop(crowd);
    world.stop().await;
}

/// The delay must not come back with every wave.
#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_who_come_again_and_again_delay_no_good_callback(
    #[values(8, 1024)] places: usize,
    #[values(HALF_A_HEAD, HALF_A_BODY)] said: &'static str,
    #[values(From::Here, From::Everywhere)] from: From,
) {
    let world = house(places);
    let address = world.address;
    let mut waves = JoinSet::new();
    for number in 0..places + 76 {
        waves.spawn(async move {
            loop {
                let mut wire = Wire::open_from(from.address(number), address).await;
                let _ = wire.try_say(said).await;
                wire.hear_or_end().await;
                sleep(Duration::from_millis(100)).await;
            }
        });
    }
    sleep(Duration::from_millis(200)).await;
    let (started, mut slowest, mut answered) = (Instant::now(), Duration::ZERO, 0);
    while started.elapsed() < Duration::from_secs(3) {
        slowest = slowest.max(answered_soon_in_the_end(&world, b"hello").await);
        answered += 1;
    }
    println!("{answered} answered, the slowest after {slowest:?}");
    waves.shutdown().await;
    assert_eq!(world.queue.stored().len(), answered);
    world.stop().await;
}

#[tokio::test]
async fn nobody_is_sent_away_while_nobody_waits() {
    let world = house(1);
    let mut slow = Wire::open(world.address).await;
    let request = signed(&[], b"hello");
    for part in request.chunks(request.len() / 3) {
        slow.say(part).await;
        sleep(Duration::from_millis(400)).await;
    }
    assert_eq!(slow.hear().await.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn a_callback_that_is_being_published_is_never_sent_away() {
    let world = house(2);
    world.queue.set(Mood::Held);
    let mut good = Wire::open(world.address).await;
    good.say(signed(&[], b"hello")).await;
    world.queue.entered().await;
    let mut crowd = strangers(&world, 20, From::Everywhere, HALF_A_HEAD).await;
    for stranger in &mut crowd[..18] {
        assert!(stranger.hear_or_end().await.is_none());
    }
    world.queue.let_go(1);
    assert_eq!(good.hear().await.status, 200);
    drop(crowd);
    world.stop().await;
}

/// It is the oldest of all, and yet the others go before it.
#[tokio::test]
async fn a_body_that_comes_well_is_the_last_to_go() {
    let world = house(8);
    let body = vec![b'x'; 60 * 1024];
    let mut good = Wire::open(world.address).await;
    good.say(signed(&[], &body).strip_suffix(&body[..]).unwrap()).await;
    let mut crowd = JoinSet::new();
    let address = world.address;
    crowd.spawn(async move {
        let mut kept = Vec::new();
        for number in 0.. {
            kept.push(Wire::open_from(From::Everywhere.address(number), address).await);
            kept.last_mut().unwrap().try_say(HALF_A_BODY).await.ok();
            sleep(Duration::from_millis(5)).await;
        }
    });
    for part in body.chunks(2 * 1024) {
        good.say(part).await;
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(good.hear().await.status, 200);
    crowd.shutdown().await;
    world.stop().await;
}

#[tokio::test]
async fn a_peer_with_more_than_its_share_makes_room_first() {
    let world = house(8);
    let mut slow = Wire::open(world.address).await;
    let head = format!(
        "POST /webhooks/toy HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntoy-signature: {}\r\n\r\n",
        signature(b"hello")
    );
    slow.say(head).await;
    let mut crowd = strangers(&world, 30, From::Elsewhere, HALF_A_HEAD).await;
    for stranger in &mut crowd[..23] {
        assert!(stranger.hear_or_end().await.is_none());
    }
    slow.say("hello").await;
    assert_eq!(slow.hear().await.status, 200);
    drop(crowd);
    world.stop().await;
}
