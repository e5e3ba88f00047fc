SELECT e.person AS id
FROM json_each(?1) AS wanted
CROSS JOIN person_email AS e ON e.email = wanted.value
UNION
SELECT p.person
FROM json_each(?2) AS wanted
CROSS JOIN payment AS p ON p.account = wanted.value ->> 0 AND p.transaction_id = wanted.value ->> 1
