SELECT p.transaction_id, p.account, p.person, t.starts, t.expires, t.ended_on, t.end_reason
FROM payment AS p
CROSS JOIN LATERAL (SELECT * FROM term WHERE payment = p.number LIMIT 1) AS t
WHERE p.person = ANY ($1::bigint[])
