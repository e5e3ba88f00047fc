//! A JSON tree for signed bodies: strict where two readers could disagree, without floats.
//!
//! `serde_json`'s own tree keeps the last of two equal keys and turns fractions into floats. Here a
//! repeated key makes the body unparseable, so that what one tool shows an operator is what a rule
//! saw, and a fraction is carried as unread: who needs one reads it from the raw text. Nesting is
//! bounded by `serde_json` (128 levels).

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::TranslateFault;
use crate::fault::{unparseable, without_nul};

pub(crate) enum Json {
    Null,
    Flag(bool),
    Integer(i128),
    /// A number with a point, an exponent or too many digits.
    Fraction,
    /// Without U+0000.
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

static NULL: Json = Json::Null;

impl Json {
    /// Reads an object; a byte order mark before it is skipped.
    pub fn object(body: &[u8]) -> Result<Self, TranslateFault> {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let tree = serde_json::from_slice(body).map_err(|error| {
            // The error's own text may quote the body.
            unparseable(format!("no readable JSON (line {}, column {})", error.line(), error.column()))
        })?;
        if matches!(tree, Self::Object(_)) { Ok(tree) } else { Err(unparseable("the JSON is no object")) }
    }

    /// The member of this name; null where there is none.
    pub fn get(&self, name: &str) -> &Self {
        match self {
            Self::Object(members) => members.get(name).unwrap_or(&NULL),
            _ => &NULL,
        }
    }

    /// The member at the end of this path; null where there is none.
    pub fn at(&self, path: &[&str]) -> &Self {
        path.iter().fold(self, |node, name| node.get(name))
    }

    /// Text that is not blank.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Some(text),
            _ => None,
        }
    }

    /// Text or a whole number, as text.
    pub fn id(&self) -> Option<String> {
        match self {
            Self::Integer(number) => Some(number.to_string()),
            other => other.text().map(str::to_owned),
        }
    }

    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The values of an object's members, in the order of their names.
    pub fn members(&self) -> impl Iterator<Item = &Self> {
        let members = match self {
            Self::Object(members) => Some(members.values()),
            _ => None,
        };
        members.into_iter().flatten()
    }

    pub fn is_true(&self) -> bool {
        matches!(self, Self::Flag(true)) || self.text().is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Integer(number.into()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(without_nul(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry::<String, Json>()? {
            if members.insert(without_nul(&name), value).is_some() {
                return Err(A::Error::custom("a key stands twice in one object"));
            }
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_could_read_differently_is_unparseable() {
        for body in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"a\u0000":2}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":1e999}"#,
            r#"{"a":1} {"a":2}"#,
            r#"["a"]"#,
            "",
            "{",
        ] {
            assert!(Json::object(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Json::object(b"{\"a\":\"\xff\"}").is_err());
        let deep = format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000));
        assert!(Json::object(deep.as_bytes()).is_err());
    }

    #[test]
    fn members_are_read_as_written() {
        let tree = Json::object("\u{feff}{\"a\":{\"b\":7},\"t\":\"x\\u0000y\",\"blank\":\" \"}".as_bytes()).unwrap();
        assert_eq!(tree.at(&["a", "b"]).id().as_deref(), Some("7"));
        assert_eq!(tree.get("t").text(), Some("xy"));
        assert_eq!(tree.get("blank").text(), None);
        assert_eq!(tree.at(&["a", "b", "c"]).text(), None);
    }
}
