//! Everything that the service recorded, as one value.

use rollbook_domain::{Adjustment, Document, Payment, Person, State, Term};
use rollbook_store::{DeadLetter, DeadLetterFilter, DeadLetters, EventFilter, EventRow, Records, Snapshot, StoreError};

/// Lists and not maps: a thing that stands twice must be seen twice.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub events: Vec<EventRow>,
    pub letters: Vec<DeadLetter>,
    pub people: Vec<Person>,
    pub payments: Vec<Payment>,
    pub adjustments: Vec<Adjustment>,
    pub terms: Vec<Term>,
    /// Those with a waiver.
    pub documents: Vec<Document>,
}

/// People a page.
const PAGE: u32 = 1000;

impl Recorded {
    /// Reads the whole store: for a run's worth of records, not for years of them.
    pub async fn load(db: &(impl Records + DeadLetters + ?Sized)) -> Result<Self, StoreError> {
        let mut recorded = Self {
            events: db.events(&EventFilter::default()).await?,
            letters: db.dead_letters(&DeadLetterFilter::default()).await?,
            ..Self::default()
        };
        let mut snapshot = db.snapshot().await?;
        recorded.read_people(snapshot.as_mut()).await?;
        Ok(recorded)
    }

    async fn read_people(&mut self, snapshot: &mut dyn Snapshot) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = snapshot.people(after, PAGE).await?;
            let Some(last) = page.people.keys().max().copied() else { return Ok(()) };
            after = Some(last);
            self.add(page);
        }
    }

    /// Takes over one page.
    pub fn add(&mut self, page: State) {
        self.people.extend(page.people.into_values());
        self.payments.extend(page.payments.into_values());
        self.adjustments.extend(page.adjustments.into_values().flatten());
        self.terms.extend(page.terms.into_values());
        self.documents.extend(page.documents.into_values().filter(|document| document.waiver.is_some()));
    }
}
