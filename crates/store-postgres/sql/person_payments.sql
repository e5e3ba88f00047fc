SELECT transaction_id, account, event_key, person, paid_at, paid_on, amount_minor, currency, category,
    renewal_window_days
FROM payment
WHERE person = ANY ($1::bigint[])
