//! One line of the report: what was looked at, what was found, and what to do next.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Ok,
    /// Works today.
    Warning,
    /// Does not work, or may lose what it was given.
    Problem,
}

/// Several may have one name: one a node, a file, a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub status: Status,
    /// One sentence, without secrets.
    pub detail: String,
    /// The next step; always there unless the status is `ok`.
    pub todo: Option<String>,
}

impl Check {
    pub fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, detail: detail.into(), todo: None }
    }

    pub fn warning(name: &'static str, detail: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { name, status: Status::Warning, detail: detail.into(), todo: Some(todo.into()) }
    }

    pub fn problem(name: &'static str, detail: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { status: Status::Problem, ..Self::warning(name, detail, todo) }
    }

    /// What could not be looked at is not well.
    pub fn unseen(name: &'static str, why: &str, todo: &str) -> Self {
        Self::warning(name, format!("not looked at: {why}"), todo)
    }

    /// A sentence of the form `what is wrong; what to do`.
    pub fn of_sentence(name: &'static str, status: Status, sentence: &str) -> Self {
        let (detail, todo) = sentence.split_once("; ").unwrap_or((sentence, "mend the configuration"));
        Self { name, status, detail: detail.to_owned(), todo: Some(todo.to_owned()) }
    }
}

/// `512 B`, `3.2 GiB`.
pub fn size(bytes: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in units {
        let tenths = (u128::from(bytes) * 10) >> shift;
        if tenths >= 10 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
    }
    format!("{bytes} B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_cut_where_it_says_what_to_do() {
        let check = Check::of_sentence("secrets", Status::Warning, "`a` is short; use more");
        assert_eq!((check.detail.as_str(), check.todo.as_deref()), ("`a` is short", Some("use more")));
        let whole = Check::of_sentence("secrets", Status::Warning, "`a` is short");
        assert_eq!((whole.detail.as_str(), whole.todo.as_deref()), ("`a` is short", Some("mend the configuration")));
    }

    #[test]
    fn sizes_are_read_by_people() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (256 << 20, "256.0 MiB"), (u64::MAX, "16777215.9 TiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn json_is_what_scripts_rely_on() {
        let check = Check::problem("disk-space", "full", "make room");
        let json = serde_json::to_value([check, Check::ok("store-size", "small")]).unwrap();
        let expected = serde_json::json!([
            { "name": "disk-space", "status": "problem", "detail": "full", "todo": "make room" },
            { "name": "store-size", "status": "ok", "detail": "small", "todo": null },
        ]);
        assert_eq!(json, expected);
    }
}
