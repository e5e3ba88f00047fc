INSERT INTO dead_letter
    (processor, account, event_key, source, reason, detail, amount, currency, attempts, first_seen, last_seen,
     envelope, failures, state)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 'open')
ON CONFLICT (processor, account, event_key) DO UPDATE SET
    source = excluded.source,
    reason = excluded.reason,
    detail = excluded.detail,
    amount = excluded.amount,
    currency = excluded.currency,
    attempts = excluded.attempts,
    last_seen = max(last_seen, excluded.last_seen),
    envelope = excluded.envelope,
    failures = failures + 1,
    state = 'open'
