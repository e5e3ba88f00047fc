//! Outcomes: is every fact recorded, as it must be, and nothing else?

use std::collections::{BTreeMap, HashMap};

use rollbook_domain::{Account, EventKey, Outcome, ProcessorName, Reason};
use rollbook_store::{DeadLetter, DeadLetterState, EventRow};

use super::finding::Findings;
use super::{Claim, FactId, Facts, Recorded, Scope};
use crate::{Expect, Fate, Key, Record, Verdict};

/// The source of events that the service makes itself.
const INTERNAL_SOURCE: &str = "rollbook";
/// What it makes of a fact its rules say, and no sender knows them: `verify` recomputes that.
const BY_RULES: &str = "points";
const CONFLICTING_DUPLICATE: &str = "conflicting_duplicate";
const PAYMENT_UNKNOWN: &str = "payment_unknown";
const PAYMENT_NOT_OURS: &str = "payment_not_ours";

/// Outcome rows and dead letters by the fact that they name.
pub(crate) struct Rows<'a> {
    events: BTreeMap<FactId, Vec<&'a EventRow>>,
    letters: BTreeMap<FactId, Vec<&'a DeadLetter>>,
}

/// What stands for one fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Nothing,
    Settled(Outcome, Option<Reason>),
    Letter(Reason),
}

impl Standing {
    pub fn applied(&self) -> bool {
        matches!(self, Self::Settled(Outcome::Applied, _))
    }

    fn describe(&self) -> String {
        match self {
            Self::Nothing => "nothing".to_owned(),
            Self::Settled(outcome, None) => outcome.as_str().to_owned(),
            Self::Settled(outcome, Some(reason)) => format!("{} {reason}", outcome.as_str()),
            Self::Letter(reason) => format!("dead letter {reason}"),
        }
    }
}

impl<'a> Rows<'a> {
    pub fn of(record: &Record, recorded: &'a Recorded) -> Self {
        let accounts: HashMap<&str, &Account> =
            record.sent.iter().map(|sent| (sent.source.name.as_str(), &sent.source.account)).collect();
        let id = |processor: &str, source: &str, key: &str| FactId {
            processor: ProcessorName::from(processor),
            account: accounts.get(source).map_or_else(|| Account::from(source), |account| (*account).clone()),
            key: Key::Named(EventKey::from(key)),
        };
        let mut rows = Self { events: BTreeMap::new(), letters: BTreeMap::new() };
        let audited = |source: &str, processor: &str| source != INTERNAL_SOURCE && processor != BY_RULES;
        for row in recorded.events.iter().filter(|row| audited(&row.source, &row.processor)) {
            rows.events.entry(id(&row.processor, &row.source, &row.event_key)).or_default().push(row);
        }
        for row in recorded.letters.iter().filter(|row| audited(&row.source, &row.processor)) {
            rows.letters.entry(id(&row.processor, &row.source, &row.event_key)).or_default().push(row);
        }
        rows
    }

    /// What stands for a named fact. An outcome comes before a dead letter.
    pub fn standing(&self, id: &FactId) -> Standing {
        if let Some(row) = self.events(id).first() {
            let outcome = Outcome::parse(&row.outcome).unwrap_or(Outcome::Rejected);
            return Standing::Settled(outcome, row.reason.clone().map(Reason::read));
        }
        match self.letters(id).first() {
            Some(letter) => Standing::Letter(Reason::read(letter.reason.clone())),
            None => Standing::Nothing,
        }
    }

    fn events(&self, id: &FactId) -> &[&'a EventRow] {
        self.events.get(id).map_or(&[], Vec::as_slice)
    }

    fn letters(&self, id: &FactId) -> &[&'a DeadLetter] {
        self.letters.get(id).map_or(&[], Vec::as_slice)
    }

    fn ids(&self) -> impl Iterator<Item = &FactId> {
        self.events.keys().chain(self.letters.keys().filter(|id| !self.events.contains_key(*id)))
    }

