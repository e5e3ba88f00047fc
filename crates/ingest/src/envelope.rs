//! Builds the envelope of a verified request.

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use rollbook_domain::{DeliveryKey, Envelope, EnvelopeId, SourceName};
use rollbook_providers::{Provider, Request};
use sha2::{Digest as _, Sha256};

use crate::{Random, trace};

/// Longest delivery key in bytes. Providers' own ids stay far below.
const MAX_KEY_BYTES: usize = 512;

/// Longest sum of the kept headers in bytes; whole headers beyond it are left out.
const MAX_KEPT_BYTES: usize = 16 * 1024;

/// Header lines as text, names in lower case. Bytes that are no UTF-8 become U+FFFD: no scheme
/// signs or names anything with them.
pub(crate) fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

pub(crate) struct Seal<'a> {
    pub source: &'a SourceName,
    pub provider: &'static dyn Provider,
    pub received_at: Timestamp,
    pub random: &'a Random,
}

impl Seal<'_> {
    pub fn envelope(&self, headers: &HeaderMap, lines: Vec<(String, String)>, body: Bytes) -> Envelope {
        let named = self.provider.delivery_key(&Request { headers: &lines, body: &body });
        let delivery_key = named.and_then(clean).unwrap_or_else(|| body_hash(&body));
        Envelope {
            id: EnvelopeId::at(self.received_at, (self.random)()),
            source: self.source.clone(),
            delivery_key,
            received_at: self.received_at,
            headers: kept(lines, self.provider.kept_headers()),
            trace: Some(trace::parent(headers, self.random)),
            body,
        }
    }
}

fn kept(lines: Vec<(String, String)>, names: &[&str]) -> Vec<(String, String)> {
    let mut left = MAX_KEPT_BYTES;
    let wanted = lines.into_iter().filter(|(name, _)| names.contains(&name.as_str()));
    wanted
        .filter(|(name, value)| {
            let fits = left.checked_sub(name.len() + value.len());
            left = fits.unwrap_or(left);
            fits.is_some()
        })
        .collect()
}

/// Without control characters and of bounded length; nothing if nothing is left.
fn clean(named: String) -> Option<DeliveryKey> {
    let plain = named.len() <= MAX_KEY_BYTES && !named.contains(char::is_control);
    let mut key = if plain { named } else { named.chars().filter(|letter| !letter.is_control()).collect() };
    let end = (0..=MAX_KEY_BYTES.min(key.len())).rev().find(|end| key.is_char_boundary(*end)).unwrap_or(0);
    key.truncate(end);
    (!key.is_empty()).then(|| key.into())
}

fn body_hash(body: &[u8]) -> DeliveryKey {
    format!("body:{}", hex::encode(&Sha256::digest(body)[..16])).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plain_key_stays_as_it_is() {
        assert_eq!(clean("evt_1A2b".to_owned()), Some("evt_1A2b".into()));
        assert_eq!(clean("a\r\nb\0c".to_owned()), Some("abc".into()));
        assert_eq!(clean("\n\t".to_owned()), None);
    }

    #[test]
    fn the_hash_of_an_empty_body() {
        // The first 16 bytes of SHA-256 of nothing.
        assert_eq!(body_hash(b"").as_str(), "body:e3b0c44298fc1c149afbf4c8996fb924");
    }

    #[test]
    fn only_named_headers_are_kept_and_never_more_than_the_bound() {
        let line = |name: &str, bytes: usize| (name.to_owned(), "v".repeat(bytes));
        let all = vec![line("a", 10_000), line("secret", 5), line("a", 10_000), line("b", 100)];
        let sizes: Vec<_> = kept(all, &["a", "b"]).into_iter().map(|(name, value)| (name, value.len())).collect();
        assert_eq!(sizes, [("a".to_owned(), 10_000), ("b".to_owned(), 100)]);
    }

    proptest! {
        #[test]
        fn a_key_is_short_and_printable(named in any::<String>(), repeats in 1_usize..200) {
            if let Some(key) = clean(named.repeat(repeats)) {
                prop_assert!(!key.as_str().is_empty() && key.as_str().len() <= MAX_KEY_BYTES);
                prop_assert!(!key.as_str().contains(char::is_control));
            }
        }
    }
}
