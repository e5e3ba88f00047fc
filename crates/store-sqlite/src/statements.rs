//! The statements: a file each in `sql/`, so that two adapters can be compared file by file.
//! Rejected: texts put together at run time. Their plans and their mistakes would show too late.

/// The text of a statement in `sql/`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $name, ".sql"))
    };
}

/// A statement in `sql/` for many rows.
macro_rules! bulk {
    ($name:literal, $rows:literal) => {
        std::sync::LazyLock::new(|| rollbook_sqlite::Bulk::at_most(crate::statements::sql!($name), $rows))
    };
    ($name:literal) => {
        std::sync::LazyLock::new(|| rollbook_sqlite::Bulk::new(crate::statements::sql!($name)))
    };
}

pub(crate) use {bulk, sql};
