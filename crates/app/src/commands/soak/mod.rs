//! `rollbook simulate --groups N --members M`: the soak of the ledger.
//!
//! Several processes of this binary are tills at one store. Again and again one of them is killed and
//! another takes its place, while the invariants are checked all the time; at the end the ledger is
//! held against what every till wrote down.

mod till;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use rollbook_simulate::club::{Cast, Slip, Tally, read_slips, tally};
use rollbook_store::StoreError;
use serde::Serialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use super::{Session, play, verify};
use crate::cli::{Common, SoakArgs};
use crate::exit::{Done, Failure, PROBLEMS};
use crate::{output, wiring};

/// Between two looks at the records.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a till may take to finish what it has begun.
const FINISHING: Duration = Duration::from_secs(30);

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    ok: bool,
    tag: String,
    tally: Tally,
    /// Times that every invariant was checked while the tills were at work.
    verified: u64,
    /// Tills that were killed.
    killed: u64,
    /// Invariants that were found broken, once each.
    broken: Vec<String>,
}

pub async fn run(common: &Common, args: SoakArgs) -> Done {
    let session = Session::open(common)?;
    if let Some(name) = &args.till {
        return till::run(&session, &args, name).await;
    }
    let tag = args.tag.clone().map_or_else(fresh_tag, Ok)?;
    let cast = cast(&args, &tag);
    cast.seat(session.store().await?.as_ref(), (wiring::clock())()).await?;
    let folder = tempfile::Builder::new().prefix("rollbook-soak-").tempdir().context("no temporary folder")?;
    let mut soak = Soak { common, args: &args, tag, folder, tills: Vec::new(), lives: 0, killed: 0 };
    let seen = soak.watch(&session).await?;
    let report = soak.judge(&session, &cast, seen).await?;
    report.print(session.json)?;
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}

fn cast(args: &SoakArgs, tag: &str) -> Cast {
    Cast::new(tag, usize::from(args.members), usize::from(args.groups.unwrap_or_default()))
}

/// A soak that runs again on the same store must not find the answers of the last one.
fn fresh_tag() -> Result<String, Failure> {
    Ok(hex::encode(wiring::random::<4>()?))
}

struct Soak<'a> {
    common: &'a Common,
    args: &'a SoakArgs,
    tag: String,
    folder: TempDir,
    tills: Vec<Child>,
    /// Tills that were ever started; each has a name of its own.
    lives: u64,
    killed: u64,
}

/// What was seen while the tills were at work.
#[derive(Default)]
struct Seen {
    verified: u64,
    broken: Vec<String>,
}

