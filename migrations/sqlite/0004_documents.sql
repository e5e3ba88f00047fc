-- What is known of each document: a waiver when it was completed, and whether it was voided. A
-- void may come first or alone. One row a document, so one waiver a document.

CREATE TABLE document (
    account     TEXT    NOT NULL,
    -- The provider's own id.
    document_id TEXT    NOT NULL CHECK (document_id <> ''),
    -- The waiver: all of the first three, or none.
    person      BLOB    REFERENCES person (id),
    signed_at   INTEGER,
    -- The last day on which it is valid.
    expires     TEXT    CHECK (expires IS date(expires)),
    -- As written on the form.
    category    TEXT,
    voided_at   INTEGER,
    PRIMARY KEY (account, document_id),
    CHECK ((person IS NULL) = (signed_at IS NULL)),
    CHECK ((person IS NULL) = (expires IS NULL)),
    CHECK (category IS NULL OR person IS NOT NULL),
    CHECK (person IS NOT NULL OR voided_at IS NOT NULL),
    CHECK (expires IS NULL OR expires > date(signed_at / 1000000, 'unixepoch'))
) STRICT, WITHOUT ROWID;

CREATE INDEX document_by_person ON document (person) WHERE person IS NOT NULL;

-- One line a fact: what stood after it.
CREATE TABLE document_journal (
    id          INTEGER PRIMARY KEY,
    -- With `account`, the fact that said so.
    processor   TEXT    NOT NULL,
    account     TEXT    NOT NULL,
    event_key   TEXT    NOT NULL,
    document_id TEXT    NOT NULL,
    person      BLOB,
    signed_at   INTEGER,
    expires     TEXT,
    category    TEXT,
    voided_at   INTEGER,
    written_at  INTEGER NOT NULL,
    UNIQUE (processor, account, event_key),
    FOREIGN KEY (account, document_id) REFERENCES document (account, document_id),
    FOREIGN KEY (processor, account, event_key) REFERENCES processed (processor, account, event_key)
) STRICT;

CREATE INDEX document_journal_by_document ON document_journal (account, document_id);

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
