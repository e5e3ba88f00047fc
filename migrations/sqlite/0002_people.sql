-- People, the addresses by which they are matched, and what the last writer said of them. Rows
-- refer to each other by number, not by id: ids and provider keys are spread over the whole index,
-- and every index of spread keys costs a batch as many pages as it has rows.

CREATE TABLE person (
    number INTEGER PRIMARY KEY,
    id     BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    -- What registered this person.
    fact   INTEGER NOT NULL UNIQUE REFERENCES processed (id)
) STRICT;

CREATE TABLE person_email (
    -- Normalised: trimmed, ASCII letters in lower case.
    email    TEXT    NOT NULL PRIMARY KEY CHECK (email = lower(trim(email)) AND instr(email, '@') > 0),
    person   INTEGER NOT NULL REFERENCES person (number),
    -- 0 is the address that made the person's id.
    position INTEGER NOT NULL CHECK (position >= 0),
    UNIQUE (person, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE person_detail (
    person  INTEGER NOT NULL REFERENCES person (number),
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
