SELECT p.transaction_id, p.account, p.person, t.starts, t.expires, t.ended_on, t.end_reason
FROM unnest($1::bigint[]) AS wanted (person)
JOIN payment AS p ON p.person = wanted.person
JOIN term AS t ON t.payment = p.number
