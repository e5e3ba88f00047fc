SELECT o.id AS number, o.processor, o.redecide,
    e.id, e.source, e.delivery_key, e.received_at, e.headers::text AS headers, e.trace, e.body
FROM (SELECT * FROM outbox ORDER BY id LIMIT $1) AS o
CROSS JOIN LATERAL (SELECT * FROM envelope WHERE id = o.envelope LIMIT 1) AS e
ORDER BY o.id
