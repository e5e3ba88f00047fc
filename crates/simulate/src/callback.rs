//! One callback as its sender holds it: an unsigned body, how to sign it, and what must become of it.
//!
//! A body is signed only when it is sent, because some schemes sign the sending time and a retry
//! must carry a fresh one.

use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{Account, EventKey, ProcessorName, Reason};
use rollbook_providers::{KeyFault, Secret, Signed};
use serde::Serialize;

use crate::{Effect, Source};

#[derive(Clone)]
pub struct Callback {
    pub kind: Kind,
    /// The same body was made before: a plain duplicate.
    pub again: bool,
    pub source: Arc<Source>,
    /// Names the request where the scheme has an id.
    pub id: String,
    pub body: Bytes,
    pub signing: Signing,
    pub expect: Expect,
}

/// How it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    Genuine,
    /// With a key that nobody configured.
    WrongKey,
    /// With the right key, and then changed on the way.
    Altered,
    Unsigned,
    /// With the right key, so many seconds ago. Only where the scheme signs a time.
    Stale {
        age_s: i64,
    },
}

/// What the sender knows must become of it.
#[derive(Clone, Debug)]
pub enum Expect {
    /// `facts` are what a careless service would record.
    Refused {
        status: u16,
        facts: Vec<Expected>,
    },
    Accepted(Vec<Expected>),
}

impl Expect {
    pub fn facts(&self) -> &[Expected] {
        match self {
            Self::Refused { facts, .. } | Self::Accepted(facts) => facts,
        }
    }
}

/// What must become of one fact in one processor.
#[derive(Clone, Debug)]
pub struct Expected {
    pub processor: ProcessorName,
    pub account: Account,
    pub key: Key,
    /// More than one where the order of arrival decides.
    pub any_of: Vec<Verdict>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    Named(EventKey),
    /// The service names it by a digest of its own over the body; the number tells bodies apart.
    Unnamed(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Applied(Effect),
    Ignored(Reason),
    DeadLetter(Reason),
    /// A dead letter until the price list is mended and the group is replayed; applied from then on.
    DeadLetterUntilMended(Reason, Effect),
}

impl Verdict {
    /// What it is before or after the mending.
    #[must_use]
    pub fn when(&self, mended: bool) -> Self {
        match self {
            Self::DeadLetterUntilMended(_, effect) if mended => Self::Applied(effect.clone()),
            Self::DeadLetterUntilMended(reason, _) => Self::DeadLetter(reason.clone()),
            other => other.clone(),
        }
    }
}

/// What kind of callback it is, in the words of the table that `demo` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Payment,
    Renewal,
    /// The other of the two posts that CyberSource makes for one payment.
    SecondPost,
    Decline,
    Review,
    Rental,
    WrongAmount,
    WrongCurrency,
    UnknownCategory,
    /// Of a plan that is missing from the price list.
    MissingPlan,
    /// One of two messages of one payment that contradict each other.
    Contradiction,
    MissingField,
    PartialRefund,
    Refund,
    RefundBeforePayment,
    RefundOfRental,
    /// Its payment never comes.
    RefundOfNothing,
    DisputeOpened,
    DisputeLost,
    DisputeWon,
    Waiver,
    OneSigner,
    Void,
    /// The completion of a document that is voided, too.
    VoidedWaiver,
    UnwantedType,
    Unparseable,
    Forged,
    Stale,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Renewal => "renewal",
            Self::SecondPost => "second post of a payment",
            Self::Decline => "decline",
            Self::Review => "in review",
            Self::Rental => "rental",
            Self::WrongAmount => "wrong amount",
            Self::WrongCurrency => "wrong currency",
            Self::UnknownCategory => "unknown category",
            Self::MissingPlan => "plan missing from the price list",
            Self::Contradiction => "contradicting messages",
            Self::MissingField => "missing field",
            Self::PartialRefund => "partial refund",
            Self::Refund => "refund",
            Self::RefundBeforePayment => "refund before its payment",
            Self::RefundOfRental => "refund of a rental",
            Self::RefundOfNothing => "refund without a payment",
            Self::DisputeOpened => "dispute opened",
            Self::DisputeLost => "dispute lost",
            Self::DisputeWon => "dispute won",
            Self::Waiver => "waiver",
            Self::OneSigner => "one signer done",
            Self::Void => "voided document",
            Self::VoidedWaiver => "waiver that is voided",
            Self::UnwantedType => "unwanted type",
            Self::Unparseable => "unparseable",
            Self::Forged => "forged signature",
            Self::Stale => "stale timestamp",
        }
    }
}

/// Well-formed as a key of every scheme, and configured nowhere.
const NOBODYS_KEY: &str = "whsec_Zm9yZ2VkLWJ5LW5vYm9keS1pbi1wYXJ0";

impl Callback {
    /// Headers and body of one try at `now`.
    pub fn sign(&self, now: Timestamp) -> Result<Signed, KeyFault> {
        let sign = |secret: &Secret, at| self.source.provider.sign(secret, &self.body, &self.id, at);
        let secret = &self.source.secret;
        match self.signing {
            Signing::Genuine => sign(secret, now),
            Signing::WrongKey => sign(&Secret { key_id: secret.key_id.clone(), text: NOBODYS_KEY.to_owned() }, now),
            Signing::Altered => sign(secret, now).map(altered),
            Signing::Unsigned => sign(secret, now).map(|signed| self.unsigned(signed)),
            Signing::Stale { age_s } => sign(secret, now - SignedDuration::from_secs(age_s)),
        }
    }

    fn unsigned(&self, mut signed: Signed) -> Signed {
        signed.headers.retain(|(name, _)| !name.to_ascii_lowercase().contains("signature"));
        Signed { headers: signed.headers, body: self.body.to_vec() }
    }
}

/// Hands the payment to another address, as a thief on the way would.
fn altered(mut signed: Signed) -> Signed {
    const HOST: &[u8] = b"example.org";
    let at = signed.body.windows(HOST.len()).position(|window| window == HOST);
    match at {
        Some(at) => signed.body[at..at + HOST.len()].copy_from_slice(b"example.net"),
        None => signed.body.push(b' '),
    }
    signed
}

/// Bodies hold names and addresses, so `Debug` shows their size alone.
impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback")
            .field("kind", &self.kind)
            .field("again", &self.again)
            .field("source", &self.source.name)
            .field("signing", &self.signing)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
