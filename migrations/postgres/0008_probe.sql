-- What a probe writes and commits. The number changes as in every store.

CREATE TABLE probe (
    id     bigint PRIMARY KEY CHECK (id = 1),
    number bigint NOT NULL
);

INSERT INTO probe (id, number) VALUES (1, 0);
