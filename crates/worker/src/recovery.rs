//! Recovery: what to do when the store does not take a batch.
//!
//! Three questions, asked in this order. Is the store away (a probe fails too)? Then nobody's
//! attempt is spent: wait in place, and after a bound let go. Was another writer faster? Then again,
//! at once. Else something in the batch is sick: halve it until the sick event stands alone.
//!
//! A circuit breaker was rejected: the probe answers the same question without a threshold to tune.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::{Fault, reasons};
use rollbook_store::{Store, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Options;
use crate::backoff::{Link, brisk, pause};
use crate::patience::Patience;

/// Items that are written together.
#[async_trait]
pub(crate) trait Work: Sync {
    /// What became of one item.
    type End: Send;

    /// One transaction: ends in the order of the items, or nothing happened. It may be called again
    /// for any part of the items.
    async fn commit(&self, items: Range<usize>, patience: &Patience) -> Result<Vec<Self::End>, StoreError>;

    /// The end of an item that the store will not take even alone.
    fn sick(&self, item: usize, sickness: Sickness) -> Self::End;
}

/// Why the store will not take something although it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sickness {
    Refused,
    /// Another writer came first, every time.
    Beaten,
    /// It failed every time, while a probe did not.
    Unanswered,
    /// It needs a stored value that cannot be read.
    Unreadable {
        table: &'static str,
        column: &'static str,
    },
}

impl Sickness {
    /// The fault of the event whose it is.
    pub(crate) fn fault(self) -> Fault {
        Fault { reason: reasons::STORE_REFUSED, detail: self.detail(), amount: None }
    }

    fn detail(self) -> String {
        match self {
            Self::Refused => "the store refused a row of its effect".to_owned(),
            Self::Beaten => "another writer came first every time".to_owned(),
            Self::Unanswered => "the store failed on it every time, and on nothing else".to_owned(),
            Self::Unreadable { table, column } => format!("a stored {table}.{column} that it needs cannot be read"),
        }
    }
}

/// Why a transaction was given up.
enum Trouble {
    /// The store is away, or we are to stop while it is.
    Away,
    Sick(Sickness),
}

/// What a failed transaction calls for.
enum Remedy {
    Again(Sickness),
    Wait,
    Split(Sickness),
}

pub(crate) struct Recovery {
    store: Arc<dyn Store>,
    tries_in_place: u32,
    outage_bound: Duration,
    shutdown: CancellationToken,
    link: Mutex<Link>,
}

impl Recovery {
    pub(crate) fn new(store: Arc<dyn Store>, user: &str, options: &Options, shutdown: CancellationToken) -> Self {
        let link = Mutex::new(Link::new("store", user));
        let (tries_in_place, outage_bound) = (options.tries_in_place, options.outage_bound);
        Self { store, tries_in_place, outage_bound, shutdown, link }
    }

    /// Gives the end of every item; `None` for those that were left undone because the store is
    /// away. Parts are done in order, so a later item sees what an earlier one wrote.
    pub(crate) async fn see_through<W: Work>(&self, work: &W, items: usize) -> Vec<Option<W::End>> {
        let mut ends: Vec<Option<W::End>> = (0..items).map(|_| None).collect();
        let mut parts: Vec<_> = std::iter::once(0..items).collect();
        while let Some(part) = parts.pop() {
            match self.persist(work, part.clone()).await {
                Ok(got) => ends[part].iter_mut().zip(got).for_each(|(slot, end)| *slot = Some(end)),
                Err(Trouble::Away) => break,
                Err(Trouble::Sick(sickness)) if part.len() == 1 => {
                    ends[part.start] = Some(work.sick(part.start, sickness));
                }
                Err(Trouble::Sick(_)) => {
                    let middle = part.start + part.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
            }
        }
        ends
    }

    /// Returns once a probe succeeds, or when we are to stop.
    pub(crate) async fn until_back(&self) {
        while let Err(error) = self.patience(Instant::now()).probe(&*self.store).await {
            let wait = self.lost(&error);
            if !pause(wait, &self.shutdown).await {
                return;
            }
        }
        self.found();
    }

    /// One part, again and again in place while that may help.
    async fn persist<W: Work>(&self, work: &W, part: Range<usize>) -> Result<Vec<W::End>, Trouble> {
        if part.is_empty() {
            return Ok(Vec::new());
        }
        let mut moments = brisk().take(usize::try_from(self.tries_in_place).unwrap_or(usize::MAX));
        let mut away_since = None;
        loop {
            let since = away_since.unwrap_or_else(Instant::now);
            let patience = self.patience(since);
            let error = match work.commit(part.clone(), &patience).await {
                Ok(ends) => {
                    self.found();
                    return Ok(ends);
                }
                Err(error) => error,
            };
            match self.remedy(&error, &patience).await {
                Remedy::Split(sickness) => return Err(Trouble::Sick(sickness)),
                Remedy::Again(sickness) => match moments.next() {
                    Some(moment) => tokio::time::sleep(moment).await,
                    None => return Err(Trouble::Sick(sickness)),
                },
                Remedy::Wait => self.sit_out(&error, *away_since.insert(since)).await?,
            }
        }
    }

    async fn remedy(&self, error: &StoreError, patience: &Patience) -> Remedy {
        match error {
            StoreError::Conflict(_) => Remedy::Again(Sickness::Beaten),
            StoreError::Refused(_) => Remedy::Split(Sickness::Refused),
            StoreError::Unavailable(_) if patience.probe(&*self.store).await.is_ok() => {
                Remedy::Again(Sickness::Unanswered)
            }
            StoreError::Unavailable(_) | StoreError::Schema(_) => Remedy::Wait,
            StoreError::Corrupt { table, column, .. } => {
                tracing::error!(table, column, "a stored value cannot be read");
                Remedy::Split(Sickness::Unreadable { table, column })
            }
        }
    }

    /// Waits a moment of an outage. It costs no attempt.
    async fn sit_out(&self, error: &StoreError, since: Instant) -> Result<(), Trouble> {
        let wait = self.lost(error);
        if since.elapsed() + wait > self.outage_bound || !pause(wait, &self.shutdown).await {
            return Err(Trouble::Away);
        }
        Ok(())
    }

    /// For an outage that may have begun at `since`.
    fn patience(&self, since: Instant) -> Patience {
        Patience::new(since + self.outage_bound, self.shutdown.clone())
    }

    fn lost(&self, error: &StoreError) -> Duration {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).lost(error)
    }

    fn found(&self) {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).found();
    }
}
