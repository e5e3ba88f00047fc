SELECT p.transaction_id, p.account, p.event_key, p.person, p.paid_at, p.paid_on, p.amount_minor, p.currency, p.category,
    p.renewal_window_days
FROM unnest($1::bigint[]) AS wanted (person)
JOIN payment AS p ON p.person = wanted.person
