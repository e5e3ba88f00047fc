SELECT f.event_key, p.account, p.transaction_id, a.kind, a.cumulative_minor, a.happened_at, a.happened_on
FROM unnest($1::bigint[]) AS wanted (person)
JOIN payment AS p ON p.person = wanted.person
JOIN adjustment AS a ON a.payment = p.number
JOIN processed AS f ON f.id = a.fact
ORDER BY a.happened_at, f.event_key
