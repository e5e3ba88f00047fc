-- Deliveries that we stopped trying: one row a processor, account and event key. Texts may be empty:
-- what a broker gave up on without our headers must find room here too.

CREATE TABLE dead_letter (
    -- AUTOINCREMENT: an operator's note about number 7 must never come to mean another.
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    processor  TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    event_key  TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    -- The money at stake, as a decimal text.
    amount     TEXT,
    currency   TEXT,
    -- Of the last failure.
    attempts   INTEGER NOT NULL CHECK (attempts >= 0),
    -- How often it became a dead letter.
    failures   INTEGER NOT NULL CHECK (failures >= 1),
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('open', 'replaying', 'resolved', 'discarded')),
    envelope   BLOB    NOT NULL CHECK (length(envelope) = 16),
    UNIQUE (processor, account, event_key),
    CHECK (last_seen >= first_seen)
) STRICT;

-- Every commit looks for letters that it resolves: nearly always among none.
CREATE INDEX dead_letter_unsettled ON dead_letter (processor, account, event_key)
    WHERE state IN ('open', 'replaying');
CREATE INDEX dead_letter_needs ON dead_letter (envelope) WHERE state IN ('open', 'replaying');
CREATE INDEX dead_letter_by_age ON dead_letter (first_seen);

-- Every failure, because another callback with the same key takes the first one's place in the
-- letter, and the first one's bytes must not be lost.
CREATE TABLE dead_letter_failure (
    id        INTEGER PRIMARY KEY,
    letter    INTEGER NOT NULL REFERENCES dead_letter (id),
    envelope  BLOB    NOT NULL CHECK (length(envelope) = 16),
    reason    TEXT    NOT NULL,
    detail    TEXT    NOT NULL,
    failed_at INTEGER NOT NULL,
    attempts  INTEGER NOT NULL CHECK (attempts >= 0),
    -- The queue may hand over one failure twice.
    UNIQUE (letter, envelope, failed_at)
) STRICT;

CREATE INDEX dead_letter_failure_by_envelope ON dead_letter_failure (envelope);

CREATE TRIGGER dead_letter_failure_is_never_changed BEFORE UPDATE ON dead_letter_failure
BEGIN
    SELECT RAISE(ABORT, 'dead_letter_failure: append-only');
END;

CREATE TRIGGER dead_letter_failure_is_never_deleted BEFORE DELETE ON dead_letter_failure
BEGIN
    SELECT RAISE(ABORT, 'dead_letter_failure: append-only');
END;

CREATE TRIGGER dead_letter_keeps_its_envelope BEFORE DELETE ON envelope
WHEN EXISTS (SELECT 1 FROM dead_letter WHERE envelope = OLD.id AND state IN ('open', 'replaying'))
    OR EXISTS (
        SELECT 1
        FROM dead_letter_failure AS f
        CROSS JOIN dead_letter AS d ON d.id = f.letter
        WHERE f.envelope = OLD.id AND d.state IN ('open', 'replaying'))
BEGIN
    SELECT RAISE(ABORT, 'envelope: a dead letter needs it');
END;

CREATE TRIGGER dead_letter_is_never_deleted BEFORE DELETE ON dead_letter
BEGIN
    SELECT RAISE(ABORT, 'dead_letter: it is resolved or discarded, never deleted');
END;
