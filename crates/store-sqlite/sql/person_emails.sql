SELECT e.person, e.email
FROM json_each(?1) AS wanted
CROSS JOIN person_email AS e ON e.person = wanted.value
ORDER BY e.person, e.position
