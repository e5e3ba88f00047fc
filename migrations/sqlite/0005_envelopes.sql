-- Raw requests as they were received, so that anything recorded can be replayed. Pruned by age.

CREATE TABLE envelope (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    source       TEXT    NOT NULL,
    delivery_key TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    -- [[name, value], …]: only those that a translation reads.
    headers      TEXT    NOT NULL CHECK (json_valid(headers)),
    trace        TEXT,
    body         BLOB    NOT NULL
) STRICT;

CREATE INDEX envelope_by_age ON envelope (received_at);

CREATE TRIGGER envelope_is_never_changed BEFORE UPDATE ON envelope
BEGIN
    SELECT RAISE(ABORT, 'envelope: what was received is never rewritten');
END;
