//! The tally: the ledger held against the slips of all tills.

use std::collections::{BTreeMap, HashMap};

use rollbook_ledger::{Asset, Owner, TransactionId};
use rollbook_store::{Ledger, StoreError};
use serde::Serialize;
use uuid::Uuid;

use super::slip::{name, owner};
use super::{Cast, Slip, Told};

/// What came of a soak.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub asked: u64,
    pub applied: u64,
    pub rejected: u64,
    /// Asked, and nothing was told: the process was killed, or got an error.
    pub unanswered: u64,
    /// Of those, decided all the same.
    pub decided_unheard: u64,
    /// One sentence each.
    pub findings: Vec<String>,
}

impl Tally {
    pub fn ok(&self) -> bool {
        self.findings.is_empty()
    }
}

struct Asked {
    moves: Vec<(String, i64)>,
    told: Option<Told>,
}

/// Reads every decision again, so it takes its time: some milliseconds for a thousand.
pub async fn tally(
    slips: impl IntoIterator<Item = Slip>,
    cast: &Cast,
    store: &dyn Ledger,
) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let asked = sort(slips, &mut tally);
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for (id, asked) in &asked {
        if decided(*id, asked, store, &mut tally).await? {
            for (owner, amount) in &asked.moves {
                *sums.entry(owner.clone()).or_default() += amount;
            }
        }
    }
    balances(&sums, cast, store, &mut tally).await?;
    Ok(tally)
}

fn sort(slips: impl IntoIterator<Item = Slip>, tally: &mut Tally) -> HashMap<Uuid, Asked> {
    let mut asked: HashMap<Uuid, Asked> = HashMap::new();
    for slip in slips {
        match slip {
            Slip::Asked { id, moves } => {
                asked.entry(id).or_insert(Asked { moves, told: None });
            }
            Slip::Told { id, told } => match asked.get_mut(&id) {
                Some(asked) => asked.told = Some(told),
                None => tally.findings.push(format!("{id} was answered and never asked")),
            },
            Slip::Broken { id, what } => tally.findings.push(format!("{id}: {what}")),
        }
    }
    asked
}

/// Whether the ledger has it as applied.
async fn decided(id: Uuid, asked: &Asked, store: &dyn Ledger, tally: &mut Tally) -> Result<bool, StoreError> {
    tally.asked += 1;
    let stands = store.decided(TransactionId(id)).await?.map(|answer| Told::of(&answer));
    match (&asked.told, &stands) {
        (Some(told), Some(stands)) if told == stands => {}
        (Some(told), Some(stands)) => tally.findings.push(format!("{id} was told {told:?} and stands as {stands:?}")),
        (Some(_), None) => tally.findings.push(format!("{id} was answered and is not recorded")),
        (None, stands) => {
            tally.unanswered += 1;
            tally.decided_unheard += u64::from(stands.is_some());
        }
    }
    let applied = stands.as_ref().is_some_and(|stands| stands.applied);
    tally.applied += u64::from(applied);
    tally.rejected += u64::from(stands.is_some() && !applied);
    Ok(applied)
}

async fn balances(
    sums: &BTreeMap<String, i64>,
    cast: &Cast,
    store: &dyn Ledger,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let everybody: Vec<Owner> = cast.owners();
    let strangers = sums.keys().filter_map(|name| owner(name)).filter(|owner| !everybody.contains(owner));
    for owner in strangers.chain(everybody.iter().copied()) {
        let standing = store.standing(Asset::Points, owner).await?;
        let (has, due) = (standing.sums.posted - standing.owed, sums.get(&name(owner)).copied().unwrap_or_default());
        if has != due {
            tally.findings.push(format!("{} has {has} points and should have {due}", name(owner)));
        }
    }
    Ok(())
}
