-- What each worker process holds, as it last said. A broker tells only what is ready.

CREATE TABLE worker (
    -- Of one process, from its start to its end.
    id         BLOB    NOT NULL CHECK (length(id) = 16),
    processor  TEXT    NOT NULL,
    in_flight  INTEGER NOT NULL CHECK (in_flight >= 0),
    -- By the store's own clock: those of two hosts may differ.
    written_at INTEGER NOT NULL,
    -- A silent worker's row stays until then, so that its last figure counts for as long as the
    -- queue may not have noticed its death.
    forget_at  INTEGER NOT NULL,
    PRIMARY KEY (id, processor)
) STRICT, WITHOUT ROWID;
