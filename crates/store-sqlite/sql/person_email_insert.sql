WITH new (email, person) AS (VALUES (?, ?))
INSERT INTO person_email (email, person, position)
SELECT new.email, p.number, 0
FROM new
CROSS JOIN person AS p ON p.id = new.person
