INSERT INTO dead_letter_failure (letter, envelope, reason, detail, failed_at, attempts)
SELECT d.id, r.envelope, r.reason, r.detail, r.failed_at, r.attempts
FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[])
    WITH ORDINALITY AS r (processor, account, event_key, envelope, reason, detail, failed_at, attempts, turn)
JOIN dead_letter AS d ON d.processor = r.processor AND d.account = r.account AND d.event_key = r.event_key
ORDER BY r.turn
ON CONFLICT (letter, envelope, failed_at) DO NOTHING
