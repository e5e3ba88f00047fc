//! Arbitrary bytes and mutated real requests: a verdict and a fault, never a panic, and never a word
//! of the body in a fault.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};
use rollbook_domain::Account;
use rollbook_providers::{Fields, PROVIDERS, Provider, Request, Secret};

use crate::vectors::{Case, cases, envelope};

const HEADERS: [&str; 9] = [
    "stripe-signature",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
    "x-docusign-signature-1",
    "x-docusign-signature-99",
];

fn header() -> impl Strategy<Value = (String, String)> {
    let value = prop_oneof![
        any::<String>(),
        "(t=[0-9]{0,20})?(,v1=[0-9a-f]{0,66}){0,3}",
        "(v1a?,[A-Za-z0-9+/]{0,88}=?=? ?){0,3}",
        "-?[0-9]{1,20}",
    ];
    (proptest::sample::select(HEADERS.as_slice()).prop_map(str::to_owned), value)
}

/// Pieces that a parser may stumble over.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"\0",
        b"\xff",
        b"&",
        b"=",
        b"%",
        b"%00",
        b"<",
        b">",
        b"</",
        b"/>",
        b"<!--",
        b"<![CDATA[",
        b"]]>",
        b"<!DOCTYPE x [",
        b"&amp;",
        b"&#0;",
        b"&#xD800;",
        b"&x;",
        b"\"",
        b"'",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"\\u0000",
        b"\\ud800",
        b"1e999",
        b"-0",
        b"99999999999999999999",
        b"null",
        b"\xef\xbb\xbf",
        b"xmlns=\"\"",
        b"xmlns:",
        b"9999-12-31T23:59:60Z",
    ];
    prop_oneof![proptest::sample::select(pieces).prop_map(<[u8]>::to_vec), vec(any::<u8>(), 0..9)]
}

/// A body with some of its bytes replaced by pieces, cut off, or with a part of it twice.
fn mutated(body: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec((any::<proptest::sample::Index>(), 0_usize..40, piece()), 0..5);
    (Just(body), edits, any::<bool>()).prop_map(|(mut body, edits, doubled)| {
        for (place, gone, piece) in edits {
            let start = place.index(body.len() + 1);
            let end = (start + gone).min(body.len());
            body.splice(start..end, piece);
        }
        let half = body.len() / 2;
        if doubled {
            body.extend_from_within(..half);
        }
        body
    })
}

/// A row of `PROVIDERS`, one of its vectors, and that vector's body mutated.
fn real() -> impl Strategy<Value = (usize, Case, Vec<u8>)> {
    let of = |row: usize| cases(PROVIDERS[row].name()).into_iter().map(move |case| (row, case));
    let all: Vec<_> = (0..PROVIDERS.len()).flat_map(of).collect();
    proptest::sample::select(all).prop_flat_map(|(row, case)| {
        let body = case.body();
        (Just(row), Just(case), mutated(body))
    })
}

/// A provider may answer what it likes, the same each time, without a panic and without quoting.
fn exercise(provider: &dyn Provider, secrets: &[Secret], fields: &Fields, headers: &[(String, String)], body: &[u8]) {
    let keys = provider.keys(secrets).unwrap();
    let now = Timestamp::from_second(1_772_636_400).unwrap();
    let request = Request { headers, body };
    assert_eq!(provider.verify(&keys, &request, now), provider.verify(&keys, &request, now));
    assert!(provider.delivery_key(&request).is_none_or(|key| !key.contains('\0') && key.len() <= 512));
    let envelope = envelope(body, now);
    let read = || provider.translate(fields, &Account::new("account"), &envelope);
    let events = read();
    assert_eq!(events, read());
    match events {
        Ok(events) => {
            assert!(!events.is_empty());
            assert!(!events.iter().any(|event| format!("{event:?}").contains("\\0")), "U+0000 got through");
        }
        Err(fault) => assert!(!fault.detail.contains("example.org"), "{fault}"),
    }
}

fn secrets() -> Vec<Secret> {
    vec![Secret { key_id: None, text: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned() }]
}

proptest! {
    #[test]
    fn arbitrary_requests_are_refused_without_a_panic(
        row in 0..PROVIDERS.len(),
        headers in vec(header(), 0..6),
        body in vec(any::<u8>(), 0..400),
    ) {
        exercise(PROVIDERS[row], &secrets(), &Fields::default(), &headers, &body);
    }

    #[test]
    fn arbitrary_pieces_are_refused_without_a_panic(
        row in 0..PROVIDERS.len(),
        headers in vec(header(), 0..6),
        pieces in vec(piece(), 0..60),
    ) {
        exercise(PROVIDERS[row], &secrets(), &Fields::default(), &headers, &pieces.concat());
    }

    #[test]
    fn mutated_real_requests_never_panic((row, case, body) in real()) {
        exercise(PROVIDERS[row], &case.secrets(), &case.fields(), &case.headers, &body);
    }

    #[test]
    fn a_mutated_raw_body_is_never_believed((row, case, body) in real()) {
        let provider = PROVIDERS[row];
        let request = Request { headers: &case.headers, body: &body };
        let believed = case.verdict(provider, &case.keys(provider), &request) == "ok";
        let is_form = provider.name() == "cybersource-secure-acceptance";
        if believed && !is_form {
            prop_assert_eq!(body, case.body());
        } else if believed {
            prop_assert!(case.is_believed(), "{}", case.name);
            prop_assert_eq!(case.translate(provider, &body).ok(), case.translate(provider, &case.body()).ok());
        }
    }
}
