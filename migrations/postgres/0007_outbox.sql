-- What a commit must tell the queue, written in the commit itself.

CREATE TABLE outbox (
    -- Never given twice: the relay removes rows by number after the queue has confirmed them.
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    envelope  uuid NOT NULL REFERENCES envelope (id),
    processor text COLLATE "C" NOT NULL,
    -- An ignored outcome of the same fact may be replaced.
    redecide  boolean NOT NULL DEFAULT false
);

CREATE INDEX outbox_by_envelope ON outbox (envelope);
