SELECT p.transaction_id, p.account, p.event_key, p.person, p.paid_at, p.paid_on, p.amount_minor, p.currency, p.category,
    p.renewal_window_days
FROM json_each(?1) AS wanted
CROSS JOIN payment AS p ON p.person = wanted.value
