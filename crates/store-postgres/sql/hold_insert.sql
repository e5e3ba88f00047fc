INSERT INTO hold (id, account, amount, state, settled, expires_at)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::timestamptz[])
