//! What was sent against what was recorded, by kind: plain data for a table or for JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hdrhistogram::Histogram;
use rollbook_domain::Outcome;
use serde::Serialize;

use crate::audit::{FactId, Rows, Standing};
use crate::{Fate, Key, Kind, Record, Recorded};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// One a kind that was sent, in a fixed order, then the sum.
    pub kinds: Vec<KindLine>,
    pub total: KindLine,
    /// Largest first.
    pub dead_letters: Vec<LetterGroup>,
    pub people: u64,
    pub payments: u64,
    pub waivers: u64,
    /// Tries, retries included.
    pub tries: u64,
    pub retries: u64,
    pub elapsed_s: f64,
    pub acked_per_s: f64,
    pub ack: Latencies,
    /// From a callback's first try, time-outs and retries included.
    pub ack_from_first: Latencies,
}

/// Callbacks and facts of one kind. A fact that two processors hear of counts in the one that
/// wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KindLine {
    pub kind: Option<Kind>,
    /// Callbacks, duplicates included.
    pub sent: u64,
    pub duplicates: u64,
    pub acked: u64,
    pub refused: u64,
    pub unanswered: u64,
    /// Distinct facts in them. A fact counts with the kind that stated it first.
    pub facts: u64,
    pub applied: u64,
    pub ignored: u64,
    pub rejected: u64,
    pub dead_letters: u64,
}

/// Dead letters of one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LetterGroup {
    pub processor: String,
    pub source: String,
    pub reason: String,
    pub count: u64,
}

/// Milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latencies {
    pub count: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Latencies {
    /// Of a histogram in microseconds.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1000.0;
        Self {
            count: histogram.len(),
            p50_ms: ms(histogram.value_at_quantile(0.5)),
            p99_ms: ms(histogram.value_at_quantile(0.99)),
            max_ms: ms(histogram.max()),
        }
    }
}

impl Summary {
    pub fn of(record: &Record, recorded: &Recorded) -> Self {
        let kinds = kinds(record, recorded);
        let total = kinds.iter().fold(KindLine::default(), sum);
        let tries = record.sent.iter().map(|sent| u64::from(sent.answer.tries)).sum();
        let sent = record.sent.iter().filter(|sent| sent.answer.tries > 0).count() as u64;
        let elapsed_s = record.elapsed.as_secs_f64();
        Self {
            acked_per_s: rate(total.acked, elapsed_s),
            kinds,
            total,
            dead_letters: groups(recorded),
            people: recorded.people.len() as u64,
            payments: recorded.payments.len() as u64,
            waivers: recorded.documents.len() as u64,
            tries,
            retries: tries - sent,
            elapsed_s,
            ack: Latencies::of(&record.ack),
            ack_from_first: Latencies::of(&record.ack_from_first),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a run is far shorter than 2^52 callbacks")]
fn rate(count: u64, elapsed_s: f64) -> f64 {
    if elapsed_s > 0.0 { count as f64 / elapsed_s } else { 0.0 }
}

fn kinds(record: &Record, recorded: &Recorded) -> Vec<KindLine> {
    let rows = Rows::of(record, recorded);
    let mut lines = BTreeMap::<Kind, KindLine>::new();
    let mut seen = BTreeSet::new();
    for sent in &record.sent {
        let line = lines.entry(sent.kind).or_insert_with(|| KindLine { kind: Some(sent.kind), ..KindLine::default() });
        count(line, sent.again, sent.answer.fate);
        // The first expectation is that of the processor which wants the fact.
        if let Some(id) = sent.expect.facts().first().map(FactId::of)
            && seen.insert(id.clone())
        {
            line.facts += 1;
            outcome(line, &id, &rows, sent.answer.acked());
        }
    }
    lines.into_values().collect()
}

fn count(line: &mut KindLine, again: bool, fate: Fate) {
    line.sent += u64::from(fate != Fate::Unsent);
    line.duplicates += u64::from(again && fate != Fate::Unsent);
    match fate {
        Fate::Acked(_) => line.acked += 1,
        Fate::Refused(_) => line.refused += 1,
        Fate::Unanswered => line.unanswered += 1,
        Fate::Unsent => {}
    }
}

fn outcome(line: &mut KindLine, id: &FactId, rows: &Rows<'_>, acked: bool) {
    match rows.standing(id) {
        Standing::Settled(Outcome::Applied, _) => line.applied += 1,
        Standing::Settled(Outcome::Ignored, _) => line.ignored += 1,
        Standing::Settled(Outcome::Rejected, _) => line.rejected += 1,
        Standing::Letter(_) => line.dead_letters += 1,
        // The service names it by a digest of its own; the audit counts them.
        Standing::Nothing if matches!(id.key, Key::Unnamed(_)) && acked => line.dead_letters += 1,
        Standing::Nothing => {}
    }
}

fn sum(mut total: KindLine, line: &KindLine) -> KindLine {
    total.sent += line.sent;
    total.duplicates += line.duplicates;
    total.acked += line.acked;
    total.refused += line.refused;
    total.unanswered += line.unanswered;
    total.facts += line.facts;
    total.applied += line.applied;
    total.ignored += line.ignored;
    total.rejected += line.rejected;
    total.dead_letters += line.dead_letters;
    total
}

fn groups(recorded: &Recorded) -> Vec<LetterGroup> {
    let mut counts = BTreeMap::<(&str, &str, &str), u64>::new();
    let open = recorded.letters.iter().filter(|letter| letter.state == rollbook_store::DeadLetterState::Open);
    for letter in open {
        *counts.entry((&letter.processor, &letter.source, &letter.reason)).or_default() += 1;
    }
    let group = |((processor, source, reason), count): ((&str, &str, &str), u64)| LetterGroup {
        processor: processor.to_owned(),
        source: source.to_owned(),
        reason: reason.to_owned(),
        count,
    };
    let mut groups: Vec<_> = counts.into_iter().map(group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups
}

#[cfg(test)]
mod tests;