    /// Dead letters of bodies that the service names itself: `other:<digest>`, claimed by nobody.
    pub fn unnamed(&self, facts: &Facts, group: (&ProcessorName, &Account), reason: &Reason) -> u32 {
        let ours = |id: &FactId| (&id.processor, &id.account) == group && is_other(id) && facts.get(id).is_none();
        let with_reason = |rows: &Vec<&DeadLetter>| rows.iter().filter(|row| row.reason == reason.as_str()).count();
        let count = self.letters.iter().filter(|(id, _)| ours(id)).map(|(_, rows)| with_reason(rows)).sum::<usize>();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

fn is_other(id: &FactId) -> bool {
    matches!(&id.key, Key::Named(key) if key.as_str().starts_with("other:"))
}

pub fn answers(record: &Record, findings: &mut Findings) {
    const NAME: &str = "every answer is the one that was due";
    findings.open(NAME);
    for sent in &record.sent {
        let fault = match (&sent.expect, sent.answer.fate) {
            (_, Fate::Unsent | Fate::Unanswered) => continue,
            (Expect::Refused { status, .. }, Fate::Refused(got)) if *status == got => None,
            (Expect::Accepted(_), Fate::Acked(_)) => None,
            (Expect::Refused { status, .. }, Fate::Refused(got) | Fate::Acked(got)) => {
                Some(format!("{} to {} got {got} instead of {status}", sent.kind.as_str(), sent.source.name))
            }
            (Expect::Accepted(_), Fate::Refused(got)) => {
                Some(format!("{} to {} was refused with {got}", sent.kind.as_str(), sent.source.name))
            }
        };
        findings.note(NAME, fault);
    }
}

pub fn accepted_are_recorded(facts: &Facts, rows: &Rows<'_>, findings: &mut Findings) {
    const NAME: &str = "everything acknowledged is recorded";
    findings.open(NAME);
    let named = facts.0.iter().filter(|(id, claim)| claim.acked > 0 && matches!(id.key, Key::Named(_)));
    for (id, claim) in named {
        let lost = rows.standing(id) == Standing::Nothing;
        findings.note(NAME, lost.then(|| format!("{id} was acknowledged {} times and is nowhere", claim.acked)));
    }
    for ((processor, account, reason), group) in unnamed_groups(facts) {
        let kept = rows.unnamed(facts, (processor, account), reason);
        let lost = group.acked.saturating_sub(kept);
        for number in 0..group.acked {
            let fault = (number < lost)
                .then(|| format!("of {} unreadable bodies to {processor}/{account}, {kept} are kept", group.acked));
            findings.note(NAME, fault);
        }
    }
}

/// A replay ends as an outcome or as an open dead letter. One that stays under way was lost.
pub fn every_replay_ended(facts: &Facts, rows: &Rows<'_>, scope: &Scope, findings: &mut Findings) {
    const NAME: &str = "every replay came to an end";
    findings.open(NAME);
    let judged = rows.letters.iter().filter(|(id, _)| *scope == Scope::Whole || facts.get(id).is_some());
    for (id, letters) in judged {
        let stuck = letters.iter().any(|letter| letter.state == DeadLetterState::Replaying);
        findings.note(NAME, stuck.then(|| format!("{id} is still being replayed")));
    }
}

/// Bodies without a name, by processor, account and reason.
#[derive(Default)]
struct UnnamedGroup {
    /// Bodies that were acknowledged.
    acked: u32,
    /// These, and those that may have arrived.
    most: u32,
}

type GroupKey<'f> = (&'f ProcessorName, &'f Account, &'f Reason);

fn unnamed_groups(facts: &Facts) -> Vec<(GroupKey<'_>, UnnamedGroup)> {
    let mut groups: Vec<(GroupKey<'_>, UnnamedGroup)> = Vec::new();
    for (id, claim) in facts.0.iter().filter(|(id, _)| matches!(id.key, Key::Unnamed(_))) {
        let Some(Verdict::DeadLetter(reason)) = claim.allowed.first() else { continue };
        let key = (&id.processor, &id.account, reason);
        let at = groups.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            groups.push((key, UnnamedGroup::default()));
            groups.len() - 1
        });
        groups[at].1.acked += u32::from(claim.acked > 0);
        groups[at].1.most += u32::from(claim.may_stand());
    }
    groups
}

pub fn as_expected(facts: &Facts, rows: &Rows<'_>, findings: &mut Findings) {
    const NAME: &str = "everything recorded ended as its sender expects";
    const LETTERS: &str = "of two contradicting messages one stands and one is a dead letter";
    findings.open(NAME);
    findings.open(LETTERS);
    for (id, claim) in facts.0.iter().filter(|(_, claim)| claim.may_stand() && !claim.allowed.is_empty()) {
        let standing = rows.standing(id);
        if standing != Standing::Nothing {
            findings.note(NAME, fault_of(facts, rows, id, claim, &standing));
        }
        if claim.contradicted() {
            let open = rows.letters(id).iter().any(|row| row.reason == CONFLICTING_DUPLICATE);
            let both = open && standing.applied();
            findings.note(LETTERS, (!both).then(|| format!("{id} stands as {}", standing.describe())));
        }
    }
}

