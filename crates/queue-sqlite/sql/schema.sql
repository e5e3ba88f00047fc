-- The embedded queue. One body for all processors, one delivery for each.
-- Instants are microseconds since the epoch, UTC.

CREATE TABLE body (
    id           INTEGER PRIMARY KEY,
    envelope     BLOB    NOT NULL CHECK (length(envelope) = 16),
    source       TEXT    NOT NULL,
    delivery_key TEXT    NOT NULL,
    received_at  INTEGER NOT NULL,
    headers      TEXT    NOT NULL, -- JSON: [["name","value"], …]
    trace        TEXT,
    body         BLOB    NOT NULL
) STRICT;

CREATE TABLE delivery (
    -- body.id << 20 plus a number: the deliveries of one body lie together, so that "is this the
    -- last one?" needs neither a column nor an index.
    id           INTEGER PRIMARY KEY,
    queue        TEXT    NOT NULL,
    leased       INTEGER NOT NULL DEFAULT 0 CHECK (leased IN (0, 1)),
    due          INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    handed_out   INTEGER NOT NULL DEFAULT 0 CHECK (handed_out >= 0),
    redecide     INTEGER NOT NULL CHECK (redecide IN (0, 1)),
    published_at INTEGER NOT NULL,
    bytes        INTEGER NOT NULL, -- of the body, to bound a batch without reading it
    failure      TEXT              -- JSON; only on the queue `dead-letters`
) STRICT;

CREATE INDEX delivery_due ON delivery (queue, leased, due);
CREATE INDEX delivery_age ON delivery (queue, published_at);

PRAGMA application_id = 1380077393; -- "RBkQ"
PRAGMA user_version = 1;
