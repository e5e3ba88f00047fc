INSERT INTO processed
    (processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest, occurred_at, processed_at)
SELECT $1, account, event_key, outcome, reason, kind, source, envelope, $2, digest, occurred_at, $3
FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[], $11::text[],
    $12::timestamptz[])
    AS r (account, event_key, outcome, reason, kind, source, envelope, digest, occurred_at)
ORDER BY account, event_key
ON CONFLICT (processor, account, event_key) DO UPDATE SET
    outcome = excluded.outcome,
    reason = excluded.reason,
    kind = excluded.kind,
    source = excluded.source,
    envelope = excluded.envelope,
    rules = excluded.rules,
    digest = excluded.digest,
    occurred_at = excluded.occurred_at,
    processed_at = excluded.processed_at
WHERE processed.outcome = 'ignored'
