SELECT a.event_key, a.account, a.transaction_id, a.kind, a.cumulative_minor, a.happened_at, a.happened_on
FROM json_each(?1) AS wanted
CROSS JOIN payment AS p ON p.person = unhex(wanted.value)
CROSS JOIN adjustment AS a ON a.account = p.account AND a.transaction_id = p.transaction_id
ORDER BY a.happened_at, a.event_key
