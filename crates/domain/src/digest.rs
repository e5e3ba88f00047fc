//! The event digest: does a second message of one fact say the same thing?

use std::fmt;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::{Amount, Email, Event, Fact};

/// A versioned digest over the few fields of a fact that must not differ between two messages of
/// it. Times, references and names are never in it: the browser's post and the server's post of
/// one payment differ there and mean the same.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EventDigest(String);

/// Digests of two versions are never compared. A field that only some facts have gets a version
/// of its own, so that those without it keep the digests that stand in tables.
const VERSION: u32 = 1;
/// With the group that points are for. That one message names a group and another none is not told.
const VERSION_WITH_GROUP: u32 = 2;

impl EventDigest {
    pub fn of(event: &Event) -> Self {
        let mut hasher = Sha256::new();
        for field in fields(&event.fact) {
            hasher.update(u64::try_from(field.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(field.as_bytes());
        }
        let mut text = format!("{}:", version(&event.fact));
        for byte in &hasher.finalize()[..16] {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// One that came back from a table.
    pub fn read(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are of one version and differ.
    pub fn contradicts(&self, other: &Self) -> bool {
        let version = |digest: &Self| digest.0.split(':').next().map(str::to_owned);
        version(self) == version(other) && self != other
    }
}

impl fmt::Debug for EventDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn version(fact: &Fact) -> u32 {
    match fact {
        Fact::PaymentCaptured(capture) if capture.points_group().is_some() => VERSION_WITH_GROUP,
        _ => VERSION,
    }
}

/// To be changed only together with a version.
fn fields(fact: &Fact) -> Vec<String> {
    let kind = fact.kind().as_str().to_owned();
    match fact {
        Fact::PaymentCaptured(capture) => [
            kind,
            amount(&capture.amount),
            capture.amount.currency.as_deref().unwrap_or_default().trim().to_ascii_uppercase(),
            capture.purpose.clone().unwrap_or_default(),
            capture.category.clone().unwrap_or_default(),
            address(capture.email.as_deref()),
        ]
        .into_iter()
        .chain(capture.points_group().map(str::to_ascii_lowercase))
        .collect(),
        Fact::DocumentCompleted(completion) => vec![kind, address(completion.email.as_deref())],
        _ => vec![kind],
    }
}

fn amount(amount: &Amount) -> String {
    amount.money.map_or_else(|_| amount.text.clone(), |money| money.minor.to_string())
}

fn address(written: Option<&str>) -> String {
    let written = written.unwrap_or_default();
    Email::parse(written).map_or_else(|| written.trim().to_owned(), |email| email.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Account, Capture, Completion, EventKey, SourceName};

    fn event(fact: Fact) -> Event {
        Event {
            key: EventKey::from("k"),
            account: Account::from("club"),
            source: SourceName::from("payments"),
            occurred_at: jiff::Timestamp::UNIX_EPOCH,
            fact,
        }
    }

    fn captured(change: impl FnOnce(&mut Capture)) -> Event {
        let mut capture = Capture {
            transaction: "t".to_owned(),
            amount: Amount::decimal(Some("40.00"), Some("USD")),
            authorised: None,
            purpose: Some("membership".to_owned()),
            category: Some("NA".to_owned()),
            email: Some("ada@example.org".to_owned()),
            name: Some("Ada Example".to_owned()),
            points_group: None,
        };
        change(&mut capture);
        event(Fact::PaymentCaptured(capture))
    }

    fn completed(email: Option<&str>, name: &str) -> Event {
        let email = email.map(str::to_owned);
        let completion = Completion { document: "d".to_owned(), email, name: Some(name.to_owned()), category: None };
        event(Fact::DocumentCompleted(completion))
    }

    fn contradicts(one: &Event, other: &Event) -> bool {
        EventDigest::of(one).contradicts(&EventDigest::of(other))
    }

    type Change = fn(&mut Capture);

    /// The browser's post and the server's post of one payment differ so.
    #[test]
    fn the_same_said_differently_is_no_contradiction() {
        let ways: [Change; 5] = [
            |capture| capture.name = None,
            |capture| capture.email = Some(" ADA@Example.org".to_owned()),
            |capture| capture.amount = Amount::decimal(Some("40"), Some("usd ")),
            |capture| capture.authorised = Some(Amount::decimal(Some("40.00"), Some("USD"))),
            |capture| capture.transaction = "another reference".to_owned(),
        ];
        for (index, way) in ways.into_iter().enumerate() {
            assert!(!contradicts(&captured(way), &captured(|_| {})), "way {index}");
        }
        let later = Event { occurred_at: jiff::Timestamp::MAX, ..captured(|_| {}) };
        assert!(!contradicts(&later, &captured(|_| {})), "times are never in it");
    }

    #[test]
    fn another_payment_is_a_contradiction() {
        let ways: [Change; 7] = [
            |capture| capture.amount = Amount::decimal(Some("40.01"), Some("USD")),
            |capture| capture.amount = Amount::decimal(Some("forty"), Some("USD")),
            |capture| capture.amount = Amount::decimal(Some("40.00"), Some("EUR")),
            |capture| capture.purpose = None,
            |capture| capture.category = Some("MU".to_owned()),
            |capture| capture.email = Some("bea@example.org".to_owned()),
            // Fields are told apart: what moves from one into the next is another payment.
            |capture| (capture.purpose, capture.category) = (Some("membershipN".to_owned()), Some("A".to_owned())),
        ];
        for (index, way) in ways.into_iter().enumerate() {
            assert!(contradicts(&captured(way), &captured(|_| {})), "way {index}");
        }
    }

    /// What stands in tables from before there were groups stays comparable.
    #[test]
    fn a_group_is_told_from_another_and_from_none_not_at_all() {
        let of = |group: &'static str| captured(move |capture| capture.points_group = Some(group.to_owned()));
        assert!(contradicts(&of("a"), &of("b")));
        assert!(!contradicts(&of(" A"), &of("a")));
        assert!(!contradicts(&of("a"), &captured(|_| {})));
        assert_eq!(EventDigest::of(&of(" ")), EventDigest::of(&captured(|_| {})), "blank names none");
    }

    #[test]
    fn of_a_completion_only_the_signer_counts() {
        let ada = completed(Some("ada@example.org"), "Ada");
        assert!(!contradicts(&ada, &completed(Some("Ada@example.org "), "A. Example")));
        assert!(contradicts(&ada, &completed(Some("bea@example.org"), "Ada")));
        assert!(contradicts(&ada, &completed(None, "Ada")));
        assert!(contradicts(&ada, &captured(|_| {})), "another kind of fact");
    }

    /// These stand in tables: what they are made of may change only together with a version.
    #[test]
    fn a_digest_is_stable() {
        assert_eq!(EventDigest::of(&captured(|_| {})).as_str(), "1:eacf8af3bcefd2e49bab48ab1fd48365");
        assert_eq!(
            EventDigest::of(&completed(Some("ada@example.org"), "Ada")).as_str(),
            "1:0e0ded2642e638ceb75e8f6a85f44c75"
        );
    }

    #[test]
    fn two_versions_are_never_compared() {
        let of = |text: &str| EventDigest::read(text.to_owned());
        assert!(of("1:a").contradicts(&of("1:b")));
        assert!(!of("1:a").contradicts(&of("1:a")));
        assert!(!of("1:a").contradicts(&of("2:b")));
        assert!(!of("1:a").contradicts(&of("11:b")));
    }
}
