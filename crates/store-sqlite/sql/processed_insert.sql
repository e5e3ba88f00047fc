INSERT INTO processed
    (processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest, occurred_at, processed_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
