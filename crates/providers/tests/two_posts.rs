//! CyberSource posts one payment twice, through the customer's browser and from server to server.
//! Whichever arrives first, the payment was made at one moment.

use bytes::Bytes;
use jiff::Timestamp;
use rollbook_domain::{Account, DeliveryKey, Envelope, EnvelopeId, Event, SourceName};
use rollbook_providers::{Fields, Secret, find};

fn payment(signed_at: &str, authorised_at: Option<&str>) -> Event {
    let provider = find("cybersource-secure-acceptance").unwrap();
    let auth_time = authorised_at.map(|at| format!("&auth_time={at}")).unwrap_or_default();
    let body = format!("transaction_id=7001&decision=ACCEPT&signed_date_time={signed_at}{auth_time}");
    let secret = Secret { key_id: None, text: "invented-key-of-two-posts".to_owned() };
    let now = Timestamp::UNIX_EPOCH;
    let signed = provider.sign(&secret, body.as_bytes(), "", now).unwrap();
    let envelope = Envelope {
        id: EnvelopeId::at(now, [7; 10]),
        source: SourceName::from("shop"),
        delivery_key: DeliveryKey::from("7001"),
        received_at: now,
        headers: vec![],
        trace: None,
        body: Bytes::from(signed.body),
    };
    provider.translate(&Fields::default(), &Account::from("shop"), &envelope).unwrap().remove(0)
}

fn paid_at(signed_at: &str, authorised_at: Option<&str>) -> String {
    payment(signed_at, authorised_at).occurred_at.to_string()
}

#[test]
fn both_posts_of_one_payment_have_its_time() {
    let authorised = Some("2026-03-02T045958Z");
    for posted in ["2026-03-02T04:59:59Z", "2026-03-02T05:00:01Z", "2026-03-02T11:30:00Z"] {
        assert_eq!(paid_at(posted, authorised), "2026-03-02T04:59:58Z", "posted {posted}");
    }
}

#[test]
fn without_a_believable_time_of_authorisation_the_posts_own_time_counts() {
    let posted = "2026-03-02T05:00:01Z";
    for authorised in [None, Some("soon"), Some("2016-04-07T140637Z"), Some("2026-03-02T050002Z"), Some("")] {
        assert_eq!(paid_at(posted, authorised), posted, "authorised {authorised:?}");
    }
}

/// Two odd messages of DocuSign must not pass for one request because both name nothing.
#[test]
fn a_document_message_without_a_moment_has_no_name_of_its_own() {
    let provider = find("docusign-connect").unwrap();
    let name = |body: &str| provider.delivery_key(&rollbook_providers::Request { headers: &[], body: body.as_bytes() });
    assert_eq!(name(r#"{"configurationId":7,"x":1}"#), None);
    assert_eq!(name(r#"{"event":"envelope-sent","data":{"envelopeId":"e"}}"#), None);
    assert!(name(r#"{"generatedDateTime":"2026-03-02T05:00:01Z","data":{"envelopeId":"e"}}"#).is_some());
}
