SELECT p.id,
    coalesce((SELECT d.value FROM person_detail AS d WHERE d.person = e.person AND d.field = 'address'), e.email)
        AS email
FROM json_each(?1) AS wanted
CROSS JOIN person AS p ON p.id = unhex(wanted.value)
CROSS JOIN person_email AS e ON e.person = p.number AND e.position = 0
