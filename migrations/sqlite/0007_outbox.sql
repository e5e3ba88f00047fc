-- What a commit must tell the queue, written in the commit itself.

CREATE TABLE outbox (
    -- AUTOINCREMENT: the relay removes rows by number after the queue has confirmed them.
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope  BLOB    NOT NULL REFERENCES envelope (id),
    processor TEXT    NOT NULL,
    -- An ignored outcome of the same fact may be replaced.
    redecide  INTEGER NOT NULL DEFAULT 0 CHECK (redecide IN (0, 1))
) STRICT;

CREATE INDEX outbox_by_envelope ON outbox (envelope);
