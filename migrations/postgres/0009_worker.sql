-- What each worker process holds, as it last said. A broker tells only what is ready.

CREATE TABLE worker (
    -- Of one process, from its start to its end.
    id         uuid NOT NULL,
    processor  text COLLATE "C" NOT NULL,
    in_flight  bigint NOT NULL CHECK (in_flight >= 0),
    -- By the server's own clock: those of two hosts may differ.
    written_at timestamptz NOT NULL,
    -- A silent worker's row stays until then, so that its last figure counts for as long as the
    -- queue may not have noticed its death.
    forget_at  timestamptz NOT NULL,
    PRIMARY KEY (id, processor)
) WITH (fillfactor = 50); -- a few rows that are written each second: room to do so in place
