INSERT INTO payment
    (account, transaction_id, processor, event_key, person, paid_at, paid_on, amount_minor, currency, category,
     renewal_window_days)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
