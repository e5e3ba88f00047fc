SELECT t.transaction_id, t.account, t.person, t.starts, t.expires, t.ended_on, t.end_reason
FROM json_each(?1) AS wanted
CROSS JOIN payment AS p ON p.person = unhex(wanted.value)
CROSS JOIN term AS t ON t.account = p.account AND t.transaction_id = p.transaction_id
