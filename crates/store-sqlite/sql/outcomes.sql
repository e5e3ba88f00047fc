SELECT event_key, envelope, source, processor, kind, outcome, reason, rules, occurred_at, processed_at, digest
FROM processed
WHERE substr(event_key, 1, length(?1)) = ?1
ORDER BY processor, account, event_key
