//! The sweep: lets expire what is due and lies.
//!
//! Nothing depends on it. Every command lets expire what is due by its own time, with the same ids
//! and dates; the sweep does it for accounts that nobody touches, so that what is told of them and
//! of all together is no older than its last round.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use rollbook_ledger::{Answer, Command, Due, Verdict};
use tokio_util::sync::CancellationToken;

use crate::{SweepError, Teller, TellerError};

/// How fast it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    pub every: Duration,
    /// Holds and lots at once.
    pub page: u32,
    /// Room for others between two pages.
    pub between: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { every: Duration::from_mins(1), page: 100, between: Duration::from_millis(50) }
    }
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub expired: u64,
    /// Spent, released or expired by somebody else since they were read.
    pub overtaken: u64,
    /// That the store would not take.
    pub refused: u64,
}

pub struct Sweep {
    teller: Teller,
    pace: Pace,
}

impl Sweep {
    pub fn new(teller: Teller, pace: Pace) -> Self {
        Self { teller, pace }
    }

    /// A round at once and then one each `every`, until `shutdown` is cancelled. Several processes may
    /// do so beside each other.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut well = true;
        loop {
            let Some(round) = shutdown.run_until_cancelled(self.round()).await else { return };
            match &round {
                Ok(swept) if *swept != Swept::default() => {
                    tracing::info!(expired = swept.expired, refused = swept.refused, "swept what was due");
                }
                Err(error) if well => tracing::warn!(error = %error, "the sweep ended early; the next one goes on"),
                Ok(_) | Err(_) => {}
            }
            well = round.is_ok();
            if shutdown.run_until_cancelled(tokio::time::sleep(self.pace.every)).await.is_none() {
                return;
            }
        }
    }

    /// Expires what is due by now, page by page. Dropping it in between does no harm.
    pub async fn round(&self) -> Result<Swept, SweepError> {
        let by = (self.teller.context().clock)();
        let (mut total, mut stays) = (Swept::default(), BTreeSet::new());
        loop {
            // What did not expire stands first again: so much more is asked for.
            let limit = self.pace.page.saturating_add(u32::try_from(stays.len()).unwrap_or(u32::MAX));
            let mut page = self.teller.store().due(by, limit).await?;
            page.retain(|due| !stays.contains(due));
            if page.is_empty() {
                return Ok(total);
            }
            self.expire(page, by, &mut total, &mut stays).await?;
            tokio::time::sleep(self.pace.between).await;
        }
    }

    /// All of a page at once, each by itself: one that fails must not keep the others.
    async fn expire(
        &self,
        page: Vec<Due>,
        by: Timestamp,
        swept: &mut Swept,
        stays: &mut BTreeSet<Due>,
    ) -> Result<(), TellerError> {
        let commands = page.iter().map(|due| self.teller.execute(Command::expiring(*due, by)));
        for (due, answer) in page.iter().zip(join_all(commands).await) {
            match answer {
                Ok(Answer { verdict: Verdict::Applied, .. }) => swept.expired += 1,
                Ok(Answer { verdict: Verdict::Rejected(_), .. }) => {
                    swept.overtaken += 1;
                    stays.insert(*due);
                }
                Err(TellerError::Refused { .. }) => {
                    swept.refused += 1;
                    stays.insert(*due);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
