INSERT INTO adjustment
    (processor, account, event_key, transaction_id, kind, cumulative_minor, happened_at, happened_on)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
