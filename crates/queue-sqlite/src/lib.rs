//! The embedded queue: SQLite with group commit.
