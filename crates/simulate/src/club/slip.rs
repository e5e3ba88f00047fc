//! Slips: what a till asked and what it was told, a line of JSON each.
//!
//! The line of the question is written before the command goes out. A process that is killed leaves
//! at most its last line half-written, and a question without an answer.

use std::io::{self, BufRead, Write};

use rollbook_domain::PersonId;
use rollbook_ledger::{Answer, GroupId, Owner, TransactionId, Verdict};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "slip", rename_all = "snake_case")]
pub enum Slip {
    Asked {
        id: Uuid,
        /// What it moves if it is applied: `person:ID` or `group:ID`, and what they then have more.
        moves: Vec<(String, i64)>,
    },
    Told {
        id: Uuid,
        told: Told,
    },
    /// The till itself saw what must not be.
    Broken {
        id: Uuid,
        what: String,
    },
}

/// As much of an answer as must never change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub applied: bool,
    pub reason: Option<String>,
    pub posted: Option<i64>,
    pub held: Option<i64>,
}

impl Told {
    pub fn of(answer: &Answer) -> Self {
        let reason = match &answer.verdict {
            Verdict::Applied => None,
            Verdict::Rejected(refusal) => Some(refusal.reason.to_string()),
        };
        let (posted, held) = (answer.left.map(|left| left.posted), answer.left.map(|left| left.held));
        Self { applied: reason.is_none(), reason, posted, held }
    }
}

#[derive(Debug, Error)]
pub enum SlipFault {
    #[error("the slips of a till cannot be read")]
    Io(#[from] io::Error),
    #[error("line {line} of the slips is no slip")]
    Line { line: usize, source: serde_json::Error },
}

impl Slip {
    pub fn asked(id: TransactionId, moves: &[(Owner, i64)]) -> Self {
        Self::Asked { id: id.0, moves: moves.iter().map(|(owner, amount)| (name(*owner), *amount)).collect() }
    }

    /// Whole or not at all, as far as the operating system goes: one write a line.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let mut line = serde_json::to_string(self)?;
        line.push('\n');
        out.write_all(line.as_bytes())
    }
}

pub(super) fn name(owner: Owner) -> String {
    format!("{}:{}", owner.kind(), owner.uuid())
}

pub(super) fn owner(name: &str) -> Option<Owner> {
    let (kind, id) = name.split_once(':')?;
    let id = Uuid::parse_str(id).ok()?;
    match kind {
        "person" => Some(Owner::Person(PersonId(id))),
        "group" => Some(Owner::Group(GroupId(id))),
        _ => None,
    }
}

/// All lines but a last one without its end.
pub fn read_slips(mut from: impl BufRead) -> Result<Vec<Slip>, SlipFault> {
    let (mut slips, mut line) = (Vec::new(), String::new());
    while from.read_line(&mut line)? > 0 && line.ends_with('\n') {
        let slip = serde_json::from_str(&line);
        slips.push(slip.map_err(|source| SlipFault::Line { line: slips.len() + 1, source })?);
        line.clear();
    }
    Ok(slips)
}
