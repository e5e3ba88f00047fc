//! What every provider is: a verifier, a translator, and a signer for `send` and `simulate`.

use jiff::Timestamp;
use rollbook_domain::{Account, Envelope, Event, FactKind, Fault, Reason};
use thiserror::Error;

/// One provider. Holds nothing: keys, fields and the moment are arguments, so that one instance serves
/// every source and a stored request can be read again at any time.
pub trait Provider: Send + Sync {
    /// As the configuration writes it.
    fn name(&self) -> &'static str;

    /// The kinds of fact it can state. A processor that wants none of them is not sent its callbacks.
    fn yields(&self) -> &'static [FactKind];

    /// Headers that `delivery_key` or `translate` read, in lower case. Others are not kept.
    fn kept_headers(&self) -> &'static [&'static str];

    /// Reads and checks secrets once, when the configuration is loaded. All of them are live.
    fn keys(&self, secrets: &[Secret]) -> Result<Keys, KeyFault>;

    /// Whether one of `keys` signed these bytes. Constant time in the signature. `now` matters
    /// only where the scheme signs a sending time.
    fn verify(&self, keys: &Keys, request: &Request<'_>, now: Timestamp) -> Result<(), SignatureFault>;

    /// The provider's own name for this request, if it gives one. Read from signed content where
    /// the scheme signs it.
    fn delivery_key(&self, request: &Request<'_>) -> Option<String>;

    /// What the request says. Reads only what was signed. Never fails because of a field that a
    /// rule may not need.
    fn translate(&self, fields: &Fields, account: &Account, envelope: &Envelope) -> Result<Vec<Event>, TranslateFault>;

    /// Signs `body` as the provider would, for `send`, `simulate` and tests. `id` names the request
    /// where the scheme has an id.
    fn sign(&self, secret: &Secret, body: &[u8], id: &str, now: Timestamp) -> Result<Signed, KeyFault>;

    /// The status of a success answer.
    fn success_status(&self) -> u16 {
        200
    }
}

/// One request as a verifier sees it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Names in lower case; a name may stand several times.
    pub headers: &'a [(String, String)],
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// One configured secret, as text. Never printed.
#[derive(Clone)]
pub struct Secret {
    /// Which key it is, where the provider says so in the request (CyberSource's `access_key`).
    pub key_id: Option<String>,
    pub text: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// Decoded key material of one source.
#[derive(Clone)]
pub struct Keys(pub(crate) Vec<Key>);

#[derive(Clone)]
pub(crate) struct Key {
    pub id: Option<String>,
    pub material: KeyMaterial,
}

#[derive(Clone)]
pub(crate) enum KeyMaterial {
    /// Bytes of an HMAC key.
    Hmac(Vec<u8>),
    /// An ed25519 public key.
    Ed25519([u8; 32]),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} live)", self.0.len())
    }
}

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Signature headers and the content type.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyFault {
    #[error("a secret is empty")]
    Empty,
    /// The text says what was expected. Never holds the secret.
    #[error("a secret is malformed: {0}")]
    Malformed(&'static str),
    #[error("no secret is configured")]
    None,
}

/// Why a request was not believed. The answer is 401 for all of them; the word is for metrics and
/// the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SignatureFault {
    #[error("no signature")]
    Missing,
    #[error("the signature cannot be read")]
    Malformed,
    #[error("no live secret made this signature")]
    Mismatch,
    /// Signed too long ago, or in the future. Positive: seconds that the sender is behind us.
    #[error("the signed time is {skew_s} s off")]
    Stale { skew_s: i64 },
}

impl SignatureFault {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "signature_missing",
            Self::Malformed => "signature_malformed",
            Self::Mismatch => "signature_mismatch",
            Self::Stale { .. } => "signature_stale",
        }
    }
}

/// Verified bytes that we cannot turn into events: a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}: {detail}")]
pub struct TranslateFault {
    pub reason: Reason,
    /// No personal data: it is logged.
    pub detail: String,
}

impl From<TranslateFault> for Fault {
    fn from(fault: TranslateFault) -> Self {
        Self { reason: fault.reason, detail: fault.detail, amount: None }
    }
}

/// Where this source keeps what the rules need. `None` means the provider's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub purpose: Option<String>,
    pub category: Option<String>,
    pub email: Option<String>,
    pub name: Option<String>,
    /// The id of the group that points are for.
    pub points_group: Option<String>,
}
