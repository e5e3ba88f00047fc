SELECT p.id,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address'), e.email)
        AS email
FROM unnest($1::uuid[]) AS wanted (id)
CROSS JOIN LATERAL (SELECT id, number FROM person WHERE id = wanted.id LIMIT 1) AS p
CROSS JOIN LATERAL (SELECT person, email FROM person_email WHERE person = p.number AND position = 0 LIMIT 1) AS e
