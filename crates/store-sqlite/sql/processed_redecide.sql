INSERT INTO processed
    (processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest, occurred_at, processed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
WHERE outcome = 'ignored'