impl Soak<'_> {
    async fn watch(&mut self, session: &Session) -> Result<Seen, Failure> {
        let (begun, whole) = (Instant::now(), Duration::from_secs(u64::from(self.args.seconds)));
        let bar = play::bar(u64::from(self.args.seconds), "soaking");
        for _ in 0..self.args.processes {
            self.start(whole)?;
        }
        // Ten times a run, whatever its length, so that a short one sees it too.
        let (every, mut next) = (whole / 11, begun + whole / 11);
        let mut seen = Seen::default();
        while begun.elapsed() < whole {
            bar.set_position(begun.elapsed().as_secs());
            seen.look(session).await?;
            if Instant::now() >= next {
                next += every;
                self.kill_one(whole.saturating_sub(begun.elapsed())).await?;
            }
            sleep(PAUSE.min(whole.saturating_sub(begun.elapsed()))).await;
        }
        bar.finish_and_clear();
        self.finish().await?;
        Ok(seen)
    }

    /// Starts a till for what is left of the time.
    fn start(&mut self, left: Duration) -> Result<(), Failure> {
        let name = format!("till-{}", self.lives);
        let program = std::env::current_exe().context("this program has no path")?;
        let till = Command::new(program)
            .arg("simulate")
            .arg("--config")
            .arg(&self.common.config)
            .args(["--tag", &self.tag, "--till", &name])
            .arg("--slips")
            .arg(self.folder.path().join(&name))
            .args(["--groups", &self.args.groups.unwrap_or_default().to_string()])
            .args(["--members", &self.args.members.to_string()])
            .args(["--seconds", &left.as_secs().max(1).to_string()])
            .args(["--seed", &(self.args.seed + self.lives).to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("a till does not start")?;
        self.lives += 1;
        self.tills.push(till);
        Ok(())
    }

    /// As a power cut would, and another takes its place.
    async fn kill_one(&mut self, left: Duration) -> Result<(), Failure> {
        if self.tills.is_empty() || left < Duration::from_secs(2) {
            return Ok(());
        }
        let mut till = self.tills.remove(0);
        till.kill().await.context("a till cannot be ended")?;
        self.killed += 1;
        self.start(left)
    }

    async fn finish(&mut self) -> Result<(), Failure> {
        for till in &mut self.tills {
            let ended = tokio::time::timeout(FINISHING, till.wait()).await;
            let status = ended.map_err(|_| anyhow::anyhow!("a till did not end in {} s", FINISHING.as_secs()))?;
            let status = status.context("a till was lost")?;
            if !status.success() {
                return Err(anyhow::anyhow!("a till ended with {status}; what it said stands above").into());
            }
        }
        Ok(())
    }

    async fn judge(&self, session: &Session, cast: &Cast, mut seen: Seen) -> Result<Report, Failure> {
        seen.look(session).await?;
        let mut slips = Vec::new();
        for n in 0..self.lives {
            slips.extend(read(&self.folder.path().join(format!("till-{n}")))?);
        }
        let tally = patiently(slips, cast, session).await?;
        let Seen { verified, broken } = seen;
        let ok = broken.is_empty() && tally.ok() && tally.asked > 0;
        Ok(Report { ok, tag: self.tag.clone(), tally, verified, killed: self.killed, broken })
    }
}

/// The store may be away for a moment now, too.
async fn patiently(slips: Vec<Slip>, cast: &Cast, session: &Session) -> Result<Tally, Failure> {
    let deadline = Instant::now() + FINISHING;
    loop {
        match tally(slips.iter().cloned(), cast, session.store().await?.as_ref()).await {
            Err(StoreError::Unavailable(_)) if Instant::now() < deadline => sleep(PAUSE).await,
            counted => return Ok(counted?),
        }
    }
}

impl Seen {
    /// A store that is away for a moment is no finding; it is looked at again.
    async fn look(&mut self, session: &Session) -> Result<(), Failure> {
        let report = match verify::verify(session.store().await?.as_ref()).await {
            Ok(report) => report,
            Err(StoreError::Unavailable(_) | StoreError::Conflict(_)) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        self.verified += 1;
        for check in report.checks.iter().filter(|check| check.broken > 0) {
            let what = check.name.clone();
            if !self.broken.contains(&what) {
                self.broken.push(what);
            }
        }
        Ok(())
    }
}

/// A till that was killed before it wrote anything has none.
fn read(path: &PathBuf) -> Result<Vec<Slip>, Failure> {
    match File::open(path) {
        Ok(file) => read_slips(BufReader::new(file)).map_err(Failure::failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unreadable(path, error)),
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> Failure {
    Failure::failed(anyhow::Error::from(error).context(format!("cannot read {}", path.display())))
}

impl Report {
    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::json(self);
        }
        let Tally { asked, applied, rejected, unanswered, decided_unheard, findings } = &self.tally;
        let Self { verified, killed, .. } = self;
        output::line(format!("{asked} commands: {applied} applied, {rejected} rejected"));
        output::line(format!(
            "{killed} tills killed; {unanswered} commands without an answer, {decided_unheard} of them decided"
        ));
        output::line(format!("every invariant checked {verified} times"));
        for name in &self.broken {
            output::line(format!("BROKEN    {name}"));
        }
        for finding in findings {
            output::line(format!("FINDING   {finding}"));
        }
        output::line(if self.ok {
            "every answer stands and every balance is the sum of what was applied"
        } else {
            "the soak found what must not be"
        });
        Ok(())
    }
}
