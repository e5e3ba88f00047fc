//! Against a service that drops connections, says 503, and dies.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::fixtures::{now, options, source};
use crate::{Expect, Fate, Kind, Mix, Stream, StreamOptions};

type Behaviour = Arc<dyn Fn(usize) -> Reply + Send + Sync>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reply {
    Status(u16),
    /// Takes the request and closes without a word.
    Drop,
    /// Takes the request and says nothing.
    Silence,
}

/// Bodies that were answered with 2xx, and how often each.
type Kept = Arc<Mutex<BTreeMap<Vec<u8>, usize>>>;

struct Service {
    address: SocketAddr,
    kept: Kept,
    behaviour: Behaviour,
    seen: Arc<Mutex<usize>>,
    task: JoinHandle<()>,
}

impl Service {
    fn start(behaviour: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen("127.0.0.1:0".parse().unwrap(), Arc::new(behaviour), Kept::default(), Arc::default())
    }

    fn listen(address: SocketAddr, behaviour: Behaviour, kept: Kept, seen: Arc<Mutex<usize>>) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener = socket.listen(128).unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(accept(listener, Arc::clone(&behaviour), Arc::clone(&kept), Arc::clone(&seen)));
        Self { address, kept, behaviour, seen, task }
    }

    /// Dies with all its connections and listens again at the same address.
    async fn restart(self) -> Self {
        self.task.abort();
        let _ = self.task.await;
        Self::listen(self.address, self.behaviour, self.kept, self.seen)
    }

    fn options(&self) -> PlayerOptions {
        let mut options = PlayerOptions::new(format!("http://{}", self.address), Arc::new(now));
        options.concurrency = 8;
        options.retry = Retry { first: Duration::from_millis(2), longest: Duration::from_millis(20), tries: 1000 };
        options
    }
}

/// The connections are children of this task and end with it.
async fn accept(listener: TcpListener, behaviour: Behaviour, kept: Kept, seen: Arc<Mutex<usize>>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&behaviour), Arc::clone(&kept), Arc::clone(&seen)));
    }
}

