//! What a schema lacks, and which one is refused: one answer for every adapter.
//!
//! Migrations go forward only. An adapter reads what was applied, and applies what is missing in one
//! transaction. Each keeps its text's digest, because a number cannot tell an edited migration from
//! the released one.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// One step of a schema, as this binary knows it.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From 1, without a gap.
    pub number: i64,
    pub name: &'static str,
    pub sql: &'static str,
}

impl Migration {
    /// SHA-256 of the text, in hexadecimal digits.
    #[must_use]
    pub fn checksum(&self) -> String {
        let mut text = String::new();
        for byte in Sha256::digest(self.sql) {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

/// One step that a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub number: i64,
    pub checksum: String,
}

/// What of `migrations` is not `applied` yet; both are in the order of their numbers. A schema that
/// another release made is [`StoreError::Schema`].
pub fn missing<'m>(migrations: &'m [Migration], applied: &[Applied]) -> Result<&'m [Migration], StoreError> {
    let edited = migrations
        .iter()
        .zip(applied)
        .find(|(known, has)| known.number != has.number || known.checksum() != has.checksum);
    if let Some((migration, _)) = edited {
        return refused(format!(
            "migration {} was applied with another text; install the rollbook that applied it, then run its \
             `rollbook migrate`",
            migration.name
        ));
    }
    match (migrations.get(applied.len()..), applied.last()) {
        (Some(missing), _) => Ok(missing),
        (None, last) => refused(format!(
            "the store's schema is at migration {} and this binary knows {}; install the newer rollbook, which has \
             migrated it already",
            last.map_or(0, |last| last.number),
            migrations.len()
        )),
    }
}

/// Refuses a schema that this binary was not made for, as [`StoreError::Schema`] with the command to run.
pub fn check(migrations: &[Migration], applied: &[Applied]) -> Result<(), StoreError> {
    match (missing(migrations, applied)?, applied.len()) {
        ([], _) => Ok(()),
        (_, 0) => refused("the store has no tables yet; run `rollbook migrate`".to_owned()),
        (_, done) => refused(format!(
            "the store's schema is at migration {done} and this binary needs {}; run `rollbook migrate`",
            migrations.len()
        )),
    }
}

fn refused<T>(why: String) -> Result<T, StoreError> {
    Err(StoreError::Schema(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [Migration; 3] = [
        Migration { number: 1, name: "0001_one", sql: "one" },
        Migration { number: 2, name: "0002_two", sql: "two" },
        Migration { number: 3, name: "0003_three", sql: "three" },
    ];

    fn applied(count: usize) -> Vec<Applied> {
        let has = |known: &Migration| Applied { number: known.number, checksum: known.checksum() };
        KNOWN.iter().take(count).map(has).collect()
    }

    fn names(applied: &[Applied]) -> Vec<&'static str> {
        missing(&KNOWN, applied).unwrap().iter().map(|migration| migration.name).collect()
    }

    fn said(applied: &[Applied]) -> String {
        check(&KNOWN, applied).unwrap_err().to_string()
    }

    #[test]
    fn what_is_missing_is_what_comes_after() {
        assert_eq!(names(&[]), ["0001_one", "0002_two", "0003_three"]);
        assert_eq!(names(&applied(2)), ["0003_three"]);
        assert!(names(&applied(3)).is_empty());
        check(&KNOWN, &applied(3)).unwrap();
    }

    #[test]
    fn an_older_schema_is_refused_with_the_command_to_run() {
        assert_eq!(said(&[]), "the store has no tables yet; run `rollbook migrate`");
        let older = "the store's schema is at migration 2 and this binary needs 3; run `rollbook migrate`";
        assert_eq!(said(&applied(2)), older);
    }

    #[test]
    fn a_schema_of_another_release_is_never_migrated() {
        let later = Applied { number: 9, checksum: String::new() };
        let newer = [applied(3), vec![later.clone()]].concat();
        let edited = [applied(1), vec![Applied { number: 2, checksum: KNOWN[0].checksum() }]].concat();
        let skipped = [applied(1), vec![later]].concat();
        for (has, told) in [
            (newer, "is at migration 9 and this binary knows 3; install the newer rollbook"),
            (edited, "0002_two was applied with another text"),
            (skipped, "0002_two was applied with another text"),
        ] {
            assert!(said(&has).contains(told), "{}", said(&has));
            assert!(matches!(missing(&KNOWN, &has), Err(StoreError::Schema(_))));
        }
    }

    #[test]
    fn a_checksum_is_of_the_text_alone() {
        assert_eq!(
            Migration { number: 7, name: "any", sql: "abc" }.checksum(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
