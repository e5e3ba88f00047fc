//! Faults of translation, in the two words that operators group by.
//!
//! A detail names fields and positions, never contents: it is logged, and bodies hold names,
//! addresses and medical data.

use rollbook_domain::reasons;

use crate::TranslateFault;

/// The longest id that is taken into a key, in bytes. Providers use some 20 to 40; a database's
/// index has its own limit, and a key that is refused there would be refused for ever.
const LONGEST_ID: usize = 255;

/// The longest delivery key, in bytes. A longer one is left to the hash of the body.
const LONGEST_DELIVERY_KEY: usize = 512;

pub(crate) fn missing(field: &str) -> TranslateFault {
    TranslateFault { reason: reasons::MISSING_FIELD, detail: format!("`{field}` is missing") }
}

pub(crate) fn unreadable(field: &str) -> TranslateFault {
    TranslateFault { reason: reasons::UNPARSEABLE, detail: format!("`{field}` cannot be read") }
}

pub(crate) fn unparseable(detail: impl Into<String>) -> TranslateFault {
    TranslateFault { reason: reasons::UNPARSEABLE, detail: detail.into() }
}

/// An id that a key is made of. Kept verbatim.
pub(crate) fn id(text: Option<&str>, field: &str) -> Result<String, TranslateFault> {
    let text = text.ok_or_else(|| missing(field))?;
    if text.len() > LONGEST_ID {
        return Err(unparseable(format!("`{field}` is longer than {LONGEST_ID} bytes")));
    }
    Ok(text.to_owned())
}

/// The provider's name for a request, if it is one that we can keep.
pub(crate) fn delivery_key(text: &str) -> Option<String> {
    let usable = !text.trim().is_empty() && text.len() <= LONGEST_DELIVERY_KEY;
    usable.then(|| text.to_owned())
}

/// Text without U+0000, which PostgreSQL cannot hold. Blank text says nothing and is `None`.
pub(crate) fn said(text: &str) -> Option<String> {
    let text = without_nul(text);
    (!text.trim().is_empty()).then_some(text)
}

pub(crate) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}
