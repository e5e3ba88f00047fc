SELECT p.number, p.id
FROM json_each(?1) AS wanted
CROSS JOIN person_email AS e ON e.email = wanted.value
CROSS JOIN person AS p ON p.number = e.person
UNION
SELECT p.number, p.id
FROM json_each(?2) AS wanted
CROSS JOIN payment AS b ON b.account = wanted.value ->> 0 AND b.transaction_id = wanted.value ->> 1
CROSS JOIN person AS p ON p.number = b.person
