-- One row for every fact that a processor has settled for good. Its unique key is what makes an
-- effect happen once; every effect refers to its row here, so none can exist without one.
--
-- Texts compare by their bytes (COLLATE "C") wherever the server stands: what is unique, what is
-- greater and what comes first must be the same in every store. `envelope` is no foreign key:
-- envelopes are pruned, outcomes never are.

CREATE TABLE processed (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    processor    text COLLATE "C" NOT NULL CHECK (processor <> ''),
    account      text COLLATE "C" NOT NULL CHECK (account <> ''),
    event_key    text COLLATE "C" NOT NULL CHECK (event_key <> ''),
    outcome      text COLLATE "C" NOT NULL CHECK (outcome IN ('applied', 'ignored', 'rejected')),
    reason       text COLLATE "C" CHECK (reason <> ''),
    kind         text COLLATE "C" NOT NULL CHECK (kind <> ''),
    source       text COLLATE "C" NOT NULL CHECK (source <> ''),
    envelope     uuid        NOT NULL,
    -- The configuration that was in force.
    rules        text COLLATE "C" NOT NULL,
    -- What the fact said, to tell a duplicate from a contradiction.
    digest       text COLLATE "C" NOT NULL CHECK (digest <> ''),
    occurred_at  timestamptz NOT NULL,
    processed_at timestamptz NOT NULL,
    UNIQUE (processor, account, event_key),
    CHECK ((outcome = 'applied') = (reason IS NULL))
);

CREATE INDEX processed_by_envelope ON processed (envelope);
CREATE INDEX processed_by_time ON processed (processed_at);

-- Says no, in the words that a trigger gives it.
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER processed_is_never_deleted BEFORE DELETE OR TRUNCATE ON processed
EXECUTE FUNCTION refuse('processed: a settled fact is never deleted');

CREATE TRIGGER processed_is_final BEFORE UPDATE ON processed FOR EACH ROW
WHEN (OLD.outcome <> 'ignored'
    OR NEW.id IS DISTINCT FROM OLD.id
    OR NEW.processor IS DISTINCT FROM OLD.processor
    OR NEW.account IS DISTINCT FROM OLD.account
    OR NEW.event_key IS DISTINCT FROM OLD.event_key)
EXECUTE FUNCTION refuse('processed: only an ignored fact may be decided again');
