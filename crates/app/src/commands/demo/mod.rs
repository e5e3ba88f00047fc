//! `rollbook demo`: see the real thing work, and be shown that nothing was lost or doubled.

mod backends;
mod report;
mod service;
mod setting;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};
use rollbook_ledger::Asset;
use rollbook_simulate::{
    Audit, AuditOptions, PlanPrice, Player, PlayerOptions, Progress, Record, Recorded, Retry, Scope, Stream,
    StreamOptions, Summary, check,
};
use rollbook_store::{DeadLetterFilter, DeadLetterState, Standing};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use self::backends::Backends;
pub use self::report::print_audit;
use self::report::{Mended, Points, Report};
use self::service::Service;
use self::setting::Folder;
use super::{Session, play, verify};
use crate::cli::{Common, DemoArgs};
use crate::exit::{Done, FAILED, Failure, PROBLEMS};
use crate::{config, output, wiring};

/// How long the playing should take, so that it can be watched.
const PLAYING_S: f64 = 5.0;
/// How long the service may need for what is left.
const PATIENCE: Duration = Duration::from_mins(2);

pub async fn run(common: &Common, args: &DemoArgs) -> Done {
    let folder = Folder::new(args.folder.as_deref())?;
    let service = Service::new(folder.path().to_owned(), common)?;
    let (plans, missing) = setting::plans();
    let backends = Backends::new(args.queue.as_deref(), args.store.as_deref()).map_err(Failure::failed)?;
    setting::write(&service, &backends, &plans)?;
    let config = config::load(&service.config(), false).map_err(Failure::usage)?;
    backends.prepare().await?;
    let mut demo = Demo { service, backends, plans, missing, seed: args.seed, events: args.events, json: common.json };
    // Asked to stop, the service goes with us and so does its folder.
    let performed = tokio::select! {
        report = demo.perform(common) => report.map(Some),
        () = asked_to_stop() => Ok(None),
    };
    if !args.keep || !matches!(performed, Ok(Some(_))) {
        demo.service.stop().await?;
        demo.backends.clear(&config).await?;
    }
    let Some(report) = performed? else { return Ok(ExitCode::from(FAILED)) };
    let code = if report.ok() { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) };
    report.print(common.json)?;
    if args.keep {
        demo.leave(folder, common.json);
    }
    Ok(code)
}

async fn asked_to_stop() {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let mut signals: Vec<_> = kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    let next = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
    futures_util::future::select_all(next).await;
}

struct Demo {
    service: Service,
    backends: Backends,
    plans: Vec<PlanPrice>,
    missing: PlanPrice,
    seed: u64,
    events: u32,
    json: bool,
}

impl Demo {
    fn say(&self, text: &str) {
        if !self.json {
            output::line(text);
        }
    }

    async fn perform(&mut self, common: &Common) -> Result<Report, Failure> {
        self.say(&format!("a club's service in {}{}", self.service.folder().display(), self.backends.places()));
        self.service.start().await?;
        let common = Common { config: self.service.config(), ..common.clone() };
        let session = Session::open(&common)?;
        let record = self.play(&session).await?;
        play::wait_quiet(&session, PATIENCE).await?;
        let (summary, audit) = self.judge(&session, &record, false).await?;
        let store = session.store().await?;
        let open = DeadLetterFilter { states: vec![DeadLetterState::Open], ..DeadLetterFilter::default() };
        let groups = store.dead_letter_groups(&open).await?;
        let mended = self.mend(&session, &record).await?;
        let Standing { sums, owed } = store.outstanding(Asset::Points).await?;
        let points = Points { posted: sums.posted, owed };
        let verified = verify::verify(store.as_ref()).await?;
        Ok(Report { seed: self.seed, events: self.events, summary, groups, audit, mended, points, verified })
    }

