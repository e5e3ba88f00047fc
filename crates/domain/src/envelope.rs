//! The envelope: one raw request as it was received.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DeliveryKey, EnvelopeId, SourceName};

/// The bytes are kept as they came: a signature covers bytes, and a rewritten body can never be
/// verified, or read anew by a better translator, again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    pub id: EnvelopeId,
    pub source: SourceName,
    pub delivery_key: DeliveryKey,
    pub received_at: Timestamp,
    /// Only the headers that the provider's translation reads; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The W3C `traceparent` of the request.
    pub trace: Option<String>,
    #[serde(skip)]
    pub body: Bytes,
}

impl Envelope {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Bodies hold names, addresses and medical data, so `Debug` shows their size alone.
impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("id", &self.id)
            .field("source", &self.source)
            .field("received_at", &self.received_at)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
