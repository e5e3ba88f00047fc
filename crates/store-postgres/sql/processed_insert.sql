-- Numbered in the order of decision, inserted in the order of keys: two workers that were given the
-- same facts then wait for each other in one direction only.
WITH settled AS MATERIALIZED (
    SELECT nextval('processed_id_seq') AS id, r.*
    FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[], $11::text[],
        $12::timestamptz[])
        AS r (account, event_key, outcome, reason, kind, source, envelope, digest, occurred_at)
)
INSERT INTO processed
    (id, processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest, occurred_at,
     processed_at)
OVERRIDING SYSTEM VALUE
SELECT id, $1, account, event_key, outcome, reason, kind, source, envelope, $2, digest, occurred_at, $3
FROM settled
ORDER BY account, event_key
