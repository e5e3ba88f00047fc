-- They are all there: an upsert, because it finds each by its key, whatever the planner knows.
INSERT INTO hold (id, account, amount, state, settled, expires_at)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[])
ON CONFLICT (id) DO UPDATE
SET state = EXCLUDED.state, settled = EXCLUDED.settled
