//! `[retry]`, `[retention]` and `[worker]`: how often, how long, how much at once.

use std::time::Duration;

use serde::Serialize;

use super::error::{ConfigError, Origins};
use super::place::Store;
use super::section::Section;
use super::units;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retry {
    /// The wait before each further attempt; after the last one comes the dead letter.
    pub schedule: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// How long raw requests are kept, so that they can be replayed.
    pub envelopes: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Worker {
    /// Deliveries a transaction, at most.
    pub batch: u32,
    /// Batches at once for each processor.
    pub per_processor: u32,
    /// How long the store may be away before deliveries in hand go back to the queue.
    pub hand_back_after: String,
}

impl Retry {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("retry")?.only(&["schedule"])?;
        let default = || ["1s", "5s", "30s", "2m", "10m", "1h", "6h"].map(str::to_owned).to_vec();
        Ok(Self { schedule: section.texts("schedule")?.unwrap_or_else(default) })
    }

    pub(super) fn delays(&self, origins: &Origins) -> Result<Vec<Duration>, ConfigError> {
        if self.schedule.is_empty() {
            return Err(origins.about("retry.schedule", "is empty; give at least one wait, such as `[\"1s\"]`"));
        }
        let mut delays: Vec<Duration> = Vec::new();
        for (index, text) in self.schedule.iter().enumerate() {
            let path = format!("retry.schedule[{index}]");
            let delay = length(&path, text, origins)?;
            if delays.last().is_some_and(|last| *last > delay) {
                let sentence = format!("is shorter than the wait before it: `{text}`; a wait may not shrink");
                return Err(origins.about(&path, sentence));
            }
            delays.push(delay);
        }
        Ok(delays)
    }
}

impl Retention {
    pub(super) fn read(root: &Section<'_>) -> Result<Self, ConfigError> {
        let section = root.section("retention")?.only(&["envelopes"])?;
        Ok(Self { envelopes: section.text_or("envelopes", "90 days")? })
    }

    pub(super) fn envelopes(&self, origins: &Origins) -> Result<Duration, ConfigError> {
        length("retention.envelopes", &self.envelopes, origins)
    }
}

impl Worker {
    /// A server writes for several at once; a file has one writer.
    pub(super) fn read(root: &Section<'_>, store: &Store) -> Result<Self, ConfigError> {
        let at_once = if store.is_file() { 1 } else { 2 };
        let section = root.section("worker")?.only(&["batch", "per_processor", "hand_back_after"])?;
        Ok(Self {
            batch: section.count_or("batch", 1..=10_000, 256)?,
            per_processor: section.count_or("per_processor", 1..=64, at_once)?,
            hand_back_after: section.text_or("hand_back_after", "60s")?,
        })
    }

    pub(super) fn hand_back_after(&self, origins: &Origins) -> Result<Duration, ConfigError> {
        length("worker.hand_back_after", &self.hand_back_after, origins)
    }
}

/// A duration that is not zero.
fn length(path: &str, text: &str, origins: &Origins) -> Result<Duration, ConfigError> {
    let hint = "write one like `30s`, `10m`, `6h` or `90 days`";
    let wrong = || origins.about(path, format!("is no length of time: `{text}`; {hint}"));
    units::duration(text).filter(|length| !length.is_zero()).ok_or_else(wrong)
}
