SELECT f.event_key, p.account, p.transaction_id, a.kind, a.cumulative_minor, a.happened_at, a.happened_on
FROM json_each(?1) AS wanted
CROSS JOIN payment AS p ON p.person = wanted.value
CROSS JOIN adjustment AS a ON a.payment = p.number
CROSS JOIN processed AS f ON f.id = a.fact
ORDER BY a.happened_at, f.event_key
