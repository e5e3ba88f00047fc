SELECT event_key, envelope, source, processor, kind, outcome, reason, rules, occurred_at, processed_at, digest
FROM processed
WHERE starts_with(event_key, $1)
ORDER BY processor, account, event_key
