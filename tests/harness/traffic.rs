//! A running stream of callbacks, and its sender's own record.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{Account, SourceName};
use rollbook_providers::Secret;
use rollbook_simulate::{
    Audit, AuditOptions, Callback, Mix, Player, PlayerOptions, Record, Recorded, Retry, Scope, Source, Stream,
    StreamOptions, check,
};
use rollbook_store::Database;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::settings::{CLUBHOUSE, CYBERSOURCE, DOCUSIGN, STRIPE};

const SEED: u64 = 20_261_121;

/// The sources that every service under test has.
pub fn sources() -> Vec<Arc<Source>> {
    let source = |name: &str, provider: &str, secret: &str| {
        let secret = Secret { key_id: None, text: secret.to_owned() };
        let source = Source::new(SourceName::from(name), Account::from(name), provider, secret);
        Arc::new(source.expect("a source that can sign"))
    };
    vec![
        source("cybersource", "cybersource-secure-acceptance", CYBERSOURCE),
        source("docusign", "docusign-connect", DOCUSIGN),
        source("stripe", "stripe", STRIPE),
        source("clubhouse", "standard-webhooks", CLUBHOUSE),
    ]
}

/// Everything that providers send, in the past two years.
#[expect(clippy::disallowed_methods, reason = "a test plays the outside world, which has a clock")]
pub fn stream(events: usize) -> StreamOptions {
    let start = Timestamp::now() - SignedDuration::from_hours(24 * 730);
    StreamOptions { window: 60, ..StreamOptions::new(SEED, events, sources(), start) }
}

/// What the sender's record says must stand, stands once; and nothing else does.
pub async fn audit(record: &Record, store: &dyn Database) -> Audit {
    let recorded = Recorded::load(store).await.expect("the records can be read");
    let zone = jiff::tz::TimeZone::get("America/New_York").expect("a zone");
    check(record, &recorded, &AuditOptions { zone, mended: false, scope: Scope::Whole })
}

/// Callbacks under way. Whatever is not answered with 2xx or 4xx is sent again.
pub struct Traffic {
    runtime: Runtime,
    stop: CancellationToken,
    playing: Vec<Playing>,
}

struct Playing {
    told: Told,
    record: JoinHandle<Record>,
}

/// What a player told last.
#[derive(Clone, Default)]
struct Told {
    acked: Arc<AtomicU64>,
    retries: Arc<AtomicU64>,
}

impl Traffic {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self { runtime: runtime.expect("a runtime"), stop: CancellationToken::new(), playing: Vec::new() }
    }

    /// Begins to send these at so many a second, to each of the addresses in turn.
    pub fn play(&mut self, callbacks: Vec<Callback>, urls: &[String], rate: f64) {
        let mut hands = vec![Vec::new(); urls.len()];
        for (index, callback) in callbacks.into_iter().enumerate() {
            hands[index % urls.len()].push(callback);
        }
        #[expect(clippy::cast_precision_loss, reason = "a handful of addresses")]
        let rate = rate / urls.len() as f64;
        for (url, callbacks) in urls.iter().zip(hands) {
            let (player, told) = player(url, rate, &self.stop);
            let record = self.runtime.spawn(async move { player.play(callbacks).await.expect("the player plays") });
            self.playing.push(Playing { told, record });
        }
    }

    /// Plays these and waits until each has its answer.
    pub fn play_out(&self, callbacks: Vec<Callback>, url: &str, rate: f64) -> Record {
        let (player, _) = player(url, rate, &CancellationToken::new());
        self.runtime.block_on(player.play(callbacks)).expect("the player plays")
    }

    /// How many were answered with 2xx so far.
    pub fn acked(&self) -> u64 {
        self.playing.iter().map(|playing| playing.told.acked.load(Ordering::SeqCst)).sum()
    }

    /// How many tries came after a callback's first.
    pub fn retries(&self) -> u64 {
        self.playing.iter().map(|playing| playing.told.retries.load(Ordering::SeqCst)).sum()
    }

    /// Ends it: what was not sent yet stays unsent, what is under way gets its answer.
    pub fn end(&mut self) -> Record {
        self.stop.cancel();
        self.finish()
    }

    /// Waits until each has its answer.
    pub fn finish(&mut self) -> Record {
        let mut record = Record::empty();
        for playing in self.playing.drain(..) {
            record.join(self.runtime.block_on(playing.record).expect("the player ends"));
        }
        record
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    pub fn audit(&self, record: &Record, store: impl Future<Output = Arc<dyn Database>>) -> Audit {
        self.runtime.block_on(async { audit(record, &*store.await).await })
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new()
    }
}

/// Many connections that send slowly: none waits for another's answer.
#[expect(clippy::disallowed_methods, reason = "a test plays the outside world, which has a clock")]
fn player(url: &str, rate: f64, stop: &CancellationToken) -> (Player, Told) {
    let told = Told::default();
    let telling = told.clone();
    let options = PlayerOptions {
        concurrency: 16,
        rate: Some(rate),
        // The shortest that a provider waits.
        timeout: Duration::from_secs(5),
        retry: Retry { first: Duration::from_millis(50), longest: Duration::from_millis(500), tries: 100_000 },
        seed: SEED,
        stop: stop.clone(),
        progress: Some(Arc::new(move |progress| {
            telling.acked.fetch_max(progress.acked, Ordering::SeqCst);
            telling.retries.fetch_max(progress.retries, Ordering::SeqCst);
        })),
        ..PlayerOptions::new(url, Arc::new(Timestamp::now))
    };
    (Player::new(options).expect("an address"), told)
}

/// The whole stream.
pub fn callbacks(events: usize) -> Vec<Callback> {
    Stream::new(&stream(events)).into_callbacks()
}

/// Payments and waivers of new members only: none has to do with another, so the stream can be cut
/// anywhere. Streams of different seeds have nobody in common.
pub fn newcomers(seed: u64, events: usize) -> Vec<Callback> {
    let waivers = sources().into_iter().filter(|source| source.name.as_str() == "docusign").collect();
    let plain = StreamOptions { seed, mix: Mix::Plain, ..stream(events - events / 4) };
    let signed = StreamOptions { seed: !seed, sources: waivers, events: events / 4, ..plain.clone() };
    let mut signed = Stream::new(&signed).into_callbacks().into_iter();
    let mut callbacks = Vec::with_capacity(events);
    for (index, callback) in Stream::new(&plain).into_callbacks().into_iter().enumerate() {
        callbacks.push(callback);
        if index % 3 == 2 {
            callbacks.extend(signed.next());
        }
    }
    callbacks.extend(signed);
    callbacks
}
