//! One till: a process of the soak with several callers.

use std::fs::{File, OpenOptions};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use rollbook_ledger::Answer;
use rollbook_simulate::club::{Slip, Step, Till, Told};
use rollbook_store::Database;
use rollbook_teller::{Teller, TellerError};
use tokio::time::{Instant, sleep};

use crate::cli::SoakArgs;
use crate::commands::Session;
use crate::exit::{Done, Failure};
use crate::wiring;

/// Callers at one till.
const CALLERS: usize = 8;

/// Between two commands of a caller: a soak is long, not hard.
const PAUSE: Duration = Duration::from_millis(20);

/// Before an open question is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// For what is open when the time is over.
const GRACE: Duration = Duration::from_secs(20);

struct Counter {
    till: Mutex<Till>,
    slips: Mutex<File>,
    teller: Teller,
    ends: Instant,
}

pub async fn run(session: &Session, args: &SoakArgs, name: &str) -> Done {
    let (Some(tag), Some(path)) = (&args.tag, &args.slips) else {
        return Err(Failure::usage(anyhow::anyhow!("a till needs `--tag` and `--slips`")));
    };
    let slips = OpenOptions::new().append(true).create(true).open(path);
    let slips = slips.with_context(|| format!("cannot write {}", path.display()))?;
    let counter = Arc::new(Counter {
        till: Mutex::new(Till::new(super::cast(args, tag), name.to_owned(), args.seed)),
        slips: Mutex::new(slips),
        teller: wiring::teller(store(session).await?)?,
        ends: Instant::now() + Duration::from_secs(u64::from(args.seconds)),
    });
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let counter = Arc::clone(&counter);
        callers.spawn(async move { counter.serve().await });
    }
    while let Some(served) = callers.join_next().await {
        served.context("a caller was lost")??;
    }
    counter.teller.close().await;
    Ok(ExitCode::SUCCESS)
}

/// A till may open while the database is away for a moment.
async fn store(session: &Session) -> Result<Arc<dyn Database>, Failure> {
    let deadline = Instant::now() + GRACE;
    loop {
        match session.store().await {
            Err(_) if Instant::now() < deadline => sleep(AGAIN).await,
            opened => return opened,
        }
    }
}

impl Counter {
    async fn serve(&self) -> anyhow::Result<()> {
        while Instant::now() < self.ends {
            let now = (wiring::clock())();
            let step = self.till.lock().unwrap_or_else(PoisonError::into_inner).step(now)?;
            let id = step.command.id();
            if step.before.is_none() {
                self.write(&Slip::asked(id, &step.moves))?;
            }
            if let Some(answer) = self.ask(&step).await? {
                self.hear(step, &answer)?;
            }
            sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Until there is an answer: what is open is asked again with the same id.
    async fn ask(&self, step: &Step) -> anyhow::Result<Option<Answer>> {
        while Instant::now() < self.ends + GRACE {
            match self.teller.execute(step.command.clone()).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(TellerError::Unavailable(_) | TellerError::Overtaken(_)) => sleep(AGAIN).await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn hear(&self, step: Step, answer: &Answer) -> anyhow::Result<()> {
        let (id, first) = (step.command.id(), step.before.is_none());
        let broken = self.till.lock().unwrap_or_else(PoisonError::into_inner).heard(step, answer);
        if let Some(what) = broken {
            self.write(&Slip::Broken { id: id.0, what })?;
        }
        if first {
            self.write(&Slip::Told { id: id.0, told: Told::of(answer) })?;
        }
        Ok(())
    }

    fn write(&self, slip: &Slip) -> anyhow::Result<()> {
        let mut slips = self.slips.lock().unwrap_or_else(PoisonError::into_inner);
        slip.write(&mut *slips).context("a slip cannot be written")
    }
}
