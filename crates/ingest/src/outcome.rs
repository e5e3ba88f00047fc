//! What becomes of a request, in three forms: a metric label, a status, and a line for a human.

use http::StatusCode;
use rollbook_providers::SignatureFault;

use crate::body::BodyFault;
use crate::gates::GateFault;
use crate::publish::PublishFault;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Durable,
    SignatureMissing,
    SignatureMalformed,
    SignatureMismatch,
    SignatureStale,
    ForbiddenIp,
    ForbiddenCertificate,
    Unauthorized,
    TooLarge,
    Timeout,
    Aborted,
    BadRequest,
    Full,
    Unavailable,
    Method,
    NotFound,
    Panicked,
}

impl Outcome {
    /// In the order of declaration, so that `self as usize` is an index.
    pub const ALL: [Self; 17] = [
        Self::Durable,
        Self::SignatureMissing,
        Self::SignatureMalformed,
        Self::SignatureMismatch,
        Self::SignatureStale,
        Self::ForbiddenIp,
        Self::ForbiddenCertificate,
        Self::Unauthorized,
        Self::TooLarge,
        Self::Timeout,
        Self::Aborted,
        Self::BadRequest,
        Self::Full,
        Self::Unavailable,
        Self::Method,
        Self::NotFound,
        Self::Panicked,
    ];

    /// The label in `ingest_requests_total`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::SignatureMissing => "signature_missing",
            Self::SignatureMalformed => "signature_malformed",
            Self::SignatureMismatch => "signature_mismatch",
            Self::SignatureStale => "signature_stale",
            Self::ForbiddenIp => "forbidden_ip",
            Self::ForbiddenCertificate => "forbidden_certificate",
            Self::Unauthorized => "unauthorized",
            Self::TooLarge => "too_large",
            Self::Timeout => "timeout",
            Self::Aborted => "aborted",
            Self::BadRequest => "bad_request",
            Self::Full => "full",
            Self::Unavailable => "unavailable",
            Self::Method => "method",
            Self::NotFound => "not_found",
            Self::Panicked => "panicked",
        }
    }

    /// `success` is the provider's own. Never 410, which makes some senders remove the endpoint.
    pub fn status(self, success: StatusCode) -> StatusCode {
        match self {
            Self::Durable => success,
            Self::SignatureMissing
            | Self::SignatureMalformed
            | Self::SignatureMismatch
            | Self::SignatureStale
            | Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::ForbiddenIp | Self::ForbiddenCertificate => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Aborted | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Full | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body of the answer. One text for all bad signatures: what exactly was wrong is for the
    /// operator's log, not for somebody who guesses.
    pub fn text(self) -> &'static str {
        match self {
            Self::Durable => "Recorded.\n",
            Self::SignatureMissing | Self::SignatureMalformed | Self::SignatureMismatch | Self::SignatureStale => {
                "Not recorded: the signature is missing, wrong or too old. Compare the secret and the clock on both sides.\n"
            }
            Self::ForbiddenIp => {
                "Not recorded: this address may not send here. Add it to the source's allow_ips if it should.\n"
            }
            Self::ForbiddenCertificate => {
                "Not recorded: no known client certificate. Add its fingerprint to the source if it should be known.\n"
            }
            Self::Unauthorized => "Not recorded: send the user and password that were agreed for this source.\n",
            Self::TooLarge => "Not recorded: the body is too large. Raise max_body if it should be accepted.\n",
            Self::Timeout => "Not recorded: the request came too slowly. Send it again.\n",
            Self::Aborted => "Not recorded: the body ended early. Send it again.\n",
            Self::BadRequest => "Not recorded: this is not HTTP.\n",
            Self::Full | Self::Unavailable => "Not recorded: no room for it at this moment. Send it again later.\n",
            Self::Method => "Send callbacks with POST.\n",
            Self::NotFound => "There is nothing here. Callbacks go to /webhooks/ and the name of a source.\n",
            Self::Panicked => "Not recorded: something is wrong on our side. Send it again later.\n",
        }
    }
}

impl From<GateFault> for Outcome {
    fn from(fault: GateFault) -> Self {
        match fault {
            GateFault::Address => Self::ForbiddenIp,
            GateFault::Certificate => Self::ForbiddenCertificate,
            GateFault::Credentials => Self::Unauthorized,
        }
    }
}

impl From<&BodyFault> for Outcome {
    fn from(fault: &BodyFault) -> Self {
        match fault {
            BodyFault::TooLarge => Self::TooLarge,
            BodyFault::TooSlow => Self::Timeout,
            BodyFault::Broken => Self::Aborted,
            BodyFault::NoRoom => Self::Full,
        }
    }
}

impl From<SignatureFault> for Outcome {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::Missing => Self::SignatureMissing,
            SignatureFault::Malformed => Self::SignatureMalformed,
            SignatureFault::Mismatch => Self::SignatureMismatch,
            SignatureFault::Stale { .. } => Self::SignatureStale,
        }
    }
}

impl From<&PublishFault> for Outcome {
    fn from(fault: &PublishFault) -> Self {
        match fault {
            PublishFault::Refused(rollbook_queue::PublishError::Full { .. }) => Self::Full,
            PublishFault::Refused(rollbook_queue::PublishError::Unavailable(_)) | PublishFault::TooSlow => {
                Self::Unavailable
            }
            PublishFault::Panicked => Self::Panicked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_stands_at_its_own_index_with_its_own_word() {
        let words: std::collections::BTreeSet<&str> = Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect();
        assert_eq!(words.len(), Outcome::ALL.len());
        for (index, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index);
        }
    }

    #[test]
    fn only_durable_is_a_success_and_nothing_is_gone() {
        for outcome in Outcome::ALL {
            let status = outcome.status(StatusCode::NO_CONTENT);
            assert_eq!(status.is_success(), outcome == Outcome::Durable, "{outcome:?}");
            assert_ne!(status, StatusCode::GONE);
        }
    }

    #[test]
    fn bad_signatures_carry_the_same_word_as_the_provider_gives() {
        for fault in [
            SignatureFault::Missing,
            SignatureFault::Malformed,
            SignatureFault::Mismatch,
            SignatureFault::Stale { skew_s: 1 },
        ] {
            assert_eq!(Outcome::from(fault).as_str(), fault.as_str());
        }
    }
}
