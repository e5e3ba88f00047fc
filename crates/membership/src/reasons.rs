//! Why a payment bought no membership: stable words, which scripts, metrics and replays rely on.

use rollbook_domain::Reason;
pub use rollbook_domain::reasons::{BAD_EMAIL, MISSING_FIELD};

/// Ignored: no money moved.
pub const DECLINED: Reason = Reason::new("declined");
/// Ignored: the provider will say later whether money moved.
pub const PENDING: Reason = Reason::new("pending");
/// Ignored: a payment for something else, such as a rental.
pub const NOT_MEMBERSHIP: Reason = Reason::new("not_membership");
/// Ignored: a refund or dispute of a payment that was itself ignored or rejected.
pub const PAYMENT_NOT_OURS: Reason = Reason::new("payment_not_ours");
/// Deferred, at last a dead letter: its payment has not arrived.
pub const PAYMENT_UNKNOWN: Reason = Reason::new("payment_unknown");
/// Dead letter: no plan of this category is valid on the payment date.
pub const UNKNOWN_CATEGORY: Reason = Reason::new("unknown_category");
/// Dead letter: another amount than the plan's price.
pub const WRONG_AMOUNT: Reason = Reason::new("wrong_amount");
/// Dead letter: another currency than the organisation's, or than the payment's for a refund.
pub const WRONG_CURRENCY: Reason = Reason::new("wrong_currency");
