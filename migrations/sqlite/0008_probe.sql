-- What a probe writes and commits. The number must change: SQLite does not write a page whose bytes
-- stay the same, and a disk that fails would not be noticed.

CREATE TABLE probe (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL
) STRICT;

INSERT INTO probe (id, number) VALUES (1, 0);
