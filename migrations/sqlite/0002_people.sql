-- People, the addresses by which they are matched, and what the last writer said of them.

CREATE TABLE person (
    id        BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- The fact that registered this person.
    processor TEXT NOT NULL,
    account   TEXT NOT NULL,
    event_key TEXT NOT NULL,
    FOREIGN KEY (processor, account, event_key) REFERENCES processed (processor, account, event_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE person_email (
    -- Normalised: trimmed, ASCII letters in lower case.
    email    TEXT    NOT NULL PRIMARY KEY CHECK (email = lower(trim(email)) AND instr(email, '@') > 0),
    person   BLOB    NOT NULL REFERENCES person (id),
    -- 0 is the address that made the person's id.
    position INTEGER NOT NULL CHECK (position >= 0),
    UNIQUE (person, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE person_detail (
    person  BLOB    NOT NULL REFERENCES person (id),
    field   TEXT    NOT NULL CHECK (field IN ('name', 'address', 'category')),
    value   TEXT    NOT NULL,
    -- The greater (said_at, said_by, value) stands, whichever arrived first.
    said_at INTEGER NOT NULL,
    said_by TEXT    NOT NULL CHECK (said_by <> ''),
    PRIMARY KEY (person, field)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER person_is_never_changed BEFORE UPDATE ON person
BEGIN
    SELECT RAISE(ABORT, 'person: a registration is never changed');
END;

CREATE TRIGGER person_is_never_deleted BEFORE DELETE ON person
BEGIN
    SELECT RAISE(ABORT, 'person: a registration is never deleted');
END;
