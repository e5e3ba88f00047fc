-- Numbered in the order of decision, inserted in the order of ids: another process that decides the
-- same ones is waited for in one direction only.
WITH decided AS MATERIALIZED (
    SELECT nextval('ledger_transaction_number_seq') AS number, r.*
    FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::uuid[], $8::uuid[], $9::uuid[],
        $10::uuid[], $11::text[], $12::timestamptz[], $13::bigint[], $14::uuid[], $15::bigint[], $16::bigint[])
        AS r (id, kind, digest, reason, detail, hold, lot, reverses, actor, memo, happened_at, legs, account,
            left_posted, left_held)
)
INSERT INTO ledger_transaction
    (number, id, kind, digest, outcome, reason, detail, hold, lot, reverses, actor, memo, happened_at, recorded_at,
     legs, account, left_posted, left_held)
OVERRIDING SYSTEM VALUE
SELECT number, id, kind, digest, CASE WHEN reason IS NULL THEN 'applied' ELSE 'rejected' END, reason, detail, hold,
    lot, reverses, actor, memo, happened_at, $1, legs, account, left_posted, left_held
FROM decided
ORDER BY id
