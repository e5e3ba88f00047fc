//! Documents and their waivers.

use rollbook_domain::{Document, DocumentRef, Waiver};

use crate::StoreError;
use crate::cells::{Cells, Columns};

pub fn document(row: &impl Columns) -> Result<Document, StoreError> {
    let cells = Cells::of("document", row);
    let waiver = match cells.get("person")? {
        Some(person) => Some(Waiver {
            person,
            signed_at: cells.get("signed_at")?,
            expires: cells.get("expires")?,
            category: cells.get("category")?,
        }),
        None => None,
    };
    Ok(Document {
        reference: DocumentRef { account: cells.get("account")?, document: cells.get("document_id")? },
        waiver,
        voided_at: cells.get("voided_at")?,
    })
}
