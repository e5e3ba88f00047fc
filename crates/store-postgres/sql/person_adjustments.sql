SELECT f.event_key, p.account, p.transaction_id, a.kind, a.cumulative_minor, a.happened_at, a.happened_on
FROM payment AS p
CROSS JOIN LATERAL (SELECT * FROM adjustment WHERE payment = p.number OFFSET 0) AS a
CROSS JOIN LATERAL (SELECT event_key FROM processed WHERE id = a.fact LIMIT 1) AS f
WHERE p.person = ANY ($1::bigint[])
ORDER BY a.happened_at, f.event_key
