INSERT INTO dead_letter
    (processor, account, event_key, source, reason, detail, amount, currency, attempts, first_seen, last_seen,
     envelope, failures, state)
SELECT r.*, 'open'
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::bigint[]) AS r
ON CONFLICT (processor, account, event_key) DO UPDATE SET
    source = excluded.source,
    reason = excluded.reason,
    detail = excluded.detail,
    amount = excluded.amount,
    currency = excluded.currency,
    attempts = excluded.attempts,
    last_seen = greatest(dead_letter.last_seen, excluded.last_seen),
    envelope = excluded.envelope,
    failures = dead_letter.failures + excluded.failures,
    state = 'open'
