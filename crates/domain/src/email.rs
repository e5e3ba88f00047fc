//! E-mail addresses: compared in one form, shown in another.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A normalised address: trimmed, ASCII letters in lower case.
///
/// Only ASCII is folded. Unicode folding maps different mailboxes onto one (the Kelvin sign and
/// `k`), which would hand one member's payments to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(Arc<str>);

/// The longest address that SMTP can carry (RFC 5321: 64 + `@` + 255), in bytes.
const LONGEST: usize = 320;

impl Email {
    /// `None` if this cannot be an address: empty, over 320 bytes, with a space or a control
    /// character inside, or without exactly a part on each side of the last `@`.
    pub fn parse(written: &str) -> Option<Self> {
        let trimmed = written.trim();
        let (local, host) = trimmed.rsplit_once('@')?;
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if local.is_empty() || host.is_empty() || trimmed.len() > LONGEST || trimmed.contains(odd) {
            return None;
        }
        Some(Self(trimmed.to_ascii_lowercase().into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses never reach a log, so `Debug` hides them.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_form() {
        for (written, normal) in [
            (" Ada@Example.ORG ", Some("ada@example.org")),
            ("ada@example.org", Some("ada@example.org")),
            ("\u{212a}@example.org", Some("\u{212a}@example.org")),
            ("a b@example.org", None),
            ("@example.org", None),
            ("ada@", None),
            ("", None),
        ] {
            assert_eq!(Email::parse(written).as_ref().map(Email::as_str), normal, "{written:?}");
        }
    }
}