fn fault_of(facts: &Facts, rows: &Rows<'_>, id: &FactId, claim: &Claim, standing: &Standing) -> Option<String> {
    let count = rows.events(id).len();
    if count > 1 {
        return Some(format!("{id} has {count} outcomes"));
    }
    if !allowed(facts, id, claim, standing) {
        let due = claim.allowed.first().map_or_else(String::new, describe);
        return Some(format!("{id} is {} instead of {due}", standing.describe()));
    }
    let settled = matches!(standing, Standing::Settled(..));
    let beside = |row: &&&DeadLetter| {
        let over = matches!(row.state, DeadLetterState::Resolved | DeadLetterState::Discarded);
        !over && row.reason != CONFLICTING_DUPLICATE
    };
    let stale = rows.letters(id).iter().find(beside).filter(|_| settled)?;
    Some(format!("{id} is {} and still a dead letter {}", standing.describe(), stale.reason))
}

fn allowed(facts: &Facts, id: &FactId, claim: &Claim, standing: &Standing) -> bool {
    let matches = |verdict: &Verdict| match (verdict, standing) {
        (Verdict::Applied(_), standing) if standing.applied() => true,
        (Verdict::Ignored(due), Standing::Settled(Outcome::Ignored, Some(reason))) => due == reason,
        // A contradicting message has one beside it that stands.
        (Verdict::DeadLetter(due), Standing::Letter(reason)) => {
            due == reason && reason.as_str() != CONFLICTING_DUPLICATE
        }
        (Verdict::Applied(effect), Standing::Letter(reason)) => unfounded(facts, id, effect.needs(), reason),
        (Verdict::Ignored(due), Standing::Letter(reason)) if due.as_str() == PAYMENT_NOT_OURS => {
            unfounded(facts, id, id.refunded_payment(), reason)
        }
        _ => false,
    };
    claim.allowed.iter().any(matches)
}

/// A refund whose payment was never acknowledged may well end as a dead letter, whosever it is.
fn unfounded(facts: &Facts, id: &FactId, needed: Option<EventKey>, reason: &Reason) -> bool {
    reason.as_str() == PAYMENT_UNKNOWN && !facts.founded(id, needed)
}

fn describe(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Applied(_) => "applied".to_owned(),
        Verdict::Ignored(reason) => format!("ignored {reason}"),
        Verdict::DeadLetter(reason) | Verdict::DeadLetterUntilMended(reason, _) => format!("dead letter {reason}"),
    }
}

pub fn refused_are_not_recorded(facts: &Facts, rows: &Rows<'_>, findings: &mut Findings) {
    const NAME: &str = "nothing refused is recorded";
    findings.open(NAME);
    for (id, _) in facts.0.iter().filter(|(_, claim)| claim.refused > 0 && claim.allowed.is_empty()) {
        let standing = rows.standing(id);
        let fault = (standing != Standing::Nothing).then(|| format!("{id} was refused and is {}", standing.describe()));
        findings.note(NAME, fault);
    }
}

pub fn nothing_unsent(facts: &Facts, rows: &Rows<'_>, scope: &Scope, findings: &mut Findings) {
    const NAME: &str = "nothing is recorded that was not sent";
    findings.open(NAME);
    let mut spare = unnamed_groups(facts);
    for id in rows.ids() {
        let Key::Named(key) = &id.key else { continue };
        let known = facts.get(id).is_some_and(|claim| claim.may_stand() || claim.refused > 0);
        let foreign = matches!(scope, Scope::Run(tag) if !key.as_str().contains(tag));
        if !known && !foreign {
            let explained = is_other(id) && takes_spare(&mut spare, id, rows);
            findings.note(NAME, (!explained).then(|| format!("{id} was never sent")));
        } else if known {
            findings.note(NAME, None);
        }
    }
}

fn takes_spare(spare: &mut [(GroupKey<'_>, UnnamedGroup)], id: &FactId, rows: &Rows<'_>) -> bool {
    let Standing::Letter(reason) = rows.standing(id) else { return false };
    let group = spare.iter_mut().find(|(key, group)| *key == (&id.processor, &id.account, &reason) && group.most > 0);
    group.map(|(_, group)| group.most -= 1).is_some()
}
