//! Names and ids: newtypes over shared text, so that an account is never passed for a source.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Arc<str>);

        impl $type {
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self(Arc::from(text))
            }
        }
    };
}

name!(
    /// One configured instance of a provider, as named in `[sources.NAME]`.
    SourceName
);
name!(
    /// The merchant or sender account behind a source. Event keys live in it, so that two routes
    /// of one account share them.
    Account
);
name!(
    /// A processor, which is also its queue: `membership`, `waiver`, …
    ProcessorName
);
name!(
    /// Names one request of a provider. For people; it never removes a duplicate.
    DeliveryKey
);
name!(
    /// Names one fact, such as `payment:<txn>:captured`. Unique for ever within a processor and an
    /// account; this is what makes an effect happen once.
    EventKey
);

impl EventKey {
    pub fn captured(transaction: &str) -> Self {
        format!("payment:{transaction}:captured").into()
    }

    pub fn declined(transaction: &str) -> Self {
        format!("payment:{transaction}:declined").into()
    }

    pub fn pending(transaction: &str) -> Self {
        format!("payment:{transaction}:pending").into()
    }

    /// `cumulative_minor` is the sum of all refunds of the payment so far, in minor units.
    pub fn refunded(transaction: &str, cumulative_minor: i64) -> Self {
        format!("payment:{transaction}:refunded:{cumulative_minor}").into()
    }

    pub fn dispute_opened(dispute: &str) -> Self {
        format!("dispute:{dispute}:opened").into()
    }

    pub fn dispute_won(dispute: &str) -> Self {
        format!("dispute:{dispute}:won").into()
    }

    pub fn dispute_lost(dispute: &str) -> Self {
        format!("dispute:{dispute}:lost").into()
    }

    pub fn document_completed(document: &str) -> Self {
        format!("document:{document}:completed").into()
    }

    pub fn document_voided(document: &str) -> Self {
        format!("document:{document}:voided").into()
    }

    pub fn document_declined(document: &str) -> Self {
        format!("document:{document}:declined").into()
    }

    pub fn recipient_completed(document: &str, recipient: &str) -> Self {
        format!("document:{document}:recipient:{recipient}:completed").into()
    }

    pub fn member_registered(person: PersonId) -> Self {
        format!("member:{person}:registered").into()
    }

    /// For a request that names no fact we know, or that nobody could read.
    pub fn other(delivery: &DeliveryKey) -> Self {
        format!("other:{delivery}").into()
    }
}

/// Our id of one received request (UUIDv7, so that ids sort by arrival).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvelopeId(pub Uuid);

impl fmt::Display for EnvelopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl EnvelopeId {
    /// Builds an id from the moment of receipt and 10 random bytes; both are arguments, because
    /// nothing in this crate reads a clock or draws randomness.
    pub fn at(received_at: jiff::Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(received_at.as_millisecond()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// A person. Derived from their first e-mail address, so that any worker arrives at the same id
/// without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonId(pub Uuid);

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Changing this would give every person a second id.
const PEOPLE: Uuid = Uuid::from_u128(0x6f0c_8a54_3b1e_5d0f_9a57_2f4d_7be1_c0a3);

impl PersonId {
    pub fn of_first_address(email: &crate::Email) -> Self {
        Self(Uuid::new_v5(&PEOPLE, email.as_str().as_bytes()))
    }
}
