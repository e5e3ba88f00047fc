-- Deliveries that we stopped trying: one row a processor, account and event key. Texts may be empty:
-- what a broker gave up on without our headers must find room here too.

CREATE TABLE dead_letter (
    -- Never given twice: an operator's note about number 7 must not come to mean another.
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    processor  text COLLATE "C" NOT NULL,
    account    text COLLATE "C" NOT NULL,
    event_key  text COLLATE "C" NOT NULL,
    source     text COLLATE "C" NOT NULL,
    reason     text COLLATE "C" NOT NULL,
    detail     text COLLATE "C" NOT NULL,
    -- The money at stake, as a decimal text.
    amount     text COLLATE "C",
    currency   text COLLATE "C",
    -- Of the last failure.
    attempts   bigint      NOT NULL CHECK (attempts >= 0),
    -- How often it became a dead letter.
    failures   bigint      NOT NULL CHECK (failures >= 1),
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    state      text COLLATE "C" NOT NULL CHECK (state IN ('open', 'replaying', 'resolved', 'discarded')),
    envelope   uuid        NOT NULL,
    UNIQUE (processor, account, event_key),
    CHECK (last_seen >= first_seen)
);

-- Every commit looks for letters that it resolves: nearly always among none.
CREATE INDEX dead_letter_unsettled ON dead_letter (processor, account, event_key)
    WHERE state IN ('open', 'replaying');
CREATE INDEX dead_letter_needs ON dead_letter (envelope) WHERE state IN ('open', 'replaying');
CREATE INDEX dead_letter_by_age ON dead_letter (first_seen);

-- Every failure, because another callback with the same key takes the first one's place in the
-- letter, and the first one's bytes must not be lost.
CREATE TABLE dead_letter_failure (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    letter    bigint NOT NULL REFERENCES dead_letter (id),
    envelope  uuid   NOT NULL,
    reason    text COLLATE "C" NOT NULL,
    detail    text COLLATE "C" NOT NULL,
    failed_at timestamptz NOT NULL,
    attempts  bigint      NOT NULL CHECK (attempts >= 0),
    -- The queue may hand over one failure twice.
    UNIQUE (letter, envelope, failed_at)
);

CREATE INDEX dead_letter_failure_by_envelope ON dead_letter_failure (envelope);

CREATE TRIGGER dead_letter_failure_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON dead_letter_failure
EXECUTE FUNCTION refuse('dead_letter_failure: append-only');

CREATE FUNCTION keep_what_a_dead_letter_needs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM dead_letter WHERE envelope = OLD.id AND state IN ('open', 'replaying'))
        OR EXISTS (
            SELECT 1
            FROM dead_letter_failure AS f
            JOIN dead_letter AS d ON d.id = f.letter
            WHERE f.envelope = OLD.id AND d.state IN ('open', 'replaying')) THEN
        RAISE EXCEPTION USING MESSAGE = 'envelope: a dead letter needs it', ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;

CREATE TRIGGER dead_letter_keeps_its_envelope BEFORE DELETE ON envelope FOR EACH ROW
EXECUTE FUNCTION keep_what_a_dead_letter_needs();

CREATE TRIGGER dead_letter_is_never_deleted BEFORE DELETE OR TRUNCATE ON dead_letter
EXECUTE FUNCTION refuse('dead_letter: it is resolved or discarded, never deleted');
