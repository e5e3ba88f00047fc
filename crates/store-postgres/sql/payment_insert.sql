INSERT INTO payment
    (account, transaction_id, fact, event_key, person, paid_at, paid_on, amount_minor, currency, category,
     renewal_window_days)
SELECT r.account, r.transaction_id,
    (SELECT f.id FROM processed AS f WHERE f.processor = $1 AND f.account = r.account AND f.event_key = r.event_key),
    r.event_key, (SELECT p.number FROM person AS p WHERE p.id = r.person), r.paid_at, r.paid_on, r.amount_minor,
    r.currency, r.category, r.renewal_window_days
FROM unnest($2::text[], $3::text[], $4::text[], $5::uuid[], $6::timestamptz[], $7::date[], $8::bigint[], $9::text[],
    $10::text[], $11::bigint[])
    AS r (account, transaction_id, event_key, person, paid_at, paid_on, amount_minor, currency, category,
        renewal_window_days)
