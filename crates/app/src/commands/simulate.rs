//! `rollbook simulate`: a stream of realistic callbacks, then the audit.

use std::process::ExitCode;
use std::time::Duration;

use jiff::SignedDuration;
use rollbook_simulate::{
    Audit, AuditOptions, Mix, PlanPrice, Player, PlayerOptions, Record, Recorded, Scope, Stream, StreamOptions,
    Summary, check,
};
use serde::Serialize;

use super::demo::print_audit;
use super::{Session, play, soak};
use crate::cli::{Common, SimulateArgs};
use crate::config::{self, Resolved};
use crate::exit::{Done, Failure, PROBLEMS};
use crate::{output, wiring};

#[derive(Serialize)]
struct Report {
    ok: bool,
    /// In every id and address of this run.
    tag: String,
    summary: Option<Summary>,
    audit: Option<Audit>,
    acknowledged: u64,
    refused: u64,
    unanswered: u64,
}

pub async fn run(common: &Common, args: SimulateArgs) -> Done {
    // clap lets nobody leave out both `--to` and `--groups`.
    let Some(to) = args.to.clone() else { return soak::run(common, args.soak).await };
    let config = config::load(&common.config, false).map_err(Failure::usage)?;
    play::reachable(&to).await?;
    let stream = Stream::new(&stream_options(&config, &args)?);
    let tag = stream.tag().to_owned();
    let record = send(&to, &args, stream).await?;
    let mut report = Report::of(&record, tag);
    if !args.no_audit {
        judge(common, &config, &record, &mut report).await?;
    }
    report.print(common.json)?;
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

/// The plans that are valid now, so that the payments match the price list that is in force.
fn stream_options(config: &Resolved, args: &SimulateArgs) -> anyhow::Result<StreamOptions> {
    let now = (wiring::clock())();
    let days = 60;
    let start = play::midnight_before(now) - SignedDuration::from_hours(24 * i64::from(days));
    let first = start.to_zoned(config.zone.clone()).date();
    let valid = config.membership.plans.iter().filter(|plan| plan.valid_from <= first && plan.valid_until.is_none());
    let plans: Vec<_> = valid.map(|plan| PlanPrice { category: plan.category.clone(), price: plan.price }).collect();
    anyhow::ensure!(!plans.is_empty(), "no plan has been valid for {days} days; add one to `[[membership.plans]]`");
    Ok(StreamOptions {
        plans,
        missing_plan: None,
        span_days: days - 1,
        mix: Mix::Everything,
        ..StreamOptions::new(args.soak.seed, args.events as usize, play::sources(config)?, start)
    })
}

async fn send(to: &str, args: &SimulateArgs, stream: Stream) -> Result<Record, Failure> {
    let bar = play::bar(u64::from(args.events), "sending");
    let options = PlayerOptions {
        concurrency: usize::from(args.connections),
        rate: args.rate.map(f64::from),
        seed: args.soak.seed,
        deadline: Some(deadline(args)),
        progress: Some(play::follow(&bar)),
        ..PlayerOptions::new(to.to_owned(), wiring::clock())
    };
    let player = Player::new(options).map_err(Failure::usage)?;
    let record = player.play(stream.into_callbacks()).await.map_err(Failure::failed)?;
    bar.finish_and_clear();
    Ok(record)
}

/// Ten minutes without an end are a service that does not answer.
fn deadline(args: &SimulateArgs) -> Duration {
    let paced = args.rate.map_or(0, |rate| u64::from(args.events / rate.max(1)));
    Duration::from_secs(paced) + Duration::from_mins(10)
}

/// Waits for as long as the retry schedule may take, and a minute more.
async fn judge(common: &Common, config: &Resolved, record: &Record, report: &mut Report) -> Result<(), Failure> {
    let session = Session::open(common)?;
    let schedule: Duration = config.retry.iter().take(4).sum();
    play::wait_quiet(&session, schedule + Duration::from_mins(1)).await?;
    let recorded = Recorded::load(session.store().await?.as_ref()).await?;
    let options = AuditOptions { zone: config.zone.clone(), mended: false, scope: Scope::Run(report.tag.clone()) };
    let audit = check(record, &recorded, &options);
    report.ok &= audit.ok();
    report.summary = Some(Summary::of(record, &recorded));
    report.audit = Some(audit);
    Ok(())
}

impl Report {
    fn of(record: &Record, tag: String) -> Self {
        use rollbook_simulate::Fate;
        let count =
            |wanted: fn(Fate) -> bool| record.sent.iter().filter(|sent| wanted(sent.answer.fate)).count() as u64;
        let unanswered = count(|fate| matches!(fate, Fate::Unanswered | Fate::Unsent));
        Self {
            ok: unanswered == 0,
            tag,
            summary: None,
            audit: None,
            acknowledged: count(|fate| matches!(fate, Fate::Acked(_))),
            refused: count(|fate| matches!(fate, Fate::Refused(_))),
            unanswered,
        }
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::json(self);
        }
        let Self { acknowledged, refused, unanswered, tag, .. } = self;
        output::line(format!(
            "{acknowledged} acknowledged, {refused} refused, {unanswered} without an answer (tag {tag})"
        ));
        if let Some(summary) = &self.summary {
            let ack = &summary.ack;
            output::line(format!(
                "{:.0} acknowledged/s, ack p50 {:.1} ms, p99 {:.1} ms",
                summary.acked_per_s, ack.p50_ms, ack.p99_ms
            ));
        }
        if let Some(audit) = &self.audit {
            print_audit(audit);
        }
        Ok(())
    }
}
