SELECT p.transaction_id, p.account, p.person, t.starts, t.expires, t.ended_on, t.end_reason
FROM json_each(?1) AS wanted
CROSS JOIN payment AS p ON p.person = wanted.value
CROSS JOIN term AS t ON t.payment = p.number
