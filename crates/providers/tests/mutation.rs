//! A changed byte: either the signature no longer fits, or nothing that we read has changed.

use rollbook_providers::{PROVIDERS, Provider, Request};

use crate::vectors::{Case, cases};

/// A bit that keeps most letters letters, one that makes other signs of them, and the top bit.
const FLIPS: [u8; 3] = [0x01, 0x10, 0x80];

#[test]
fn no_changed_byte_of_a_body_is_believed_and_read_otherwise() {
    for provider in PROVIDERS {
        for case in cases(provider.name()).iter().filter(|case| case.is_believed()).take(12) {
            let body = case.body();
            for (place, flip) in (0..body.len()).zip(FLIPS.into_iter().cycle()) {
                let mut changed = body.clone();
                changed[place] ^= flip;
                same_or_refused(*provider, case, &case.headers, &changed);
            }
        }
    }
}

#[test]
fn no_changed_byte_of_a_header_is_believed_and_read_otherwise() {
    for provider in PROVIDERS {
        for case in cases(provider.name()).iter().filter(|case| case.is_believed()).take(12) {
            for (row, (_, value)) in case.headers.iter().enumerate() {
                for place in 0..value.len() {
                    let mut headers = case.headers.clone();
                    let mut bytes = value.clone().into_bytes();
                    bytes[place] ^= FLIPS[place % 2];
                    headers[row].1 = String::from_utf8_lossy(&bytes).into_owned();
                    same_or_refused(*provider, case, &headers, &case.body());
                }
            }
        }
    }
}

fn same_or_refused(provider: &dyn Provider, case: &Case, headers: &[(String, String)], changed: &[u8]) {
    let body = case.body();
    let request = Request { headers, body: changed };
    if case.verdict(provider, &case.keys(provider), &request) != "ok" {
        return;
    }
    let original = Request { headers: &case.headers, body: &body };
    assert_eq!(provider.delivery_key(&request), provider.delivery_key(&original), "{}", case.name);
    let (now, then) = (case.translate(provider, changed), case.translate(provider, &body));
    assert_eq!(now.is_ok(), then.is_ok(), "{}", case.name);
    assert_eq!(now.ok(), then.ok(), "{}", case.name);
}
