SELECT e.person, e.email
FROM unnest($1::bigint[]) AS wanted (person)
JOIN person_email AS e ON e.person = wanted.person
ORDER BY e.person, e.position
