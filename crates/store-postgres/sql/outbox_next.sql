SELECT o.id AS number, o.processor, o.redecide,
    e.id, e.source, e.delivery_key, e.received_at, e.headers::text AS headers, e.trace, e.body
FROM outbox AS o
JOIN envelope AS e ON e.id = o.envelope
ORDER BY o.id
LIMIT $1
