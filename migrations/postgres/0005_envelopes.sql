-- Raw requests as they were received, so that anything recorded can be replayed. Pruned by age.

CREATE TABLE envelope (
    id           uuid        PRIMARY KEY,
    source       text COLLATE "C" NOT NULL,
    delivery_key text COLLATE "C" NOT NULL,
    received_at  timestamptz NOT NULL,
    -- [[name, value], …]: only those that a translation reads.
    headers      jsonb       NOT NULL CHECK (jsonb_typeof(headers) = 'array'),
    trace        text COLLATE "C",
    body         bytea       NOT NULL
);

CREATE INDEX envelope_by_age ON envelope (received_at);

CREATE TRIGGER envelope_is_never_changed BEFORE UPDATE OR TRUNCATE ON envelope
EXECUTE FUNCTION refuse('envelope: what was received is never rewritten');
