INSERT INTO lot (id, account, transaction_id, n, source, expires_at, amount, remaining, held, expired, lapsed)
SELECT *
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[], $6::timestamptz[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::boolean[])
ON CONFLICT (id) DO UPDATE
SET remaining = EXCLUDED.remaining, held = EXCLUDED.held, expired = EXCLUDED.expired, lapsed = EXCLUDED.lapsed
