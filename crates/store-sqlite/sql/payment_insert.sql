INSERT INTO payment
    (account, transaction_id, fact, event_key, person, paid_at, paid_on, amount_minor, currency, category,
     renewal_window_days)
VALUES (?, ?, (SELECT id FROM processed WHERE processor = ? AND account = ? AND event_key = ?), ?,
    (SELECT number FROM person WHERE id = ?), ?, ?, ?, ?, ?, ?)