    /// Sends the stream, and kills the service half-way.
    async fn play(&mut self, session: &Session) -> Result<Record, Failure> {
        let config = config::load(&session.config_path, false).map_err(Failure::usage)?;
        let now = (wiring::clock())();
        let stream = Stream::new(&StreamOptions {
            plans: self.plans.clone(),
            missing_plan: Some(self.missing.clone()),
            ..StreamOptions::new(self.seed, self.events as usize, play::sources(&config)?, two_years_before(now))
        });
        self.say(&format!("playing {} callbacks of four providers (seed {})", self.events, self.seed));
        let bar = play::bar(u64::from(self.events), "playing");
        let half = Arc::new(Notify::new());
        let player = Player::new(self.player_options(&bar, &half)).map_err(Failure::failed)?;
        let playing = tokio::spawn(async move { player.play(stream.into_callbacks()).await });
        half.notified().await;
        bar.suspend(|| self.say("half-way: kill -9, and start again; the providers keep trying"));
        self.service.kill().await?;
        self.service.start().await?;
        let record = playing.await.context("the player stopped")?.map_err(Failure::failed)?;
        bar.finish_and_clear();
        Ok(record)
    }

    fn player_options(&self, bar: &ProgressBar, half: &Arc<Notify>) -> PlayerOptions {
        let (draw, half, events) = (play::follow(bar), Arc::clone(half), u64::from(self.events));
        let progress = Arc::new(move |progress: Progress| {
            draw(progress);
            if progress.acked + progress.refused >= events / 2 {
                half.notify_one();
            }
        });
        PlayerOptions {
            rate: Some(f64::from(self.events) / PLAYING_S),
            retry: Retry { first: Duration::from_millis(50), longest: Duration::from_millis(500), tries: 1000 },
            deadline: Some(PATIENCE),
            seed: self.seed,
            progress: Some(progress),
            stop: CancellationToken::new(),
            ..PlayerOptions::new(format!("http://{}", self.service.ingest()), wiring::clock())
        }
    }

    async fn judge(&self, session: &Session, record: &Record, mended: bool) -> Result<(Summary, Audit), Failure> {
        let recorded = Recorded::load(session.store().await?.as_ref()).await?;
        let options = AuditOptions { zone: session.config.zone.clone(), mended, scope: Scope::Whole };
        Ok((Summary::of(record, &recorded), check(record, &recorded, &options)))
    }

    /// Adds the missing plan, starts again and replays what failed for want of it.
    async fn mend(&mut self, session: &Session, record: &Record) -> Result<Mended, Failure> {
        let text = format!("mending the price list: the plan {} was missing; replaying", self.missing.category);
        self.say(&text);
        self.service.stop().await?;
        setting::mend(&self.service, &self.missing)?;
        self.service.start().await?;
        let store = session.store().await?;
        let before = Recorded::load(store.as_ref()).await?.payments.len();
        let group = DeadLetterFilter {
            reason: Some("unknown_category".to_owned()),
            states: vec![DeadLetterState::Open],
            ..DeadLetterFilter::default()
        };
        let replayed = store.replay(&group, false).await?;
        play::wait_quiet(session, PATIENCE).await?;
        let (summary, audit) = self.judge(session, record, true).await?;
        let appeared = summary.payments.saturating_sub(before as u64);
        Ok(Mended { category: self.missing.category.clone(), replayed, appeared, audit })
    }

    fn leave(self, folder: Folder, json: bool) {
        let path = folder.keep();
        let (ingest, ops, config) = (self.service.ingest(), self.service.ops(), self.service.config());
        let pid = self.service.leave_running().unwrap_or_default();
        if !json {
            output::line(format!("\nstill running (process {pid}; `kill {pid}` stops it), in {}", path.display()));
            output::line(format!("  callbacks  http://{ingest}/webhooks/…"));
            output::line(format!("  metrics    http://{ops}/metrics"));
            output::line(format!("  look       rollbook --config {} members list", config.display()));
        }
    }
}

/// So that the members of the stream have terms behind them.
fn two_years_before(now: Timestamp) -> Timestamp {
    play::midnight_before(now) - SignedDuration::from_hours(24 * 730)
}
