//! The event digest: does a second message of one fact say the same thing?

use std::fmt;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::{Amount, Email, Event, Fact};

/// A versioned digest over the few fields of a fact that must not differ between two messages of
/// it. Times, references and names are never in it: the browser's post and the server's post of
/// one payment differ there and mean the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventDigest(String);

/// To be raised with every change of `fields`. Digests of two versions are never compared.
const VERSION: u32 = 1;

impl EventDigest {
    pub fn of(event: &Event) -> Self {
        let mut hasher = Sha256::new();
        for field in fields(&event.fact) {
            hasher.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(field.as_bytes());
        }
        let mut text = format!("{VERSION}:");
        for byte in &hasher.finalize()[..16] {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// One that came back from a table.
    pub fn read(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are of one version and differ.
    pub fn contradicts(&self, other: &Self) -> bool {
        let version = |digest: &Self| digest.0.split(':').next().map(str::to_owned);
        version(self) == version(other) && self != other
    }
}

impl fmt::Debug for EventDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn fields(fact: &Fact) -> Vec<String> {
    let kind = fact.kind().as_str().to_owned();
    match fact {
        Fact::PaymentCaptured(capture) => vec![
            kind,
            amount(&capture.amount),
            capture.amount.currency.as_deref().unwrap_or_default().trim().to_ascii_uppercase(),
            capture.purpose.clone().unwrap_or_default(),
            capture.category.clone().unwrap_or_default(),
            address(capture.email.as_deref()),
        ],
        Fact::DocumentCompleted(completion) => vec![kind, address(completion.email.as_deref())],
        _ => vec![kind],
    }
}

fn amount(amount: &Amount) -> String {
    amount.money.map_or_else(|_| amount.text.clone(), |money| money.minor.to_string())
}

fn address(written: Option<&str>) -> String {
    let written = written.unwrap_or_default();
    Email::parse(written).map_or_else(|| written.trim().to_owned(), |email| email.as_str().to_owned())
}
