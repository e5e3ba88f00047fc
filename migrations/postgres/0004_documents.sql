-- What is known of each document: a waiver when it was completed, and whether it was voided. A
-- void may come first or alone. One row a document, so one waiver a document.

CREATE TABLE document (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account     text COLLATE "C" NOT NULL,
    -- The provider's own id.
    document_id text COLLATE "C" NOT NULL CHECK (document_id <> ''),
    -- The waiver: all of the next three, or none.
    person      bigint REFERENCES person (number),
    signed_at   timestamptz,
    -- The last day on which it is valid.
    expires     date,
    -- As written on the form.
    category    text COLLATE "C",
    voided_at   timestamptz,
    UNIQUE (account, document_id),
    CHECK ((person IS NULL) = (signed_at IS NULL)),
    CHECK ((person IS NULL) = (expires IS NULL)),
    CHECK (category IS NULL OR person IS NOT NULL),
    CHECK (person IS NOT NULL OR voided_at IS NOT NULL),
    CHECK (expires IS NULL OR expires > (signed_at AT TIME ZONE 'UTC')::date)
);

CREATE INDEX document_by_person ON document (person) WHERE person IS NOT NULL;

-- One line a fact: what stood after it.
CREATE TABLE document_journal (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fact       bigint NOT NULL UNIQUE REFERENCES processed (id),
    document   bigint NOT NULL REFERENCES document (number),
    person     bigint,
    signed_at  timestamptz,
    expires    date,
    category   text COLLATE "C",
    voided_at  timestamptz,
    written_at timestamptz NOT NULL
);

CREATE INDEX document_journal_by_document ON document_journal (document);

CREATE TRIGGER document_keeps_its_waiver BEFORE UPDATE ON document FOR EACH ROW
WHEN (OLD.person IS NOT NULL AND NEW.person IS DISTINCT FROM OLD.person)
EXECUTE FUNCTION refuse('document: it has its one waiver already');

CREATE TRIGGER document_is_never_deleted BEFORE DELETE OR TRUNCATE ON document
EXECUTE FUNCTION refuse('document: a document is voided, it is never deleted');

CREATE TRIGGER document_journal_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON document_journal
EXECUTE FUNCTION refuse('document_journal: append-only');
