//! Why a document became no waiver: stable words, which scripts, metrics and replays rely on.

use rollbook_domain::Reason;
pub use rollbook_domain::reasons::{BAD_EMAIL, MISSING_FIELD};

/// Ignored: one signer is done; only the whole document counts.
pub const ONE_SIGNER: Reason = Reason::new("one_signer");
/// Ignored: a signer refused.
pub const DECLINED: Reason = Reason::new("declined");
/// Ignored: the document was voided before this completion.
pub const DOCUMENT_VOIDED: Reason = Reason::new("document_voided");
