//! Announcements: internal events on their way from one processor to the others.
//!
//! They travel as ordinary envelopes of the source `rollbook`, so that they are queued, kept,
//! dead-lettered and replayed by the code that does it for callbacks. Ids and bytes follow from the
//! event that caused them: a repeated transaction says the same thing again.

use jiff::Timestamp;
use rollbook_domain::{
    Account, Announcement, DeliveryKey, Envelope, EnvelopeId, Event, EventKey, Fact, FactKind, Fault, PersonId,
    SourceName, reasons,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The source name of internal events. No configured source may have it.
pub const INTERNAL_SOURCE: &str = "rollbook";

/// Changing this would announce everything a second time under another id.
const ANNOUNCEMENTS: Uuid = Uuid::from_u128(0x51d1_8c0e_77a4_5b7e_8a0f_6b0c_94e3_2d15);

/// The wire form. Unknown fields are skipped: an older worker may read a newer announcement.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Body {
    MemberRegistered { person: PersonId, occurred_at: Timestamp },
}

/// Which fact a subscriber will see.
pub(crate) fn kind(announcement: &Announcement) -> FactKind {
    match announcement {
        Announcement::MemberRegistered { .. } => FactKind::MemberRegistered,
    }
}

/// The envelope that carries `announcement`, which `cause` brought about. `trace` is that of the
/// request behind `cause`.
pub(crate) fn envelope(announcement: &Announcement, cause: &Event, now: Timestamp, trace: Option<String>) -> Envelope {
    let Announcement::MemberRegistered { person } = *announcement;
    let key = EventKey::member_registered(person);
    let body = Body::MemberRegistered { person, occurred_at: cause.occurred_at };
    Envelope {
        id: EnvelopeId(Uuid::new_v5(&ANNOUNCEMENTS, key.as_str().as_bytes())),
        source: SourceName::new(INTERNAL_SOURCE),
        delivery_key: DeliveryKey::new(key.as_str()),
        received_at: now,
        headers: Vec::new(),
        trace,
        // A struct of an id and an instant always has a JSON form; empty bytes would be a dead letter.
        body: serde_json::to_vec(&body).unwrap_or_default().into(),
    }
}

/// Reads what [`envelope`] wrote.
pub(crate) fn event(envelope: &Envelope) -> Result<Event, Fault> {
    let body: Body = serde_json::from_slice(&envelope.body).map_err(|_| Fault {
        reason: reasons::UNPARSEABLE,
        detail: "this is no internal event that this version knows".to_owned(),
        amount: None,
    })?;
    let Body::MemberRegistered { person, occurred_at } = body;
    Ok(Event {
        key: EventKey::member_registered(person),
        account: Account::new(INTERNAL_SOURCE),
        source: envelope.source.clone(),
        occurred_at,
        fact: Fact::MemberRegistered { person },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes;

    fn announced(now: &str) -> Envelope {
        let cause = fakes::event("cause");
        let person = PersonId(Uuid::from_u128(7));
        envelope(&Announcement::MemberRegistered { person }, &cause, now.parse().unwrap(), None)
    }

    #[test]
    fn what_is_announced_is_heard() {
        let heard = event(&announced("2025-03-01T12:00:00Z")).unwrap();
        assert_eq!(heard.fact, Fact::MemberRegistered { person: PersonId(Uuid::from_u128(7)) });
        assert_eq!(heard.occurred_at, fakes::event("cause").occurred_at);
        assert_eq!(heard.account.as_str(), "rollbook");
    }

    #[test]
    fn a_repeated_transaction_announces_the_same() {
        let (first, second) = (announced("2025-03-01T12:00:00Z"), announced("2025-03-02T12:00:00Z"));
        assert_eq!((first.id, first.body), (second.id, second.body));
    }

    #[test]
    fn the_body_is_what_other_versions_expect() {
        let json: serde_json::Value = serde_json::from_slice(&announced("2025-03-01T12:00:00Z").body).unwrap();
        assert_eq!(json["kind"], "member_registered");
        assert_eq!(json["person"], "00000000-0000-0000-0000-000000000007");
        let odd =
            Envelope { body: (&b"{\"kind\":\"from_the_future\"}"[..]).into(), ..announced("2025-03-01T12:00:00Z") };
        assert_eq!(event(&odd).unwrap_err().reason, reasons::UNPARSEABLE);
    }
}