async fn serve(mut stream: TcpStream, behaviour: Behaviour, kept: Kept, seen: Arc<Mutex<usize>>) {
    let mut buffer = Vec::new();
    while let Some(body) = request(&mut stream, &mut buffer).await {
        let number = {
            let mut seen = seen.lock().unwrap();
            *seen += 1;
            *seen - 1
        };
        match behaviour(number) {
            Reply::Drop => return,
            Reply::Silence => std::future::pending().await,
            Reply::Status(code) => {
                if code < 300 {
                    *kept.lock().unwrap().entry(body).or_default() += 1;
                }
                let answer = format!("HTTP/1.1 {code} Because\r\ncontent-length: 2\r\n\r\nok");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// The body of the next request on this connection.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        if let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let end = head + 4 + length.map_or(0, |length| length.trim().parse::<usize>().unwrap());
            if buffer.len() >= end {
                let rest = buffer.split_off(end);
                let whole = std::mem::replace(buffer, rest);
                return Some(whole[head + 4..].to_vec());
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// Forms: their signature does not depend on the time, so every try has the same bytes.
fn callbacks(events: usize) -> Vec<Callback> {
    let sources = vec![source("shop", "cybersource-secure-acceptance")];
    let options = StreamOptions { mix: Mix::Plain, sources, ..options(4, events) };
    Stream::new(&options).into_callbacks()
}

fn fates(record: &Record) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for sent in &record.sent {
        *counts.entry(format!("{:?}", sent.answer.fate)).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn everything_is_acknowledged_although_every_other_try_fails() {
    let service = Service::start(|number| match number % 4 {
        0 => Reply::Drop,
        2 => Reply::Status(503),
        _ => Reply::Status(200),
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut options = service.options();
    let heard = Arc::clone(&told);
    options.progress = Some(Arc::new(move |progress| heard.lock().unwrap().push(progress)));
    let record = Player::new(options).unwrap().play(callbacks(300)).await.unwrap();

    assert_eq!(fates(&record), BTreeMap::from([("Acked(200)".to_owned(), 300)]));
    let bodies: Vec<_> = callbacks(300).iter().map(|callback| callback.sign(now()).unwrap().body).collect();
    let kept = service.kept.lock().unwrap();
    assert!(bodies.iter().all(|body| kept.contains_key(body)));
    let tries: u64 = record.sent.iter().map(|sent| u64::from(sent.answer.tries)).sum();
    let failed: u64 = record.sent.iter().map(|sent| u64::from(sent.answer.silent + sent.answer.put_off)).sum();
    assert_eq!(tries, 300 + failed);
    assert!(failed >= 290, "{failed}");
    assert_eq!((record.ack.len(), record.ack_from_first.len()), (300, 300));
    let told = told.lock().unwrap();
    assert_eq!(told.len() as u64, tries);
    let last = told.iter().max_by_key(|progress| progress.acked + progress.retries).unwrap();
    assert_eq!((last.total, last.sent, last.acked, last.refused, last.retries), (300, 300, 300, 0, failed));
}

#[tokio::test]
async fn it_survives_the_death_of_the_service() {
    let service = Service::start(|_| Reply::Status(200));
    let mut options = service.options();
    options.rate = Some(1000.0);
    let player = Player::new(options).unwrap();
    let run = tokio::spawn(async move { player.play(callbacks(400)).await });
    let mut service = service;
    for deaths in 1..=3 {
        while *service.seen.lock().unwrap() < deaths * 90 {
            tokio::task::yield_now().await;
        }
        service = service.restart().await;
    }
    let record = run.await.unwrap().unwrap();
    assert_eq!(fates(&record), BTreeMap::from([("Acked(200)".to_owned(), 400)]));
    assert_eq!(service.kept.lock().unwrap().len(), 400);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let service = Service::start(|number| Reply::Status(if number % 2 == 0 { 401 } else { 200 }));
    let record = Player::new(service.options()).unwrap().play(callbacks(100)).await.unwrap();
    assert!(record.sent.iter().all(|sent| sent.answer.tries == 1));
    assert_eq!(fates(&record), BTreeMap::from([("Acked(200)".to_owned(), 50), ("Refused(401)".to_owned(), 50)]));
    assert!(record.sent.iter().all(|sent| sent.kind == Kind::Payment && matches!(sent.expect, Expect::Accepted(_))));
}

#[tokio::test]
async fn it_ends_at_its_deadline_and_after_its_tries() {
    let service = Service::start(|_| Reply::Silence);
    let mut options = service.options();
    options.timeout = Duration::from_millis(20);
    options.retry.tries = 3;
    let record = Player::new(options.clone()).unwrap().play(callbacks(20)).await.unwrap();
    assert!(record.sent.iter().all(|sent| sent.answer.fate == Fate::Unanswered && sent.answer.tries == 3));

    options.retry.tries = u32::MAX;
    options.deadline = Some(Duration::from_millis(200));
    let record = Player::new(options).unwrap().play(callbacks(20)).await.unwrap();
    assert!(record.elapsed < Duration::from_secs(5));
    assert!(record.sent.iter().all(|sent| !sent.answer.acked()));
    assert!(record.sent.iter().any(|sent| sent.answer.uncertain()));
}

#[tokio::test]
async fn it_stops_when_told() {
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    let service = Service::start(move |number| {
        if number == 50 {
            stopper.cancel();
        }
        Reply::Status(200)
    });
    let mut options = service.options();
    options.stop = stop;
    let record = Player::new(options).unwrap().play(callbacks(5000)).await.unwrap();
    let unsent = record.sent.iter().filter(|sent| sent.answer == Answer::UNSENT).count();
    assert!((4000..5000).contains(&unsent), "{unsent}");
    assert_eq!(record.sent.len(), 5000);
}

#[test]
fn odd_addresses_are_said_to_be_odd() {
    for odd in ["", "127.0.0.1:80", "https://example.org", "http://", "/webhooks", "http:// x"] {
        let player = Player::new(PlayerOptions::new(odd, Arc::new(now)));
        assert!(matches!(player, Err(PlayError::BadAddress(_))), "{odd}");
    }
}

#[test]
fn the_wait_grows_to_its_limit() {
    let retry = Retry { first: Duration::from_millis(100), longest: Duration::from_secs(2), tries: 9 };
    assert_eq!(retry.wait(1, 1.0), Duration::from_millis(100));
    assert_eq!(retry.wait(1, 0.0), Duration::from_millis(50));
    assert_eq!(retry.wait(3, 1.0), Duration::from_millis(400));
    assert_eq!(retry.wait(30, 1.0), Duration::from_secs(2));
    assert_eq!(retry.wait(u32::MAX, 0.0), Duration::from_secs(1));
}
