-- What is known of each document: a waiver when it was completed, and whether it was voided. A
-- void may come first or alone. One row a document, so one waiver a document.

CREATE TABLE document (
    number      INTEGER PRIMARY KEY,
    account     TEXT    NOT NULL,
    -- The provider's own id.
    document_id TEXT    NOT NULL CHECK (document_id <> ''),
    -- The waiver: all of the next three, or none.
    person      INTEGER REFERENCES person (number),
    signed_at   INTEGER,
    -- The last day on which it is valid.
    expires     TEXT    CHECK (expires IS date(expires)),
    -- As written on the form.
    category    TEXT,
    voided_at   INTEGER,
    UNIQUE (account, document_id),
    CHECK ((person IS NULL) = (signed_at IS NULL)),
    CHECK ((person IS NULL) = (expires IS NULL)),
    CHECK (category IS NULL OR person IS NOT NULL),
    CHECK (person IS NOT NULL OR voided_at IS NOT NULL),
    CHECK (expires IS NULL OR expires > date(signed_at / 1000000, 'unixepoch'))
) STRICT;

CREATE INDEX document_by_person ON document (person) WHERE person IS NOT NULL;

-- One line a fact: what stood after it.
CREATE TABLE document_journal (
    id         INTEGER PRIMARY KEY,
    fact       INTEGER NOT NULL UNIQUE REFERENCES processed (id),
    document   INTEGER NOT NULL REFERENCES document (number),
    person     INTEGER,
    signed_at  INTEGER,
    expires    TEXT,
    category   TEXT,
    voided_at  INTEGER,
    written_at INTEGER NOT NULL
) STRICT;

CREATE INDEX document_journal_by_document ON document_journal (document);

CREATE TRIGGER document_keeps_its_waiver BEFORE UPDATE ON document
WHEN OLD.person IS NOT NULL AND NEW.person IS NOT OLD.person
BEGIN
    SELECT RAISE(ABORT, 'document: it has its one waiver already');
END;

CREATE TRIGGER document_is_never_deleted BEFORE DELETE ON document
BEGIN
    SELECT RAISE(ABORT, 'document: a document is voided, it is never deleted');
END;

CREATE TRIGGER document_journal_is_never_changed BEFORE UPDATE ON document_journal
BEGIN
    SELECT RAISE(ABORT, 'document_journal: append-only');
END;

CREATE TRIGGER document_journal_is_never_deleted BEFORE DELETE ON document_journal
BEGIN
    SELECT RAISE(ABORT, 'document_journal: append-only');
END;
