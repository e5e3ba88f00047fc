//! One way to open a SQLite file, and to write many rows at once.
