//! The rows of a batch, before an adapter writes any.
//!
//! Facts and journals get a row for every change. A row that is rewritten (a detail, a term, a
//! document) is written once: what the last change of the batch left there. So no statement meets
//! one row twice, and ordered maps lock rows in one order.

use std::collections::BTreeMap;

use rollbook_domain::{
    Adjustment, Change, Detail, DetailField, Document, DocumentRef, Earning, Email, FactRef, Payment, PaymentRef,
    PersonId, Term,
};

use crate::{Batch, SettledEvent};

/// What a batch writes, in the order of each table.
#[derive(Debug, Default)]
pub struct Rows<'b> {
    pub fresh: Vec<&'b SettledEvent>,
    /// They replace an ignored row.
    pub redecided: Vec<&'b SettledEvent>,
    pub people: Vec<Registered<'b>>,
    pub details: BTreeMap<(PersonId, DetailField), &'b Detail>,
    pub payments: Vec<&'b Payment>,
    pub adjustments: Vec<&'b Adjustment>,
    pub terms: BTreeMap<&'b PaymentRef, &'b Term>,
    pub term_lines: Vec<TermLine<'b>>,
    pub documents: BTreeMap<&'b DocumentRef, &'b Document>,
    pub document_lines: Vec<DocumentLine<'b>>,
    pub earnings: Vec<&'b Earning>,
}

/// A person of a first address.
#[derive(Debug)]
pub struct Registered<'b> {
    pub person: PersonId,
    pub email: &'b Email,
    pub by: &'b FactRef,
}

/// A line of the journal of terms.
#[derive(Debug)]
pub struct TermLine<'b> {
    pub term: &'b Term,
    pub was: Option<&'b Term>,
    pub by: &'b FactRef,
}

/// A line of the journal of documents.
#[derive(Debug)]
pub struct DocumentLine<'b> {
    pub document: &'b Document,
    pub by: &'b FactRef,
}

impl<'b> Rows<'b> {
    #[must_use]
    pub fn of(batch: &'b Batch) -> Self {
        let mut rows = Self::default();
        for event in &batch.settled {
            if event.redecided { &mut rows.redecided } else { &mut rows.fresh }.push(event);
            for change in &event.changes {
                rows.add(change, &event.fact);
            }
        }
        rows
    }

    fn add(&mut self, change: &'b Change, by: &'b FactRef) {
        match change {
            Change::RegisterPerson { person, email } => self.people.push(Registered { person: *person, email, by }),
            Change::SetDetail { person, field, detail } => self.detail((*person, *field), detail),
            Change::RecordPayment(payment) => self.payments.push(payment),
            Change::AdjustPayment(adjustment) => self.adjustments.push(adjustment),
            Change::SetTerm { term, was } => {
                self.terms.insert(&term.payment, term);
                self.term_lines.push(TermLine { term, was: was.as_ref(), by });
            }
            Change::SetDocument(document) => self.document(document, by),
            Change::Earn(earning) => self.earnings.push(earning),
            // The worker made an outgoing envelope of it.
            Change::Emit(_) => {}
        }
    }

    fn detail(&mut self, key: (PersonId, DetailField), detail: &'b Detail) {
        let kept = self.details.entry(key).or_insert(detail);
        if (&detail.stamp, &detail.value) > (&kept.stamp, &kept.value) {
            *kept = detail;
        }
    }

    /// One line a fact: a later change of the same event replaces its line.
    fn document(&mut self, document: &'b Document, by: &'b FactRef) {
        self.documents.insert(&document.reference, document);
        let same = |line: &&mut DocumentLine<'_>| line.by == by && line.document.reference == document.reference;
        match self.document_lines.last_mut().filter(same) {
            Some(line) => line.document = document,
            None => self.document_lines.push(DocumentLine { document, by }),
        }
    }
}

#[cfg(test)]
mod tests;
