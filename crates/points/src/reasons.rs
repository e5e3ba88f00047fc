//! Why an event earned nothing: stable words, which scripts, metrics and replays rely on.

use rollbook_domain::Reason;
pub use rollbook_domain::reasons::{BAD_EMAIL, MISSING_FIELD};

/// Ignored: no rule earns for it on its date.
pub const NO_RULE: Reason = Reason::new("no_rule");
/// Ignored: paid in another currency than the organisation's.
pub const OTHER_CURRENCY: Reason = Reason::new("other_currency");
/// Ignored: a refund or dispute of a payment that earned nothing.
pub const EARNED_NOTHING: Reason = Reason::new("earned_nothing");
/// Ignored: a dispute that is open or won takes nothing back.
pub const DISPUTE_NOT_LOST: Reason = Reason::new("dispute_not_lost");
/// Deferred, at last a dead letter: its payment has not arrived.
pub const PAYMENT_UNKNOWN: Reason = Reason::new("payment_unknown");
/// Deferred, at last a dead letter: the payer is no member of the group that the points are for.
pub const NOT_A_MEMBER: Reason = Reason::new("not_a_member");
/// Dead letter: what names the group is no id of a group.
pub const BAD_GROUP: Reason = Reason::new("bad_group");
/// Dead letter: an amount that cannot be read, is below zero, is authorised otherwise, or earns
/// more than can be counted.
pub const WRONG_AMOUNT: Reason = Reason::new("wrong_amount");
/// Dead letter: refunded in another currency than paid.
pub const WRONG_CURRENCY: Reason = Reason::new("wrong_currency");
