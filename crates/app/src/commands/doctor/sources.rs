//! Sources of which nothing is heard any more: a provider may have stopped sending without a word.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollbook_store::{Database, EventFilter, StoreError};
use tokio::time::timeout;

use super::finding::Check;
use crate::config::Resolved;
use crate::exit::whole;
use crate::wiring::places::Opened;

const NAME: &str = "source-events";

/// The quiet season of a club is shorter.
const SILENT_DAYS: i64 = 30;

/// For all sources together. One that is silent for good is looked for among all events.
const PATIENCE: Duration = Duration::from_secs(3);

/// When a source was last heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    /// Its last settled event.
    At(Timestamp),
    Never,
    /// Not lately; nobody waited to find out when.
    NotLately,
}

pub fn unseen() -> Vec<Check> {
    vec![Check::unseen(NAME, "the store cannot be read", "mend the store first")]
}

pub async fn checks(config: &Resolved, now: Timestamp) -> Vec<Check> {
    let names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
    match timeout(PATIENCE, heard(config, &names, now)).await {
        Ok(Ok(heard)) => names.iter().zip(heard).map(|(name, heard)| finding(name, heard, now)).collect(),
        Ok(Err(error)) => vec![Check::unseen(NAME, &whole(&error), "run this again")],
        Err(_) => vec![Check::unseen(NAME, "the store did not answer in time", "run this again")],
    }
}

async fn heard(config: &Resolved, names: &[&str], now: Timestamp) -> Result<Vec<Heard>, StoreError> {
    let store = Opened::unchecked(config).await?.checked().await?;
    let mut heard = Vec::with_capacity(names.len());
    for name in names {
        heard.push(last(store.as_ref(), name, now).await?);
    }
    Ok(heard)
}

/// First the short way, along the newest events.
async fn last(store: &dyn Database, name: &str, now: Timestamp) -> Result<Heard, StoreError> {
    let since = now - SignedDuration::from_hours(SILENT_DAYS * 24);
    let lately =
        EventFilter { source: Some(name.to_owned()), since: Some(since), limit: Some(1), ..EventFilter::default() };
    if let Some(event) = store.events(&lately).await?.first() {
        return Ok(Heard::At(event.processed_at));
    }
    let ever = EventFilter { since: None, ..lately };
    match timeout(PATIENCE / 4, store.events(&ever)).await {
        Ok(events) => Ok(events?.first().map_or(Heard::Never, |event| Heard::At(event.processed_at))),
        Err(_) => Ok(Heard::NotLately),
    }
}

fn finding(source: &str, heard: Heard, now: Timestamp) -> Check {
    let todo = format!(
        "send one from the provider's site; if it does not come through, look at the provider's log of deliveries and \
         at `rollbook dead-letters list --source {source}`"
    );
    match heard {
        Heard::Never => Check::warning(NAME, format!("no event of `{source}` was ever settled"), todo),
        Heard::NotLately => {
            Check::warning(NAME, format!("no event of `{source}` was settled in {SILENT_DAYS} days"), todo)
        }
        Heard::At(at) => {
            let days = now.duration_since(at).as_hours() / 24;
            let detail = format!("the last event of `{source}` was settled {days} days ago");
            if days >= SILENT_DAYS { Check::warning(NAME, detail, todo) } else { Check::ok(NAME, detail) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn thirty_days_of_silence_are_a_warning() {
        let now = Timestamp::constant(1_793_491_200, 0);
        let ago = |days: i64| Heard::At(now - SignedDuration::from_hours(days * 24));
        for (heard, expected) in [
            (ago(0), Status::Ok),
            (ago(29), Status::Ok),
            (ago(30), Status::Warning),
            (Heard::NotLately, Status::Warning),
            (Heard::Never, Status::Warning),
        ] {
            let check = finding("stripe", heard, now);
            assert_eq!(check.status, expected, "{heard:?}");
            assert!(check.detail.contains("`stripe`"));
        }
    }
}
