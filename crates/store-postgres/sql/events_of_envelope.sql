SELECT event_key, envelope, source, processor, kind, outcome, reason, rules, occurred_at, processed_at
FROM processed
WHERE envelope = $1
    AND ($2::text IS NULL OR source = $2)
    AND ($3::text IS NULL OR processor = $3)
    AND ($4::text IS NULL OR outcome = $4)
    AND ($5::text IS NULL OR reason = $5)
    AND ($6::text IS NULL OR kind = $6)
    AND ($7::text IS NULL OR event_key = $7)
    AND ($8::timestamptz IS NULL OR processed_at >= $8)
    AND ($9::timestamptz IS NULL OR processed_at < $9)
ORDER BY processed_at DESC, id DESC
LIMIT $10
