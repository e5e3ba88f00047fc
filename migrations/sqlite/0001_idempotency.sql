-- One row for every fact that a processor has settled for good. Its unique key is what makes an
-- effect happen once; every effect refers to its row here, so none can exist without one.
--
-- Instants are microseconds since 1970 in UTC, dates ISO 8601 texts, uuids 16 bytes, amounts whole
-- minor units. `envelope` is no foreign key: envelopes are pruned, outcomes never are.

CREATE TABLE processed (
    id           INTEGER PRIMARY KEY,
    processor    TEXT    NOT NULL CHECK (processor <> ''),
    account      TEXT    NOT NULL CHECK (account <> ''),
    event_key    TEXT    NOT NULL CHECK (event_key <> ''),
    outcome      TEXT    NOT NULL CHECK (outcome IN ('applied', 'ignored', 'rejected')),
    reason       TEXT    CHECK (reason <> ''),
    kind         TEXT    NOT NULL CHECK (kind <> ''),
    source       TEXT    NOT NULL CHECK (source <> ''),
    envelope     BLOB    NOT NULL CHECK (length(envelope) = 16),
    -- The configuration that was in force.
    rules        TEXT    NOT NULL,
    -- What the fact said, to tell a duplicate from a contradiction.
    digest       TEXT    NOT NULL CHECK (digest <> ''),
    occurred_at  INTEGER NOT NULL,
    processed_at INTEGER NOT NULL,
    UNIQUE (processor, account, event_key),
    CHECK ((outcome = 'applied') = (reason IS NULL))
) STRICT;

CREATE INDEX processed_by_envelope ON processed (envelope);
CREATE INDEX processed_by_time ON processed (processed_at);

CREATE TRIGGER processed_is_never_deleted BEFORE DELETE ON processed
BEGIN
    SELECT RAISE(ABORT, 'processed: a settled fact is never deleted');
END;

CREATE TRIGGER processed_is_final BEFORE UPDATE ON processed
WHEN OLD.outcome <> 'ignored'
    OR NEW.id IS NOT OLD.id
    OR NEW.processor IS NOT OLD.processor
    OR NEW.account IS NOT OLD.account
    OR NEW.event_key IS NOT OLD.event_key
BEGIN
    SELECT RAISE(ABORT, 'processed: only an ignored fact may be decided again');
END;
