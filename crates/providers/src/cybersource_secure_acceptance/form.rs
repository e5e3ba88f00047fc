//! The form and the part of it that is signed.
//!
//! Where a name stands twice, the first value is both what is signed and what is read, so that a
//! second copy changes nothing. What `signed_field_names` does not list does not exist: whoever
//! holds one signed form could otherwise add fields to it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{SignatureFault, fault, mac};

const NAMES: &str = "signed_field_names";

pub(super) struct Form<'a> {
    values: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> Form<'a> {
    pub fn parse(body: &'a [u8]) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            values.entry(name).or_insert(value);
        }
        Self { values }
    }

    /// The decoded value, signed or not.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(AsRef::as_ref)
    }
}

/// The fields that the signature covers, in its order.
pub(super) struct SignedFields<'f> {
    form: &'f Form<'f>,
    order: Vec<&'f str>,
    names: BTreeSet<&'f str>,
}

impl<'f> SignedFields<'f> {
    /// `None` where the form lists no names. A list that repeats a name is malformed: no sender
    /// writes one, and one long value named ten thousand times is a lot of bytes to sign.
    pub fn of(form: &'f Form<'_>) -> Result<Option<Self>, SignatureFault> {
        let Some(list) = form.value(NAMES) else { return Ok(None) };
        let order: Vec<_> = list.split(',').collect();
        let names: BTreeSet<_> = order.iter().copied().collect();
        if names.len() != order.len() {
            return Err(SignatureFault::Malformed);
        }
        Ok(Some(Self { form, order, names }))
    }

    /// The signed bytes, in parts: `name=value` joined by commas, a missing field as empty.
    pub fn content(&self) -> Vec<&[u8]> {
        let mut parts: Vec<&[u8]> = Vec::with_capacity(self.order.len() * 4);
        for name in &self.order {
            if !parts.is_empty() {
                parts.push(b",");
            }
            let value = self.form.value(name).unwrap_or_default();
            parts.extend([name.as_bytes(), b"=", value.as_bytes()]);
        }
        parts
    }

    /// The value of a signed field, if it says anything. Without U+0000.
    pub fn said(&self, name: &str) -> Option<String> {
        if self.names.contains(name) { fault::said(self.form.value(name)?) } else { None }
    }

    /// Whether a signed value or name could be the seam of another reading.
    ///
    /// The scheme escapes nothing: `a=1,b=2` is both two fields and one field `a` whose value is
    /// `1,b=2`. Whoever controls a text of a signed form (a name typed at the till) could cut the
    /// same bytes elsewhere, hide `decision=DECLINE` in the value before it and bring another
    /// decision out of that text. Such a cut leaves `,decision=` inside a value. `read` are the
    /// names that matter.
    pub fn is_ambiguous(&self, read: &[&str]) -> bool {
        let begins = |piece: &str, name| piece.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
        let names = || read.iter().copied().chain([NAMES]);
        let inside = |value: &str| value.split(',').skip(1).any(|piece| names().any(|name| begins(piece, name)));
        self.order.iter().any(|name| name.contains('=') || inside(self.form.value(name).unwrap_or_default()))
    }
}

/// Adds what a signed form has and signs all of it. Of a repeated name only the first field stays.
pub(super) fn sign(key: &[u8], key_id: Option<&str>, body: &[u8], now: Timestamp) -> Vec<u8> {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut seen = BTreeSet::from([NAMES.to_owned(), "signature".to_owned()]);
    let given = form_urlencoded::parse(body).into_owned();
    let access_key = key_id.map(|id| ("req_access_key".to_owned(), id.to_owned()));
    let time = ("signed_date_time".to_owned(), now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    for (name, value) in given.chain(access_key).chain([time]) {
        if seen.insert(name.clone()) {
            fields.push((name, value));
        }
    }
    let names = fields.iter().map(|(name, _)| name.as_str()).chain([NAMES]).collect::<Vec<_>>().join(",");
    fields.push((NAMES.to_owned(), names));
    let signature = mac::to_base64(&mac::sign(key, &[content(&fields).as_bytes()]));
    fields.push(("signature".to_owned(), signature));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish().into_bytes()
}

fn content(fields: &[(String, String)]) -> String {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Vec<u8> {
        let now = Timestamp::from_second(1_772_636_400).unwrap();
        sign(b"secret", None, b"decision=DECLINE&req_amount=15.00&note=a%2Cb", now)
    }

    fn read(body: &[u8]) -> (Vec<u8>, Vec<Option<String>>) {
        let form = Form::parse(body);
        let fields = SignedFields::of(&form).unwrap().unwrap();
        let values = ["decision", "req_amount", "note", "signed_date_time"].map(|name| fields.said(name));
        (fields.content().concat(), values.to_vec())
    }

    #[test]
    fn a_second_copy_of_a_field_changes_nothing() {
        let body = signed();
        for copy in ["decision=ACCEPT", "req_amount=1.00", "signed_field_names=decision", "note=", "decision"] {
            let longer = [&body, b"&".as_slice(), copy.as_bytes()].concat();
            assert_eq!(read(&longer), read(&body), "{copy}");
        }
    }

    #[test]
    fn what_is_not_listed_is_not_there() {
        let longer = [signed().as_slice(), b"&transaction_id=1"].concat();
        let form = Form::parse(&longer);
        let fields = SignedFields::of(&form).unwrap().unwrap();
        assert_eq!(form.value("transaction_id"), Some("1"));
        assert_eq!(fields.said("transaction_id"), None);
    }

    #[test]
    fn commas_are_no_seam_by_themselves() {
        let ambiguous = |body: &[u8]| {
            let form = Form::parse(body);
            SignedFields::of(&form).unwrap().unwrap().is_ambiguous(&["decision"])
        };
        assert!(!ambiguous(b"signed_field_names=note,decision&note=Example, Jr,decision&decision=ACCEPT"));
        assert!(!ambiguous(b"signed_field_names=note&note=a,b%3Dc"));
        assert!(ambiguous(b"signed_field_names=note&note=a,decision%3DDECLINE"));
        assert!(ambiguous(b"signed_field_names=note&note=a,signed_field_names%3Dnote"));
        assert!(ambiguous(b"signed_field_names=note%3Da&note=a"));
    }
}
