WITH new (account, transaction_id, processor, event_key, person, paid_at, paid_on, amount_minor, currency, category,
    renewal_window_days) AS (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
INSERT INTO payment
    (account, transaction_id, fact, event_key, person, paid_at, paid_on, amount_minor, currency, category,
     renewal_window_days)
SELECT new.account, new.transaction_id, f.id, new.event_key, p.number, new.paid_at, new.paid_on, new.amount_minor,
    new.currency, new.category, new.renewal_window_days
FROM new
CROSS JOIN processed AS f
    ON f.processor = new.processor AND f.account = new.account AND f.event_key = new.event_key
CROSS JOIN person AS p ON p.id = new.person
